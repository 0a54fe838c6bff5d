use std::sync::Arc;

use access::{Rules, Sizes};
use proptest::prelude::*;

use super::{AddressSpace, Mapping, Overlap, SpaceKind};
use crate::builtin;
use crate::clock::Clock;
use crate::component::{
    Effects, Engine, Image, Interface, Limits, PropertyValue, Resources, SlotId,
};
use crate::slot::{GivenProperty, Setting, Slot};

/// Slots with a device that reads as its slot's number.
fn slots(count: u32) -> Vec<Arc<Slot>> {
    let bytes = builtin::component("debugcon").unwrap();
    let image = Engine::new(None).unwrap().load(bytes).unwrap();
    (0..count).map(|id| Arc::new(slot(id, &image))).collect()
}

fn slot(id: u32, image: &Image) -> Slot {
    let value = PropertyValue::Number(id.into());
    let setting = Setting {
        id: SlotId(id),
        name: format!("slot{id}").into(),
        grants: [Interface::Streams].into(),
        properties: vec![GivenProperty { name: "readback".into(), value }],
        resources: Resources::none(),
        media: Arc::default(),
        limits: Limits::default(),
    };
    Slot::plug(setting, Arc::new(Clock::manual()), image, &mut Effects::new()).unwrap()
}

fn mapping(slot: &Arc<Slot>, region: u32, base: u64, size: u64, priority: u8) -> Mapping {
    let bytes = Sizes { min: 1, max: 1, unaligned: false };
    Mapping {
        slot: slot.clone(),
        region,
        name: format!("region{region}").into(),
        base,
        last: base + (size - 1),
        priority,
        rules: Rules { valid: bytes, implemented: bytes },
        backing: None,
    }
}

fn read(space: &AddressSpace, address: u64, size: u8) -> u64 {
    space.read(address, size, &mut Effects::new())
}

#[test]
fn where_nothing_is_mapped_ports_are_ones_and_memory_is_zeros() {
    let (ports, memory) =
        (AddressSpace::new(SpaceKind::Port), AddressSpace::new(SpaceKind::Memory));
    for (size, ones) in [(1, 0xff), (2, 0xffff), (4, 0xffff_ffff), (8, u64::MAX)] {
        assert_eq!(read(&ports, 0, size), ones);
        // As in QEMU there are no ports beyond the last one that could float.
        assert_eq!(read(&ports, 0xffff, size), 0xff);
        for address in [0, u64::MAX] {
            assert_eq!(read(&memory, address, size), 0);
        }
    }
    for space in [ports, memory] {
        space.write(0, 4, 0, &mut Effects::new());
    }
}

#[test]
fn the_higher_priority_answers_then_the_one_mapped_last() {
    let slots = slots(3);
    let space = AddressSpace::new(SpaceKind::Port);
    space.map(mapping(&slots[0], 0, 0x10, 0x10, 1));
    space.map(mapping(&slots[1], 0, 0x18, 0x10, 0));
    space.map(mapping(&slots[2], 0, 0x14, 2, 1));
    let owners = |space: &AddressSpace| {
        [0x0f, 0x10, 0x13, 0x14, 0x15, 0x16, 0x1f, 0x20, 0x27, 0x28].map(|at| read(space, at, 1))
    };
    assert_eq!(owners(&space), [0xff, 0, 0, 2, 2, 0, 0, 1, 1, 0xff]);
    // To map a region again, where it is, puts it on top.
    space.map(mapping(&slots[0], 0, 0x10, 0x10, 1));
    assert_eq!(owners(&space), [0xff, 0, 0, 0, 0, 0, 0, 1, 1, 0xff]);
    space.unmap(&slots[0], 0);
    assert_eq!(owners(&space), [0xff, 0xff, 0xff, 2, 2, 0xff, 1, 1, 1, 0xff]);
    // Another region of the same device is not touched.
    space.unmap(&slots[2], 1);
    assert_eq!(read(&space, 0x14, 1), 2);
}

#[test]
fn a_wide_access_is_cut_where_the_regions_are() {
    let slots = slots(3);
    for kind in [SpaceKind::Port, SpaceKind::Memory] {
        let space = AddressSpace::new(kind);
        for (slot, base) in slots.iter().zip([0x10, 0x11, 0x13]) {
            space.map(mapping(slot, 0, base, 1, 0));
        }
        assert_eq!(read(&space, 0x10, 2), 0x0100);
        // As in QEMU an access to nothing is not cut: the byte at 0x13 belongs
        // to what begins at 0x12.
        let nothing = if kind == SpaceKind::Port { 0xffff } else { 0 };
        assert_eq!(read(&space, 0x10, 4), nothing << 16 | 0x0100);
        assert_eq!(read(&space, 0x13, 2), (nothing & 0xff) << 8 | 0x02);
    }
}

#[test]
fn a_space_ends_where_it_ends() {
    let slots = slots(1);
    let image = slots[0].image();
    let mut region = image.description().regions[0].clone();
    region.size = 0x10;
    let limit = SpaceKind::Port.last();
    let ports = AddressSpace::new(SpaceKind::Port);
    ports.map(Mapping::new(&slots[0], 0, &region, 0xfff8, 0, limit).unwrap());
    assert_eq!(ports.mappings()[0].last, 0xffff);
    assert_eq!([read(&ports, 0xffff, 1), read(&ports, 0, 1)], [0, 0xff]);
    assert!(Mapping::new(&slots[0], 0, &region, 0x1_0000, 0, limit).is_none());

    let memory = AddressSpace::new(SpaceKind::Memory);
    let last = u64::MAX - 0xf;
    memory.map(Mapping::new(&slots[0], 0, &region, last, 0, u64::MAX).unwrap());
    assert_eq!([read(&memory, u64::MAX, 1), memory.mappings()[0].last], [0, u64::MAX]);
    assert!(Mapping::new(&slots[0], 0, &region, last + 1, 0, u64::MAX).is_none());
}

#[test]
fn an_overlap_is_reported_with_the_names() {
    let slots = slots(3);
    let space = AddressSpace::new(SpaceKind::Port);
    space.map(mapping(&slots[0], 0, 0x10, 0x10, 0));
    space.map(mapping(&slots[1], 0, 0x20, 0x10, 0));
    space.map(mapping(&slots[2], 3, 0x18, 0x10, 1));
    assert_eq!(space.overlap(), None, "one lies over the others on purpose");
    space.map(mapping(&slots[1], 0, 0x1f, 0x10, 0));
    let named = |slot: &str, region: &str| (slot.into(), region.into());
    let expected = Overlap {
        first: named("slot0", "region0"),
        second: named("slot1", "region0"),
        address: 0x1f,
    };
    assert_eq!(space.overlap(), Some(expected));
}

/// A change of a space: which slot, which region, and where it goes.
type Change = (usize, u32, Option<(u64, u64, u8)>);

fn change() -> impl Strategy<Value = Change> {
    let place = (0_u64..0x40, 1_u64..0x20, 0_u8..3);
    (0_usize..4, 0_u32..3, prop::option::weighted(0.8, place))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The space against a model that looks at every mapping for every address.
    #[test]
    fn a_space_answers_as_its_mappings_say(
        changes in prop::collection::vec(change(), 1..20)
    ) {
        let slots = slots(4);
        for kind in [SpaceKind::Port, SpaceKind::Memory] {
            let space = AddressSpace::new(kind);
            let mut model: Vec<(usize, u32, u64, u64, u8)> = Vec::new();
            for &(slot, region, place) in &changes {
                model.retain(|&(other, known, ..)| (other, known) != (slot, region));
                match place {
                    Some((base, size, priority)) => {
                        space.map(mapping(&slots[slot], region, base, size, priority));
                        model.push((slot, region, base, size, priority));
                    }
                    None => space.unmap(&slots[slot], region),
                }
                for address in 0..0x70 {
                    let covers = |entry: &&(usize, u32, u64, u64, u8)| {
                        (entry.2..entry.2 + entry.3).contains(&address)
                    };
                    // Of equals, the last one.
                    let answers = model.iter().filter(covers).max_by_key(|entry| entry.4);
                    let nothing = if kind == SpaceKind::Port { 0xff } else { 0 };
                    let expected = answers.map_or(nothing, |entry| entry.0 as u64);
                    prop_assert_eq!(read(&space, address, 1), expected, "at {:#x}", address);
                }
            }
        }
    }
}
