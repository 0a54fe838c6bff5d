//! The port and the state of QEMU's option ROM that speeds up a guest's accesses to
//! the task priority register: QEMU's `kvmvapic`.
//!
//! The ROM announces itself at the port, and QEMU then reads the processor's registers
//! and changes the guest's code: nothing a device can do. So the port reads as all ones
//! and takes no notice of what is written, as QEMU's does when the ROM is not what it
//! expects. The state is what QEMU's stream has, and stays as it was loaded.

use southbridge_sdk::describe::{aligned, device, ports};
use southbridge_sdk::state::{Condition, Fields, Sections, Shape};
use southbridge_sdk::wit::{Attachment, Description, Level};
use southbridge_sdk::{Context, Device, Properties};

const PORTS: u32 = 0;
const BASE: u64 = 0x7e;

const SECTION: Shape = Shape::new("kvm-tpr-opt", 1, 1);
const ROM: Shape = Shape::new("kvmvapic-guest-rom", 1, 1);
const HANDLERS: Shape = Shape::new("kvmvapic-handlers", 1, 1);

/// The states: nothing is changed, the guest's code is, or it will be.
const INACTIVE: u32 = 0;
const ACTIVE: u32 = 1;
const STANDBY: u32 = 2;

/// Where the ROM's routines are.
#[derive(Debug, Default)]
struct Handlers {
    set_tpr: u32,
    set_tpr_eax: u32,
    get_tpr: [u32; 8],
    get_tpr_stack: u32,
}

/// What the ROM says of itself.
#[derive(Debug, Default)]
struct Rom {
    vaddr: u32,
    fixup_start: u32,
    fixup_end: u32,
    vapic_vaddr: u32,
    vapic_size: u32,
    vcpu_shift: u32,
    real_tpr_addr: u32,
    /// For one processor, and for several.
    up: Handlers,
    mp: Handlers,
}

/// The device.
#[derive(Debug, Default)]
pub struct Kvmvapic {
    rom: Rom,
    state: u32,
    real_tpr_addr: u32,
    rom_state_vaddr: u32,
    vapic_paddr: u32,
    rom_state_paddr: u32,
}

impl Device for Kvmvapic {
    fn describe() -> Description {
        let summary = "The port and the state of QEMU's option ROM for the task priority";
        Description {
            regions: vec![ports("kvmvapic", 2, aligned(1, 4), aligned(1, 4))],
            ..device("kvmvapic", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(_properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        cx.map(PORTS, BASE, 0);
        Ok(Self::default())
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {
        (self.state, self.rom_state_paddr) = (INACTIVE, 0);
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        u64::MAX
    }

    fn io_write(
        &mut self,
        _cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        _value: u64,
    ) {
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        let Self { rom, state, real_tpr_addr, rom_state_vaddr, vapic_paddr, rom_state_paddr } =
            self;
        sections.section(SECTION, Condition::ALWAYS, |f| {
            f.structure("rom_state", ROM, |f| rom.declare(f));
            f.u32("state", state);
            let found = *state;
            f.check(found <= STANDBY, || format!("{found} found, at most {STANDBY} expected"));
            f.u32("real_tpr_addr", real_tpr_addr);
            f.u32("rom_state_vaddr", rom_state_vaddr);
            f.u32("vapic_paddr", vapic_paddr);
            f.u32("rom_state_paddr", rom_state_paddr);
        });
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        if self.state == ACTIVE {
            let message = "the guest's accesses to the task priority were changed by QEMU, \
                which this device does not keep up";
            cx.log(Level::Warn, message);
        }
        Ok(())
    }
}

impl Rom {
    fn declare(&mut self, f: &mut Fields<'_>) {
        let Self {
            vaddr,
            fixup_start,
            fixup_end,
            vapic_vaddr,
            vapic_size,
            vcpu_shift,
            real_tpr_addr,
            up,
            mp,
        } = self;
        f.unused(8);
        f.u32("vaddr", vaddr);
        f.u32("fixup_start", fixup_start);
        f.u32("fixup_end", fixup_end);
        f.u32("vapic_vaddr", vapic_vaddr);
        f.u32("vapic_size", vapic_size);
        f.u32("vcpu_shift", vcpu_shift);
        f.u32("real_tpr_addr", real_tpr_addr);
        f.structure("up", HANDLERS, |f| up.declare(f));
        f.structure("mp", HANDLERS, |f| mp.declare(f));
    }
}

impl Handlers {
    fn declare(&mut self, f: &mut Fields<'_>) {
        let Self { set_tpr, set_tpr_eax, get_tpr, get_tpr_stack } = self;
        f.u32("set_tpr", set_tpr);
        f.u32("set_tpr_eax", set_tpr_eax);
        f.u32s("get_tpr", get_tpr);
        f.u32("get_tpr_stack", get_tpr_stack);
    }
}

southbridge_sdk::export!(Kvmvapic);

#[cfg(test)]
mod tests;
