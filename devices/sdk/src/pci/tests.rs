use super::*;
use crate::describe::{aligned, configuration, device, memory, output, ports};
use crate::fake::{Bench, Effect};
use crate::state::{Condition, Sections, Shape};
use crate::wit::{Attachment, Description, Scope, Section};
use crate::{Context, Device, Properties};

const PORTS: u32 = 1;
const MEMORY: u32 = 2;
const ROM: u32 = 3;
const INTA: u32 = 0;
const IDENTITY: Identity = Identity {
    vendor: 0x8086,
    device: 0x1234,
    revision: 3,
    class: 0x06_80_01,
    subsystem: DEFAULT_SUBSYSTEM,
};

/// A function with ports, memory, a ROM and an interrupt pin, and nothing behind them.
struct Probe(Function);

impl Device for Probe {
    fn describe() -> Description {
        let widths = aligned(1, 4);
        Description {
            regions: vec![
                configuration(),
                ports("ports", 0x40, widths, widths),
                memory("memory", 0x1000, widths, widths),
                memory("rom", 0x1_0000, widths, widths),
            ],
            lines: vec![output("inta")],
            ..device("probe", "0", "a function", Attachment::Pci)
        }
    }

    fn configure(_: &Properties, _: &mut Context<'_>) -> Result<Self, String> {
        let function = Function::new(IDENTITY)
            .with_bar(0, Bar::ports(PORTS, 0x40))
            .with_bar(5, Bar::memory(MEMORY, 0x1000, true))
            .with_rom(ROM, 0x1_0000)
            .with_inta(INTA);
        Ok(Self(function))
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.0.reset(cx);
    }

    fn io_read(&mut self, _: &mut Context<'_>, _: u32, offset: u64, size: u8) -> u64 {
        self.0.read(offset, size)
    }

    fn io_write(&mut self, cx: &mut Context<'_>, _: u32, offset: u64, size: u8, value: u64) {
        self.0.write(cx, offset, size, value);
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        sections.section_with_path(Shape::new("probe", 1, 1), Condition::ALWAYS, |f| {
            self.0.state(f, "parent_obj");
        });
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.0.loaded(cx);
        Ok(())
    }
}

fn interrupt(bench: &mut Bench<Probe>, level: bool) {
    bench.call(|probe, cx| probe.0.set_interrupt(cx, level));
}

fn status(bench: &mut Bench<Probe>) -> u32 {
    bench.configuration_read(offset::STATUS as u16, 2)
}

#[test]
fn the_header_says_what_the_function_is() {
    let mut bench = Bench::<Probe>::new();
    assert_eq!(bench.configuration_read(0x00, 4), 0x1234_8086);
    assert_eq!(bench.configuration_read(0x08, 4), 0x0680_0103);
    assert_eq!(bench.configuration_read(0x10, 4), 1);
    assert_eq!(bench.configuration_read(0x24, 4), 8);
    assert_eq!(bench.configuration_read(0x2c, 4), 0x1100_1af4);
    assert_eq!(bench.configuration_read(0x3c, 4), 0x0000_0100);
}

#[test]
fn a_guest_writes_what_qemu_lets_it_write() {
    let mut bench = Bench::<Probe>::new();
    for at in (0..0x40).step_by(4) {
        bench.configuration_write(at, 4, 0xffff_ffff);
    }
    assert_eq!(bench.configuration_read(0x00, 4), 0x1234_8086);
    assert_eq!(bench.configuration_read(0x04, 4), 0x0000_0507);
    assert_eq!(bench.configuration_read(0x08, 4), 0x0680_0103);
    assert_eq!(bench.configuration_read(0x0c, 4), 0x0000_00ff);
    assert_eq!(bench.configuration_read(0x10, 4), 0xffff_ffc1);
    assert_eq!(bench.configuration_read(0x14, 4), 0);
    assert_eq!(bench.configuration_read(0x24, 4), 0xffff_f008);
    assert_eq!(bench.configuration_read(0x30, 4), 0xffff_0001);
    assert_eq!(bench.configuration_read(0x3c, 4), 0x0000_01ff);
    bench.configuration_write(0x40, 4, 0x1234_5678);
    assert_eq!(bench.configuration_read(0x41, 2), 0x3456);
}

#[test]
fn errors_are_cleared_by_writing_ones() {
    let mut bench = Bench::<Probe>::new();
    bench.device.0.registers_mut().set(offset::STATUS, 2, 0xf900);
    bench.configuration_write(0x06, 2, 0x8100);
    assert_eq!(status(&mut bench), 0x7800);
}

#[test]
fn regions_are_where_enabled_base_addresses_say() {
    let mut bench = Bench::<Probe>::new();
    bench.configuration_write(0x10, 4, 0xc03f);
    assert_eq!(bench.fake.take(), []);
    bench.configuration_write(0x04, 2, 1);
    bench.configuration_write(0x10, 4, 0xd000);
    // Nothing moves, nothing is said.
    bench.configuration_write(0x10, 4, 0xd000);
    bench.configuration_write(0x04, 2, 0);
    let moves =
        [Effect::Map(PORTS, 0xc000, 1), Effect::Map(PORTS, 0xd000, 1), Effect::Unmap(PORTS)];
    assert_eq!(bench.fake.take(), moves);
}

#[test]
fn an_address_that_makes_no_sense_places_nothing() {
    let mut bench = Bench::<Probe>::new();
    bench.configuration_write(0x04, 2, 3);
    // 0 is not assigned; the last byte below 4 GiB is never decoded.
    for address in [0, 0xffff_f000] {
        bench.configuration_write(0x24, 4, address);
        assert_eq!(bench.fake.take(), [], "{address:#x}");
    }
    bench.configuration_write(0x24, 4, 0xffff_e000);
    assert_eq!(bench.fake.take(), [Effect::Map(MEMORY, 0xffff_e000, 1)]);
}

#[test]
fn a_rom_is_where_its_register_says_while_it_is_enabled() {
    let mut bench = Bench::<Probe>::new();
    bench.configuration_write(0x04, 2, 2);
    bench.configuration_write(0x30, 4, 0xf100_0000);
    assert_eq!(bench.fake.take(), []);
    bench.configuration_write(0x30, 4, 0xf100_0001);
    bench.configuration_write(0x30, 4, 0xf200_07ff);
    assert_eq!(bench.configuration_read(0x30, 4), 0xf200_0001);
    assert_eq!(bench.successor(&[]).fake.mappings[&ROM], (0xf200_0000, 1));
    bench.configuration_write(0x04, 2, 0);
    bench.configuration_write(0x04, 2, 2);
    bench.reset();
    let moves = [
        Effect::Map(ROM, 0xf100_0000, 1),
        Effect::Map(ROM, 0xf200_0000, 1),
        Effect::Unmap(ROM),
        Effect::Map(ROM, 0xf200_0000, 1),
        Effect::Unmap(ROM),
    ];
    assert_eq!(bench.fake.take(), moves);
    assert_eq!(bench.configuration_read(0x30, 4), 0);
}

#[test]
fn a_disabled_interrupt_shows_in_the_status_only() {
    let mut bench = Bench::<Probe>::new();
    interrupt(&mut bench, true);
    assert!(bench.fake.line(INTA));
    assert_eq!(status(&mut bench), 8);
    bench.configuration_write(0x04, 2, 0x400);
    assert!(!bench.fake.line(INTA));
    assert_eq!(status(&mut bench), 8);
    bench.configuration_write(0x04, 2, 0);
    assert!(bench.fake.line(INTA));
    interrupt(&mut bench, false);
    assert!(!bench.fake.line(INTA));
    assert_eq!(status(&mut bench), 0);
}

#[test]
fn a_reset_takes_back_what_the_header_was_told() {
    let mut bench = Bench::<Probe>::new();
    let fresh = bench.save(Scope::Stream).remove(0).data;
    for (at, value) in
        [(0x04, 0x103), (0x0c, 0x10), (0x10, 0xc000), (0x24, 0xf000_0000), (0x3c, 11)]
    {
        bench.configuration_write(at, 4, value);
    }
    interrupt(&mut bench, true);
    bench.configuration_write(0x40, 1, 0x77);
    assert_eq!(bench.fake.mappings.len(), 2);
    bench.reset();
    assert!(bench.fake.mappings.is_empty());
    assert!(!bench.fake.line(INTA));
    // What lies above the header is the device's own to reset.
    assert_eq!(bench.configuration_read(0x40, 1), 0x77);
    bench.configuration_write(0x40, 1, 0);
    assert_eq!(bench.save(Scope::Stream).remove(0).data, fresh);
}

fn used() -> Bench<Probe> {
    let mut bench = Bench::<Probe>::new();
    bench.configuration_write(0x10, 4, 0xc000);
    bench.configuration_write(0x04, 2, 1);
    interrupt(&mut bench, true);
    bench
}

#[test]
fn state_is_qemus_pci_device() {
    let data = used().save(Scope::Stream).remove(0).data;
    assert_eq!(data.len(), 276);
    assert_eq!(data[..4], [0, 0, 0, 2]);
    assert_eq!(data[4..12], [0x86, 0x80, 0x34, 0x12, 1, 0, 8, 0]);
    assert_eq!(data[260..], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_loaded_function_maps_and_interrupts() {
    let saved = used().save(Scope::Stream);
    let mut bench = Bench::<Probe>::configured(&[]);
    bench.load(Scope::Stream, saved).expect("its own state");
    assert_eq!(bench.fake.mappings[&PORTS], (0xc000, 1));
    assert!(bench.fake.line(INTA));
    used().successor(&[]);
}

fn refused(change: impl FnOnce(&mut Section)) -> String {
    let mut saved = used().save(Scope::Stream);
    change(&mut saved[0]);
    let refusal = Bench::<Probe>::configured(&[]).load(Scope::Stream, saved);
    let refusal = refusal.expect_err("it is another function, or none");
    format!("{} at {}: {}", refusal.field, refusal.offset, refusal.reason)
}

#[test]
fn another_functions_state_is_refused() {
    assert_eq!(
        refused(|section| section.data[4 + 0x0b] = 2),
        "parent_obj.config[0] at 4: byte 0x0b is 0x02, 0x06 expected: another PCI function"
    );
    // There is no list of capabilities.
    assert!(refused(|section| section.data[4 + 0x06] |= 0x10).contains("byte 0x06"));
    assert!(refused(|section| section.data[4 + 0x34] = 0x40).contains("byte 0x34"));
    assert!(refused(|section| section.data[4 + 0x0e] = 0x80).contains("byte 0x0e"));
    // The ROM is of another size.
    assert!(refused(|section| section.data[4 + 0x31] = 0x80).contains("byte 0x31"));
}

#[test]
fn an_impossible_state_is_refused() {
    assert_eq!(
        refused(|section| section.data[3] = 3),
        "parent_obj.version_id at 0: 3 found, 0 to 2 expected"
    );
    assert_eq!(
        refused(|section| section.data[275] = 2),
        "parent_obj.irq_state at 260: [1, 0, 0, 2] found, 0 or 1 expected for each pin"
    );
    assert!(refused(|section| section.data.truncate(100)).starts_with("parent_obj.config[0] at 4"));
}
