//! One device that has a field of every kind, saved, loaded and described.

use proptest::prelude::*;

use super::{Condition, Sections, Shape, describe};
use crate::describe::device;
use crate::fake::Bench;
use crate::wit::{Attachment, Description, Refusal, Scope, Section, Structure};
use crate::{Context, Device, Properties};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pair {
    a: u16,
    b: u8,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Everything {
    byte: u8,
    words: [u16; 2],
    double: u32,
    long: u64,
    signed: i32,
    offset: i64,
    truth: bool,
    deadline: Option<u64>,
    bytes: [u8; 3],
    version: i32,
    pairs: [Pair; 2],
    single: Pair,
    late: u8,
    extra: u16,
    has_extra: bool,
    secret: u8,
    inner: u8,
    has_inner: bool,
    outer: u8,
    has_outer: bool,
    lone: u8,
    has_lone: bool,
}

const MAIN: Shape = Shape::new("main", 3, 2);
const PAIR: Shape = Shape::new("pair", 1, 1);
const NEST: Shape = Shape::new("nest", 1, 1);
const LONE: Shape = Shape::new("lone", 1, 1);

impl Device for Everything {
    fn describe() -> Description {
        device("everything", "0", "", Attachment::System)
    }

    fn configure(_: &Properties, _: &mut Context<'_>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn reset(&mut self, _: &mut Context<'_>) {
        *self = Self { late: 0x1a, ..Self::default() };
    }

    fn io_read(&mut self, _: &mut Context<'_>, _: u32, _: u64, _: u8) -> u64 {
        0
    }

    fn io_write(&mut self, _: &mut Context<'_>, _: u32, _: u64, _: u8, _: u64) {}

    fn state(&mut self, sections: &mut Sections<'_>) {
        let pair = |f: &mut super::Fields<'_>, p: &mut Pair| {
            f.u16("a", &mut p.a);
            f.u8("b", &mut p.b);
        };
        let (has_extra, has_inner, has_outer) = (self.has_extra, self.has_inner, self.has_outer);
        sections.section_with_path(MAIN, Condition::ALWAYS, |f| {
            f.u8("byte", &mut self.byte);
            f.u16s("words", &mut self.words);
            f.u32("double", &mut self.double);
            f.u64("long", &mut self.long);
            f.i32("signed", &mut self.signed);
            f.i64("offset", &mut self.offset);
            f.bool("truth", &mut self.truth);
            f.timer("deadline", &mut self.deadline);
            f.buffer("bytes", "buffer", &mut self.bytes);
            f.unused(2);
            f.i32_equal("size", 7);
            f.i32_at_most("version", 2);
            f.structures("pairs", PAIR, &mut self.pairs, pair);
            f.structure("nest", NEST, |f| {
                f.structure("single", PAIR, |f| pair(f, &mut self.single));
                let needed = Condition::new("inner", has_inner);
                f.subsection(Shape::new("nest/inner", 1, 1), needed, |f| {
                    f.u8("inner", &mut self.inner);
                });
            });
            f.since(3, |f| f.u8("late", &mut self.late));
            f.when(Condition::new("extra", has_extra), |f| f.u16("extra", &mut self.extra));
            f.private(|f| f.u8("secret", &mut self.secret));
            f.subsection(Shape::new("main/outer", 2, 2), Condition::new("outer", has_outer), |f| {
                f.u8("outer", &mut self.outer);
                f.check(self.outer < 0xf0, || {
                    format!("{:#x} found, below 0xf0 expected", self.outer)
                });
            });
        });
        sections.section(LONE, Condition::new("lone", self.has_lone), |f| {
            f.u8("lone", &mut self.lone);
        });
    }

    fn loaded(&mut self, _: &mut Context<'_>) -> Result<(), String> {
        if self.byte == 0xee { Err("byte 0xee does not go with anything".into()) } else { Ok(()) }
    }
}

fn sample() -> Everything {
    Everything {
        byte: 1,
        words: [0x0203, 0x0405],
        double: 0x0607_0809,
        long: 0x0a0b_0c0d_0e0f_1011,
        signed: -2,
        offset: -3,
        truth: true,
        deadline: Some(0x1234),
        bytes: [0x21, 0x22, 0x23],
        version: 0,
        pairs: [Pair { a: 0x3132, b: 0x33 }, Pair { a: 0x3435, b: 0x36 }],
        single: Pair { a: 0x4142, b: 0x43 },
        late: 0x51,
        extra: 0x5253,
        secret: 0x54,
        inner: 0x61,
        outer: 0x62,
        lone: 0x71,
        ..Everything::default()
    }
}

fn bench(device: Everything) -> Bench<Everything> {
    let mut bench = Bench::configured(&[]);
    bench.device = device;
    bench
}

fn load(scope: Scope, sections: Vec<Section>) -> Result<Everything, Refusal> {
    let mut bench = Bench::<Everything>::configured(&[]);
    bench.load(scope, sections).map(|()| bench.device)
}

/// The main section of the sample, changed.
fn main_section(change: impl FnOnce(&mut Section)) -> Vec<Section> {
    let mut sections = bench(sample()).save(Scope::Stream);
    assert_eq!(sections.len(), 1);
    change(&mut sections[0]);
    sections
}

fn subsection(name: &str, version: u8, fields: &[u8]) -> Vec<u8> {
    [&[5, name.len() as u8], name.as_bytes(), &[0, 0, 0, version], fields].concat()
}

/// Offset of the end of what precedes `nest/inner` in the main section.
const INNER_AT: usize = 1 + 4 + 4 + 8 + 4 + 8 + 1 + 8 + 3 + 2 + 4 + 4 + 6 + 3;

#[test]
fn fields_are_packed_in_order() {
    let expected = [
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11][..],
        &[0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd],
        &[1, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x21, 0x22, 0x23, 0, 0],
        &[0, 0, 0, 7, 0, 0, 0, 2, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x41, 0x42, 0x43],
        &[0x51],
    ];
    let sections = main_section(|_| ());
    assert_eq!((&*sections[0].name, sections[0].version), ("main", 3));
    assert_eq!(sections[0].data, expected.concat());
}

#[test]
fn what_is_absent_keeps_its_value_after_a_reset() {
    let loaded = load(Scope::Stream, main_section(|_| ())).expect("its own state");
    let expected = Everything { extra: 0, secret: 0, inner: 0, outer: 0, lone: 0, ..sample() };
    assert_eq!(loaded, expected);
    assert_eq!(load(Scope::Stream, Vec::new()).expect("nothing").late, 0x1a);
}

#[test]
fn the_whole_scope_has_everything() {
    let sections = bench(sample()).save(Scope::Whole);
    assert_eq!(sections.len(), 2);
    assert_eq!(load(Scope::Whole, sections).expect("its own state"), sample());
}

#[test]
fn subsections_come_when_needed_inside_out() {
    let with = Everything { has_inner: true, has_outer: true, has_lone: true, ..sample() };
    let sections = bench(with).save(Scope::Stream);
    let without = main_section(|_| ())[0].data.clone();
    let expected = [
        &without[..INNER_AT],
        &subsection("nest/inner", 1, &[0x61]),
        &without[INNER_AT..],
        &subsection("main/outer", 2, &[0x62]),
    ];
    assert_eq!(sections[0].data, expected.concat());
    assert_eq!(sections[1].data, [0x71]);
    let loaded = load(Scope::Stream, sections).expect("its own state");
    assert_eq!((loaded.inner, loaded.outer, loaded.lone), (0x61, 0x62, 0x71));
}

#[test]
fn versions_decide() {
    let older = main_section(|section| {
        section.version = 2;
        section.data.pop();
    });
    assert_eq!(load(Scope::Stream, older).expect("version 2").late, 0x1a);
    for version in [1, 4, u32::MAX] {
        let refusal = load(Scope::Stream, main_section(|section| section.version = version));
        let expected = format!("version {version} found, 2 to 3 expected");
        assert_eq!(refusal.expect_err("refused").reason, expected);
    }
}

/// Loads the changed main section and returns field, offset and reason.
fn refused(change: impl FnOnce(&mut Vec<u8>)) -> (String, u32, String) {
    let sections = main_section(|section| change(&mut section.data));
    let Refusal { section, field, offset, reason } =
        load(Scope::Stream, sections).expect_err("refused");
    assert_eq!(section, "main");
    (field, offset, reason)
}

#[test]
fn a_cut_at_any_byte_is_refused_where_it_is() {
    let with = Everything { has_inner: true, has_outer: true, ..sample() };
    let full = bench(with).save(Scope::Stream).remove(0).data;
    let inner = subsection("nest/inner", 1, &[0x61]).len();
    // Where a subsection may be missing, a cut leaves a legal state. So does one
    // after the first subsection's marker, which the format cannot tell from a
    // field (`late`).
    let legal = [INNER_AT + 1, INNER_AT + inner + 1];
    assert_eq!(legal[1] + subsection("main/outer", 2, &[0]).len(), full.len());
    for end in 0..full.len() {
        let mut section = main_section(|_| ()).remove(0);
        section.data = full[..end].to_vec();
        match load(Scope::Stream, vec![section]) {
            Ok(_) => assert!(legal.contains(&end), "cut at {end}"),
            Err(refusal) => {
                assert!(refusal.offset as usize <= end, "cut at {end}: {refusal:?}");
                assert!(!refusal.reason.is_empty());
                assert!(!legal.contains(&end), "cut at {end}");
            }
        }
    }
}

#[test]
fn an_error_names_the_field_and_its_offset() {
    let truncated = refused(|data| data.truncate(INNER_AT - 1));
    let reason = "truncated: 1 bytes expected, 0 left".to_string();
    assert_eq!(truncated, ("nest.single.b".into(), INNER_AT as u32 - 1, reason));

    let size_at = 1 + 4 + 4 + 8 + 4 + 8 + 1 + 8 + 3 + 2;
    let unequal = refused(|data| data[size_at + 3] = 8);
    assert_eq!(unequal, ("size".into(), size_at as u32, "8 found, 7 expected".into()));
    let above = refused(|data| data[size_at + 7] = 3);
    assert_eq!(above, ("version".into(), size_at as u32 + 4, "3 found, 0 to 2 expected".into()));

    let end = INNER_AT + 1;
    let illegal = refused(|data| data.extend(subsection("main/outer", 2, &[0xf0])));
    let at = (end + 2 + "main/outer".len() + 4) as u32;
    let reason = "0xf0 found, below 0xf0 expected".to_string();
    assert_eq!(illegal, ("main/outer.outer".into(), at, reason));
    let old = refused(|data| data.extend(subsection("main/outer", 1, &[0])));
    let reason = "version 1 found, 2 to 2 expected".to_string();
    assert_eq!(old, ("main/outer".into(), end as u32, reason));
}

#[test]
fn what_is_left_over_is_named() {
    let end = INNER_AT as u32 + 1;
    let reason = |name: &str| format!("unknown or misplaced subsection {name:?}");
    assert_eq!(refused(|data| data.push(9)), (String::new(), end, "1 bytes left over".into()));
    for name in ["main/new", "nest/inner", "other/x"] {
        let found = refused(|data| data.extend(subsection(name, 1, &[1])));
        assert_eq!(found, (String::new(), end, reason(name)));
    }
    let twice = subsection("main/outer", 2, &[1]);
    let found = refused(|data| data.extend([&twice[..], &twice].concat()));
    assert_eq!(found, (String::new(), end + twice.len() as u32, reason("main/outer")));
}

#[test]
fn sections_are_known_and_come_once() {
    let refusal = |sections| load(Scope::Stream, sections).expect_err("refused");
    let twice = [main_section(|_| ()), main_section(|_| ())].concat();
    let unknown = Section { name: "unknown".into(), version: 1, data: Vec::new() };
    for (sections, name) in [(twice, "main"), (vec![unknown], "unknown")] {
        let Refusal { section, reason, .. } = refusal(sections);
        assert_eq!(section, name);
        assert_eq!(reason, "unknown section, or the section is there twice");
    }
    let Refusal { section, reason, .. } = refusal(main_section(|section| section.data[0] = 0xee));
    assert_eq!((&*section, &*reason), ("", "byte 0xee does not go with anything"));
}

/// A device with two sections of one name, as a pair of chips has.
#[derive(Debug, Default, PartialEq)]
struct Twins {
    other: u8,
    bytes: [u8; 2],
}

impl Device for Twins {
    fn describe() -> Description {
        device("twins", "0", "", Attachment::System)
    }

    fn configure(_: &Properties, _: &mut Context<'_>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn reset(&mut self, _: &mut Context<'_>) {}

    fn io_read(&mut self, _: &mut Context<'_>, _: u32, _: u64, _: u8) -> u64 {
        0
    }

    fn io_write(&mut self, _: &mut Context<'_>, _: u32, _: u64, _: u8, _: u64) {}

    fn state(&mut self, sections: &mut Sections<'_>) {
        sections.section(PAIR, Condition::ALWAYS, |f| f.u8("byte", &mut self.other));
        for byte in &mut self.bytes {
            sections.section(LONE, Condition::ALWAYS, |f| f.u8("byte", byte));
        }
    }

    fn loaded(&mut self, _: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn sections_of_one_name_are_taken_in_order() {
    let mut bench = Bench::<Twins>::new();
    bench.device = Twins { other: 1, bytes: [2, 3] };
    let saved = bench.save(Scope::Stream);
    let mut loaded = Bench::<Twins>::configured(&[]);
    loaded.load(Scope::Stream, saved).expect("its own state");
    assert_eq!(loaded.device, bench.device);
}

#[test]
fn the_description_says_the_same() {
    let description = describe(&mut Bench::<Everything>::configured(&[]).device);
    let rows = &description.structures;
    let row = |name: &str| rows.iter().find(|row| row.name == name).expect(name);
    assert_eq!(rows.iter().filter(|row| row.name == "pair").count(), 1, "one row for all pairs");
    let [main, lone] = &description.sections[..] else { panic!("two sections expected") };
    assert_eq!((&*main.name, main.has_path, &main.condition), ("main", true, &None));
    assert_eq!((&*lone.name, lone.has_path), ("lone", false));
    assert_eq!(lone.condition.as_deref(), Some("lone"));

    let size = |row: &Structure, whole: bool| -> u32 {
        let there = row.fields.iter().filter(|field| whole || field.condition.is_none());
        there.map(|field| field.size * field.count).sum()
    };
    assert_eq!(size(row("main"), false) as usize, main_section(|_| ())[0].data.len());
    let whole = bench(sample()).save(Scope::Whole).remove(0).data.len();
    let added = subsection("nest/inner", 1, &[0]).len() + subsection("main/outer", 2, &[0]).len();
    assert_eq!(size(row("main"), true) as usize, whole - added);

    let field = |name: &str| row("main").fields.iter().find(|f| f.name == name).expect(name);
    assert_eq!((field("words").size, field("words").count), (2, 2));
    assert_eq!((field("pairs").size, field("pairs").count), (3, 2));
    assert_eq!(rows[field("pairs").structure.expect("a row") as usize].name, "pair");
    assert_eq!((field("late").version, field("byte").version), (3, 0));
    assert_eq!(field("extra").condition.as_deref(), Some("extra"));
    assert_eq!(field("secret").condition.as_deref(), Some("not in QEMU's stream"));
    let types = ["uint8", "uint16", "uint32", "uint64", "int32", "int64", "bool", "timer"];
    assert!(row("main").fields.iter().map(|f| &*f.type_name).take(8).eq(types));
    let subsection = |row: &Structure| rows[row.subsections[0] as usize].name.clone();
    assert_eq!(subsection(row("main")), "main/outer");
    assert_eq!(subsection(row("nest")), "nest/inner");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_a_saved_state_is_loaded_or_refused(
        whole: bool,
        has: [bool; 3],
        version in 0u32..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let [has_inner, has_outer, has_lone] = has;
        let scope = || if whole { Scope::Whole } else { Scope::Stream };
        let device = Everything { has_inner, has_outer, has_lone, ..sample() };
        let mut sections = bench(device).save(scope());
        let section = &mut sections[0];
        section.version = version;
        for (index, value) in changes {
            let index = index.index(section.data.len());
            section.data[index] = value;
        }
        if let Some(cut) = cut {
            section.data.truncate(cut.index(section.data.len()));
        }
        section.data.extend(more);
        let length = section.data.len();
        match load(scope(), sections) {
            // What is loaded can be saved and loaded again.
            Ok(device) => {
                let again = load(Scope::Whole, bench(device.clone()).save(Scope::Whole));
                prop_assert_eq!(again.expect("its own state"), device);
            }
            Err(refusal) => {
                prop_assert!(refusal.offset as usize <= length);
                prop_assert!(!refusal.reason.is_empty());
            }
        }
    }
}
