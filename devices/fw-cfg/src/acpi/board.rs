//! The board that the properties mean.

use std::ops::RangeInclusive;

use firmware_acpi::{
    Board, FwCfg, Occupant, Pci, PciBus, PciDevice, PciHotplug, PowerManagement, Processor,
    ProcessorHotplug, SmiPort,
};

use super::isa;
use crate::config::{Config, GIB};
use crate::devices::{Devices, Listed, PciAddress};

/// Where QEMU has the registers of its i440FX machines.
const PROCESSOR_HOTPLUG: u16 = 0xaf00;
const PCI_HOTPLUG: u16 = 0xae00;
const GPE0: u16 = 0xafe0;
const GPE0_LENGTH: u8 = 4;

/// The interrupt of the PIIX4's events (PIIX4 data sheet, 7.2).
const SCI: u16 = 9;

/// The port APMC, and what QEMU's firmware knows there.
const SMI: SmiPort = SmiPort { port: 0xb2, enable: 0xf1, disable: 0xf0 };

/// Ports with and without DMA.
const FW_CFG: u16 = 0x510;
const WITH_DMA: u8 = 12;
const WITHOUT_DMA: u8 = 2;

/// The first address of the interrupt controllers and of firmware.
const END_OF_LOW_WINDOW: u64 = 0xfec0_0000;

/// None: not an i440FX with a PIIX3 and a PIIX4's power management.
pub(super) fn of(config: &Config) -> Result<Option<Board>, String> {
    let devices = &config.devices;
    let chipset = ["i440fx", "piix3"].iter().all(|name| devices.find(name).is_some());
    let Some(pm) = devices.find("piix4-pm").filter(|_| chipset) else { return Ok(None) };
    let layout = &config.layout;
    Ok(Some(Board {
        processors: processors(config),
        processor_hotplug: ProcessorHotplug {
            interface: layout.processor_hotplug,
            port: PROCESSOR_HOTPLUG,
        },
        timer_override: true,
        memory_hotplug: None,
        numa: None,
        power: power(config, pm)?,
        pci: pci(config, pm)?,
        hpet: config.hpet,
        fw_cfg: Some(FwCfg {
            port: FW_CFG,
            length: if config.dma { WITH_DMA } else { WITHOUT_DMA },
        }),
        format: layout.format,
    }))
}

fn processors(config: &Config) -> Vec<Processor> {
    let topology = &config.topology;
    let processor = |index| Processor {
        apic_id: topology.apic_id(index),
        present: index < topology.present,
        node: None,
    };
    (0..topology.most).map(processor).collect()
}

fn power(config: &Config, pm: &Listed) -> Result<PowerManagement, String> {
    let smm = pm.get("smm-enabled", false)? || pm.get("smm-compat", false)?;
    Ok(PowerManagement {
        base: config.layout.pm_base,
        sci: SCI,
        smi: smm.then_some(SMI),
        gpe0: GPE0,
        gpe0_length: GPE0_LENGTH,
        s3: config.s3,
        s4: config.s4.then_some(config.s4_value),
    })
}

fn pci(config: &Config, pm: &Listed) -> Result<Pci, String> {
    let bridges = pm.get("acpi-pci-hotplug-with-bridge-support", true)?;
    let root = pm.get("acpi-root-pci-hotplug", true)?;
    Ok(Pci {
        uid: config.layout.pci_root_uid,
        low_window: low_window(config.ram.below_4g)?,
        high_window: high_window(config)?,
        hotplug: (root || bridges).then_some(PciHotplug { port: PCI_HOTPLUG }),
        root: PciBus { selector: root.then_some(0), devices: root_bus(&config.devices)? },
    })
}

fn low_window(end_of_memory: u64) -> Result<RangeInclusive<u32>, String> {
    if end_of_memory >= END_OF_LOW_WINDOW {
        return Err(format!(
            "property below-4g-mem-size: {end_of_memory:#x}, \
             expected less than {END_OF_LOW_WINDOW:#x} where there is ACPI"
        ));
    }
    Ok(end_of_memory as u32..=(END_OF_LOW_WINDOW - 1) as u32)
}

/// What is behind memory and the room for more of it.
fn high_window(config: &Config) -> Result<Option<RangeInclusive<u64>>, String> {
    let Some(size) = config.layout.high_window else { return Ok(None) };
    let end_of_memory = match config.reserved_memory_end {
        0 => config.ram.above_4g_start + config.ram.above_4g,
        end => end,
    };
    let whole = |address: u64| address.checked_next_multiple_of(GIB);
    let bounds = || {
        let first = whole(end_of_memory)?;
        let end = whole(first.checked_add(size)?)?;
        Some(first..=end - 1)
    };
    let refusal = || format!("property reserved-memory-end: {end_of_memory:#x}, no room above it");
    bounds().map(Some).ok_or_else(refusal)
}

fn root_bus(devices: &Devices) -> Result<Vec<PciDevice>, String> {
    let mut bus: Vec<PciDevice> = Vec::new();
    for device in &devices.0 {
        let host_bridge = (device.component == "i440fx").then_some(PciAddress::default());
        let Some(PciAddress { slot, function }) = device.pci.or(host_bridge) else { continue };
        if bus.iter().any(|other| (other.slot, other.function) == (slot, function)) {
            return Err(format!(
                "property devices: {} at {slot:02x}.{function}, where another one is",
                device.component
            ));
        }
        let (hotpluggable, occupant) = match &*device.component {
            "piix3" => (false, Occupant::IsaBridge(isa::bus(devices)?)),
            "vga" => (false, Occupant::Display),
            "secondary-vga" => (true, Occupant::Display),
            "i440fx" | "piix3-ide" | "piix4-pm" => (false, Occupant::Other),
            "cirrus-vga" | "qxl-vga" | "virtio-vga" | "vmware-svga" => (false, Occupant::Other),
            _ => (true, Occupant::Other),
        };
        bus.push(PciDevice { slot, function, hotpluggable, occupant });
    }
    Ok(bus)
}
