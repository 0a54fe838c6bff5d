use super::flat::flatten;
use super::tree::Kind;
use super::*;
use crate::component::Engine;
use crate::library::Library;
use crate::machine::Plan;
use crate::machine::file::{MachineTypes, Parameters};

fn ram(name: &str, range: (u64, u64), priority: i32) -> Region {
    Region::new(name, range, priority, Kind::Ram, Content::Itself)
}

fn alias(name: &str, range: (u64, u64), priority: i32, target: (&str, u64)) -> Region {
    let content = Content::Alias(target.0.into(), target.1);
    Region::new(name, range, priority, Kind::Ram, content)
}

fn container(range: (u64, u64), regions: Vec<Region>) -> Region {
    Region::new("root", range, 0, Kind::Io, Content::Container(regions))
}

/// First and last address, name, offset, and what it is made of.
fn flat(root: &Region, others: &[Region]) -> Vec<(u64, u64, String, u64, &'static str)> {
    let ranges = flatten(root, others);
    let each = |range: &flat::Range<'_>| {
        let name = range.region.name.clone();
        (range.first, range.last, name, range.offset, range.kind().name())
    };
    ranges.iter().map(each).collect()
}

#[test]
fn the_highest_priority_answers_and_then_the_last_one() {
    let regions =
        vec![ram("low", (0, 99), -1), ram("first", (10, 29), 0), ram("second", (20, 39), 0)];
    let root = container((0, u64::MAX), regions);
    let expected = [
        (0, 9, "low", 0, "ram"),
        (10, 19, "first", 0, "ram"),
        (20, 39, "second", 0, "ram"),
        (40, 99, "low", 40, "ram"),
    ];
    assert_eq!(
        flat(&root, &[]),
        expected.map(|(a, b, name, at, k)| (a, b, name.to_owned(), at, k))
    );
}

#[test]
fn aliases_show_parts_of_others_and_what_is_read_only_stays_so() {
    let mut read_only = alias("window", (10, 19), 1, ("ram", 10));
    read_only.read_only = true;
    let inner = Region {
        priority: -1,
        ..Region::new("bus", (0, 99), -1, Kind::Io, Content::Container(vec![ram("rom", (5, 8), 0)]))
    };
    let regions = vec![
        inner,
        alias("below", (0, 49), 0, ("ram", 0)),
        alias("above", (60, 69), 0, ("ram", 50)),
        read_only,
        // Where nothing is behind it, what is below shows.
        alias("hole", (4, 7), 1, ("bus", 4)),
        alias("nothing", (80, 81), 1, ("nowhere", 0)),
    ];
    let root = container((0, 99), regions);
    let expected = [
        (0, 4, "ram", 0, "ram"),
        (5, 7, "rom", 0, "ram"),
        (8, 9, "ram", 8, "ram"),
        (10, 19, "ram", 10, "rom"),
        (20, 49, "ram", 20, "ram"),
        (60, 69, "ram", 50, "ram"),
    ];
    let own = flat(&root, &[ram("ram", (0, 59), 0)]);
    assert_eq!(own, expected.map(|(a, b, name, at, k)| (a, b, name.to_owned(), at, k)));
}

#[test]
fn the_last_address_is_an_address() {
    let root = container((0, u64::MAX), vec![ram("top", (u64::MAX - 1, u64::MAX), 0)]);
    let top = (u64::MAX - 1, u64::MAX, "top".to_owned(), 0, "ram");
    assert_eq!(flat(&root, &[]), [top]);
}

#[test]
fn ram_above_4_gib_and_firmware_have_their_places() {
    let library = Library::new(Engine::new(None).unwrap());
    let types = MachineTypes::builtin().unwrap();
    let parameters = Parameters::new(2, 5 << 30);
    let plan = Plan::new(types.get("pc").unwrap(), &[], &library, parameters).unwrap();
    let machine = Machine::build_alone(&plan).unwrap();
    let trees = Trees::of(&machine, 256 << 10, true);
    let text = trees.text();
    for line in [
        "    0000000000000000-00000000bfffffff (prio 0, ram): alias ram-below-4g @pc.ram \
         0000000000000000-00000000bfffffff parent:{obj path=/machine/unattached}",
        "    0000000100000000-000000017fffffff (prio 0, ram): alias ram-above-4g @pc.ram \
         00000000c0000000-000000013fffffff parent:{obj path=/machine/unattached}",
        "      00000000000e0000-00000000000fffff (prio 1, rom): alias isa-bios @pc.bios \
         0000000000020000-000000000003ffff parent:{obj path=/machine/unattached}",
        "      00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios \
         parent:{obj path=/machine/unattached}",
        "memory-region: pc.bios",
        "  0000000000000000-000000013fffffff (prio 0, ram): pc.ram owner:{obj path=/objects/pc.ram}",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    let flat = Trees::of(&machine, 256 << 10, false).flat_text();
    for line in [
        "  00000000000e0000-00000000000fffff (prio 0, rom): pc.bios @0000000000020000",
        "  0000000000100000-00000000bfffffff (prio 0, ram): pc.ram @0000000000100000",
        "  00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios",
        "  0000000100000000-000000017fffffff (prio 0, ram): pc.ram @00000000c0000000",
    ] {
        assert!(flat.lines().any(|own| own == line), "{line}\n{flat}");
    }
}
