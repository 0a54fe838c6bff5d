//! Whatever a board says, it gets files, and they hold together.

mod common;

use common::inspect;
use firmware_acpi::{
    Board, FloppyDrive, Format, FwCfg, HotplugInterface, IsaDevice, MemoryHotplug, Numa, Occupant,
    Pci, PciBus, PciDevice, PciHotplug, PowerManagement, Processor, ProcessorHotplug, SmiPort,
    build,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn processor() -> impl Strategy<Value = Processor> {
    let id = prop_oneof![0..300_u32, any::<u32>()];
    (id, any::<bool>(), option::of(any::<u32>())).prop_map(|(apic_id, present, node)| Processor {
        apic_id,
        present,
        node,
    })
}

fn floppy() -> impl Strategy<Value = Option<FloppyDrive>> {
    option::of(any::<[u8; 4]>().prop_map(|[kind, last_cylinder, sectors, last_head]| FloppyDrive {
        kind,
        last_cylinder,
        sectors,
        last_head,
    }))
}

fn isa_device() -> impl Strategy<Value = IsaDevice> {
    let place = || (any::<u8>(), any::<u16>(), any::<u8>());
    prop_oneof![
        Just(IsaDevice::Keyboard),
        Just(IsaDevice::Clock),
        [floppy(), floppy()].prop_map(IsaDevice::Floppy),
        place().prop_map(|(number, port, irq)| IsaDevice::Serial { number, port, irq }),
        place().prop_map(|(number, port, irq)| IsaDevice::Parallel { number, port, irq }),
        any::<u16>().prop_map(|port| IsaDevice::Panic { port }),
    ]
}

fn bus() -> impl Strategy<Value = PciBus> {
    let leaf = vec(isa_device(), 0..4).prop_map(Occupant::IsaBridge).boxed();
    let leaf = prop_oneof![Just(Occupant::Other), Just(Occupant::Display), leaf];
    let occupant = leaf.prop_recursive(3, 16, 4, |inner| {
        let device = (any::<u8>(), 0..9_u8, any::<bool>(), inner).prop_map(into_device);
        (option::of(any::<u32>()), vec(device, 0..4))
            .prop_map(|(selector, devices)| Occupant::Bridge(PciBus { selector, devices }))
    });
    let device = (0..40_u8, 0..9_u8, any::<bool>(), occupant).prop_map(into_device);
    (option::of(any::<u32>()), vec(device, 0..8))
        .prop_map(|(selector, devices)| PciBus { selector, devices })
}

fn into_device(facts: (u8, u8, bool, Occupant)) -> PciDevice {
    let (slot, function, hotpluggable, occupant) = facts;
    PciDevice { slot, function, hotpluggable, occupant }
}

fn pci() -> impl Strategy<Value = Pci> {
    let windows = (any::<(u32, u32)>(), option::of(any::<(u64, u64)>()));
    let hotplug = option::of(any::<u16>().prop_map(|port| PciHotplug { port }));
    (any::<u8>(), windows, hotplug, bus()).prop_map(|(uid, (low, high), hotplug, root)| Pci {
        uid,
        low_window: low.0..=low.1,
        high_window: high.map(|(first, last)| first..=last),
        hotplug,
        root,
    })
}

fn power() -> impl Strategy<Value = PowerManagement> {
    let smi = option::of(any::<(u8, u8, u8)>());
    let ports = any::<(u16, u16, u16, u8)>();
    (ports, smi, any::<bool>(), option::of(any::<u8>())).prop_map(|(ports, smi, s3, s4)| {
        let (base, sci, gpe0, gpe0_length) = ports;
        let smi = smi.map(|(port, enable, disable)| SmiPort { port, enable, disable });
        PowerManagement { base, sci, smi, gpe0, gpe0_length, s3, s4 }
    })
}

fn memory() -> impl Strategy<Value = (Option<MemoryHotplug>, Option<Numa>)> {
    let hotplug = (0..300_u16, any::<u16>(), any::<u64>(), any::<u64>());
    let hotplug =
        hotplug.prop_map(|(slots, port, base, length)| MemoryHotplug { slots, port, base, length });
    let distances = option::of(vec(vec(any::<u8>(), 0..4), 0..4));
    let numa = (vec(any::<u64>(), 0..5), distances);
    let numa = numa.prop_map(|(nodes, distances)| Numa { nodes, distances });
    (option::of(hotplug), option::of(numa))
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Current),
        Just(Format::LongPointer),
        (0..1_u32 << 20).prop_map(|aml| Format::Legacy { aml }),
    ]
}

fn board() -> impl Strategy<Value = Board> {
    let processors = vec(processor(), 0..300);
    let plugging = (any::<bool>(), any::<u16>());
    let switches = any::<(bool, bool)>();
    let fw_cfg = option::of(any::<(u16, u8)>());
    (processors, plugging, switches, memory(), power(), pci(), fw_cfg, format()).prop_map(
        |(
            processors,
            (bitmap, port),
            (timer_override, hpet),
            memory,
            power,
            pci,
            fw_cfg,
            format,
        )| {
            let interface =
                if bitmap { HotplugInterface::Bitmap } else { HotplugInterface::Selector };
            let (memory_hotplug, numa) = memory;
            Board {
                processors,
                processor_hotplug: ProcessorHotplug { interface, port },
                timer_override,
                memory_hotplug,
                numa,
                power,
                pci,
                hpet,
                fw_cfg: fw_cfg.map(|(port, length)| FwCfg { port, length }),
                format,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn files_hold_together(board in board()) {
        let made = build(&board);
        let count = 6 + usize::from(board.hpet)
            + board.numa.as_ref().map_or(0, |numa| 1 + usize::from(numa.distances.is_some()));
        prop_assert_eq!(made.loader.len() % 4096, 0);
        prop_assert!(matches!(made.rsdp.len(), 20 | 36));
        if let Format::Legacy { .. } = board.format {
            prop_assert_eq!(made.tables.len() % 4096, 0);
        } else {
            prop_assert_eq!(made.tables.len() % (128 << 10), 0);
            let tables = inspect::tables(&made.tables);
            prop_assert_eq!(tables.len(), count);
            let (last, offset, length) = &tables[count - 1];
            prop_assert_eq!(last, "RSDT");
            prop_assert!(made.tables[offset + length..].iter().all(|byte| *byte == 0));
            let pointer = u32::from_le_bytes(made.rsdp[16..20].try_into().expect("four bytes"));
            prop_assert_eq!(pointer as usize, *offset);
        }
        prop_assert_eq!(build(&board), made);
    }

    #[test]
    fn only_what_firmware_sets_differs_with_it(board in board(), base: u16) {
        let made = build(&board);
        let mut programmed = board;
        programmed.power.base = base;
        let again = build(&programmed);
        prop_assert_eq!(made.tables.len(), again.tables.len());
        prop_assert_eq!(made.rsdp, again.rsdp);
        prop_assert_eq!(made.loader, again.loader);
        let differences = made.tables.iter().zip(&again.tables).filter(|(one, other)| one != other);
        prop_assert!(differences.count() <= 6);
    }
}

#[test]
fn buses_can_be_as_deep_as_they_can_be_numbered() {
    let mut bus = PciBus { selector: Some(256), devices: Vec::new() };
    for selector in (0..256).rev() {
        let occupant = Occupant::Bridge(bus);
        let bridge = PciDevice { slot: 3, function: 0, hotpluggable: false, occupant };
        bus = PciBus { selector: Some(selector), devices: vec![bridge] };
    }
    let case = common::cases().into_iter().find(|case| case.name == "7.2-bare").expect("it");
    let mut board = common::board::of(&case);
    board.pci.root = bus;
    let made = build(&board);
    let (_, _, length) = inspect::tables(&made.tables)[1];
    assert!(length > 256 * 3000, "{length} bytes for all buses");
}
