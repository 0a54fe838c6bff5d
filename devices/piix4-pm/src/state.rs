//! The saved state, as QEMU has it.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::description::Options;
use crate::gpe::Gpe;
use crate::hotplug::{Cpu, CpuHotplug, Dimm, MemoryHotplug, PciHotplug, Slots};
use crate::pm1::Pm1;
use crate::regs::{HostControl, HostStatus, PowerControl};
use crate::smbus::{I2cBus, IDLE, Smbus};
use crate::{Apm, Piix4Pm};

const PIIX4_PM: Shape = Shape::new("piix4_pm", 3, 3);
const APM_STATE: Shape = Shape::new("APM State", 1, 1);
const PMSMB: Shape = Shape::new("pmsmb", 1, 1);
const GPE: Shape = Shape::new("gpe", 1, 1);
const PCI_STATUS: Shape = Shape::new("acpi_pcihp_pci_status", 1, 1);
/// The form without hot-plug behind bridges.
const ROOT_STATUS: Shape = Shape::new("pci_status", 1, 1);
const MEMHP: Shape = Shape::new("piix4_pm/memhp", 1, 1);
const MEMORY: Shape = Shape::new("memory hotplug state", 1, 1);
const MEMORY_DEVICE: Shape = Shape::new("memory hotplug device state", 1, 1);
const CPUHP: Shape = Shape::new("piix4_pm/cpuhp", 1, 1);
const CPU: Shape = Shape::new("CPU hotplug state", 1, 1);
const CPU_DEVICE: Shape = Shape::new("CPU hotplug device state", 1, 1);
const I2C_BUS: Shape = Shape::new("i2c_bus", 1, 1);

impl Piix4Pm {
    pub(crate) fn declare(&mut self, sections: &mut Sections<'_>) {
        let Self { options, configuration, pm1, gpe, sci, apm, pci, cpu, memory, smbus } = self;
        let smbus_saved = Condition::new("smbus-migration", options.save_smbus);
        // QEMU makes the bus before the function; a target's section, which
        // needs to know who is addressed, comes after both.
        sections.section(I2C_BUS, Condition::ALWAYS, |f| {
            i2c_bus(f, &mut smbus.bus, options.save_smbus);
        });
        sections.section_with_path(PIIX4_PM, Condition::ALWAYS, |f| {
            configuration.function.state(f, "parent_obj");
            registers(f, pm1);
            f.structure("apm", APM_STATE, |f| {
                let Apm { control, status } = apm;
                f.u8("apmc", control);
                f.u8("apms", status);
            });
            f.when(smbus_saved, |f| f.structure("smb", PMSMB, |f| controller(f, smbus)));
            f.timer("ar.tmr.timer", &mut pm1.timer);
            f.i64("ar.tmr.overflow_time", &mut pm1.overflow_time);
            f.structure("ar.gpe", GPE, |f| {
                let Gpe { sts, en } = gpe;
                f.u16("sts", sts);
                f.u16("en", en);
            });
            pci_hotplug(f, pci, options);
            if f.is_loading() {
                // QEMU leaves the level of the line to the interrupt
                // controller's state. Here it follows from the registers ...
                *sci = pm1.asserts_sci(pm1.sts) || gpe.asserts_sci();
            }
            // ... unless they have changed since it was last looked at.
            f.private(|f| f.bool("sci", sci));
            let memory_saved = Condition::new("memory-hotplug-support", options.memory_hotplug);
            f.subsection(MEMHP, memory_saved, |f| memory_hotplug(f, memory));
            let switched = Condition::new("modern CPU hot-plug", !cpu.legacy);
            f.subsection(CPUHP, switched, |f| cpu_hotplug(f, cpu));
        });
    }
}

fn registers(f: &mut Fields<'_>, pm1: &mut Pm1) {
    f.u16("ar.pm1.evt.sts", &mut pm1.sts);
    f.u16("ar.pm1.evt.en", &mut pm1.en);
    let mut control = pm1.control.into_bits();
    f.u16("ar.pm1.cnt.cnt", &mut control);
    pm1.control = PowerControl::from_bits(control);
}

fn controller(f: &mut Fields<'_>, smbus: &mut Smbus) {
    let Smbus {
        stat,
        ctl,
        cmd,
        addr,
        data0,
        data1,
        index,
        data,
        auxctl,
        blkdata,
        i2c_enable,
        op_done,
        in_i2c_block_read,
        start_on_status_read,
        bus: _,
    } = smbus;
    let (mut status, mut control) = (stat.into_bits(), ctl.into_bits());
    f.u8("smb_stat", &mut status);
    f.u8("smb_ctl", &mut control);
    (*stat, *ctl) = (HostStatus::from_bits(status), HostControl::from_bits(control));
    f.u8("smb_cmd", cmd);
    f.u8("smb_addr", addr);
    f.u8("smb_data0", data0);
    f.u8("smb_data1", data1);
    f.u32("smb_index", index);
    f.u8s("smb_data", data);
    f.u8("smb_auxctl", auxctl);
    f.u8("smb_blkdata", blkdata);
    f.bool("i2c_enable", i2c_enable);
    f.bool("op_done", op_done);
    f.bool("in_i2c_block_read", in_i2c_block_read);
    f.bool("start_transaction_on_status_read", start_on_status_read);
}

fn pci_hotplug(f: &mut Fields<'_>, pci: &mut PciHotplug, options: &Options) {
    let bridges = Condition::new("acpi-pci-hotplug-with-bridge-support", options.bridges);
    let no_bridges = Condition::new("not acpi-pci-hotplug-with-bridge-support", !options.bridges);
    let PciHotplug { select, buses, acpi_index, .. } = pci;
    let slots = |f: &mut Fields<'_>, slots: &mut Slots| {
        let Slots { up, down } = slots;
        f.u32("up", up);
        f.u32("down", down);
    };
    f.when(no_bridges, |f| {
        let name = "acpi_pci_hotplug.acpi_pcihp_pci_status[0x0]";
        f.structures(name, ROOT_STATUS, &mut buses[..1], slots);
    });
    f.when(bridges, |f| {
        f.u32("acpi_pci_hotplug.hotplug_select", select);
        f.structures("acpi_pci_hotplug.acpi_pcihp_pci_status", PCI_STATUS, buses, slots);
        let saved = Condition::new("not x-not-migrate-acpi-index", options.save_acpi_index);
        f.when(saved, |f| f.u32("acpi_pci_hotplug.acpi_index", acpi_index));
    });
}

fn memory_hotplug(f: &mut Fields<'_>, memory: &mut MemoryHotplug) {
    let MemoryHotplug { selector, slots } = memory;
    f.structure("acpi_memory_hotplug", MEMORY, |f| {
        f.u32("selector", selector);
        f.structures("devs", MEMORY_DEVICE, slots, |f, slot| {
            let Dimm { is_enabled, is_inserting, ost_event, ost_status } = slot;
            f.bool("is_enabled", is_enabled);
            f.bool("is_inserting", is_inserting);
            f.u32("ost_event", ost_event);
            f.u32("ost_status", ost_status);
        });
    });
}

fn cpu_hotplug(f: &mut Fields<'_>, cpu: &mut CpuHotplug) {
    let CpuHotplug { legacy, selector, command, cpus } = cpu;
    f.structure("cpuhp_state", CPU, |f| {
        f.u32("selector", selector);
        f.u8("command", command);
        f.structures("devs", CPU_DEVICE, cpus, |f, cpu| {
            let Cpu { is_inserting, is_removing, fw_remove, ost_event, ost_status } = cpu;
            f.bool("is_inserting", is_inserting);
            f.bool("is_removing", is_removing);
            f.u32("ost_event", ost_event);
            f.u32("ost_status", ost_status);
            f.private(|f| f.bool("fw_remove", fw_remove));
        });
    });
    if f.is_loading() {
        // That it is there means that the guest has switched.
        *legacy = false;
    }
    f.private(|f| f.bool("cpu_hotplug_legacy", legacy));
}

fn i2c_bus(f: &mut Fields<'_>, bus: &mut I2cBus, saved: bool) {
    let mut address = bus.saved_address();
    target_address(f, "saved_address", &mut address);
    if f.is_loading() && saved {
        // Where the controller and the targets are not saved, QEMU drops the
        // transfer: no target is there to take it up.
        *bus = I2cBus::restored(address);
    }
    let I2cBus { target, broadcast } = bus;
    let mut number = target.unwrap_or(IDLE);
    f.private(|f| {
        target_address(f, "target", &mut number);
        f.bool("broadcast", broadcast);
    });
    *target = (number != IDLE).then_some(number);
}

/// The address of a target, or none.
fn target_address(f: &mut Fields<'_>, name: &'static str, address: &mut u8) {
    f.u8(name, address);
    f.check(*address == IDLE || *address < 0x80, || {
        format!("{address:#04x} found, an address below 0x80 or {IDLE:#04x} expected")
    });
}
