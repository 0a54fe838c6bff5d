//! What is not a stream is refused, with the place and the reason.

use crate::data::{golden, named};
use vmstate::{Devices, Error, Layouts, Problem, Scanner, Section, Stream, Value};

fn read(bytes: &[u8]) -> Result<Stream, Error> {
    Stream::read(bytes, Layouts::builtin())
}

/// How a stream is refused.
fn refused(bytes: &[u8]) -> (u64, Problem) {
    let error = read(bytes).unwrap_err();
    (error.offset, error.problem)
}

/// A machine of two small devices.
fn small() -> Devices {
    let section = |id, name: &str, version, payload: &[u8]| Section {
        id,
        name: name.to_owned(),
        instance: 0,
        version,
        payload: payload.to_vec(),
        offset: 0,
    };
    let sections = vec![section(3, "port92", 1, &[1]), section(7, "PCIHost", 1, &[2; 4])];
    Devices { footers: true, sections, description: None }
}

fn bytes(devices: &Devices) -> Vec<u8> {
    [b"QEVM\0\0\0\x03".as_slice(), &devices.write()].concat()
}

#[test]
fn the_small_machine_is_accepted() {
    let devices = read(&bytes(&small())).unwrap().devices;
    assert_eq!(devices.sections.len(), 2);
    assert_eq!(devices.section("PCIHost", 0).unwrap().payload, [2; 4]);
}

#[test]
fn what_is_no_stream() {
    assert_eq!(refused(b""), (0, Problem::Empty));
    assert_eq!(refused(b"\x7fELF1234"), (0, Problem::NotAStream(0x7f45_4c46)));
    assert_eq!(refused(b"QEVM\0\0\0\x02\0"), (0, Problem::StreamVersion(2)));
    assert_eq!(refused(b"QEVM\0\0\0\x04\0"), (0, Problem::StreamVersion(4)));
    assert_eq!(refused(b"QEVM\0\0\0\x03\x09"), (8, Problem::SectionType(9)));
    assert_eq!(refused(b"QEVM\0\0\0\x03\0\0\0"), (8, Problem::Trailing(2)));
}

#[test]
fn sections_that_are_not_known() {
    let mut devices = small();
    devices.sections[1].name = "PCIGuest".to_owned();
    let name = "PCIGuest".to_owned();
    assert_eq!(refused(&bytes(&devices)).1, Problem::UnknownSection { name, instance: 0 });
    let mut devices = small();
    devices.sections[0].version = 2;
    let problem = Problem::SectionVersion { name: "port92".to_owned(), version: 2, known: 1 };
    assert_eq!(refused(&bytes(&devices)), (28, problem));
}

#[test]
fn sections_that_are_there_twice() {
    let mut devices = small();
    let again = Section { id: 8, ..devices.sections[0].clone() };
    devices.sections.push(again);
    let twice = Problem::SectionTwice { name: "port92".to_owned(), instance: 0 };
    assert_eq!(refused(&bytes(&devices)).1, twice);
    devices.sections[2].instance = 1;
    assert!(read(&bytes(&devices)).is_ok());
    devices.sections[2].id = 3;
    assert_eq!(refused(&bytes(&devices)).1, Problem::IdReused(3));
}

#[test]
fn footers_that_do_not_match() {
    let data = bytes(&small());
    let footer = 29;
    assert_eq!(data[footer..footer + 5], [0x7e, 0, 0, 0, 3]);
    let mut wrong = data.clone();
    wrong[footer + 4] = 4;
    assert_eq!(refused(&wrong), (29, Problem::Footer { expected: 3, found: 4 }));
    let mut wrong = data.clone();
    wrong[footer] = 0x7f;
    let problem = Problem::NoFooter { name: "port92".to_owned(), found: 0x7f };
    assert_eq!(refused(&wrong), (29, problem));
    // Behind guest memory, whose footer told that there are some.
    let golden = named("qemu-7.2/pc-i440fx-4.2/novmdesc.bin");
    let stream = golden.read();
    let first = &stream.devices.sections[0];
    let end = (first.offset as usize) + first.payload.len();
    let mut wrong = golden.bytes.clone();
    wrong[end] = 0x04;
    let problem = Problem::NoFooter { name: first.name.clone(), found: 4 };
    assert_eq!(refused(&wrong), (end as u64, problem));
}

#[test]
fn bytes_behind_the_end() {
    for (name, description) in
        [("qemu-7.2/xenfv-4.2/poked.xsds", false), ("qemu-7.2/pc-i440fx-7.2/reset.bin", true)]
    {
        let golden = named(name);
        let more = [&golden.bytes, b"more".as_slice()].concat();
        let (offset, problem) = refused(&more);
        let trailer = golden.read().devices.description.map_or(0, |text| text.len() as u64 + 5);
        assert_eq!(offset, more.len() as u64 - 4 - trailer - 1, "{name}");
        assert_eq!(problem, Problem::Trailing(4 + trailer), "{name}");
        assert_eq!(trailer > 0, description, "{name}");
    }
}

#[test]
fn truncated_at_every_byte() {
    // Without footers a cut could make the one form of piix4_pm out of the other.
    for name in [
        "qemu-7.2/xenfv-3.1/poked.xsds",
        "qemu-10.0/xenfv/libxl.xsds",
        "qemu-10.0/xenfv-4.2/reset.xsds",
        "qemu-10.0/xenfv-4.2/smbus-inflight.xsds",
        "qemu-7.2/pc-i440fx-7.2/poked.xsds",
        "xl/qemu7.2-xenfv-4.2-smbus.qevm",
    ] {
        let bytes = &named(name).bytes;
        for end in 0..bytes.len() {
            let error = read(&bytes[..end]).err().unwrap_or_else(|| panic!("{name} cut at {end}"));
            assert!(error.offset <= end as u64, "{name} cut at {end}: {error}");
        }
    }
}

#[test]
fn truncated_in_memory_and_description() {
    for name in ["qemu-10.0/pc-i440fx-10.0/smbus.bin", "qemu-7.2/pc-i440fx-2.0/reset.bin"] {
        let golden = named(name);
        let stream = golden.read();
        let description = stream.devices.description.map_or(0, |text| text.len() + 5);
        // Without its description it is a stream still, as for QEMU.
        let whole = golden.bytes.len() - description;
        assert!(read(&golden.bytes[..whole]).is_ok(), "{name}");
        for end in (0..golden.bytes.len()).step_by(101).chain(0..300) {
            if end != whole {
                assert!(read(&golden.bytes[..end]).is_err(), "{name} cut at {end}");
            }
        }
    }
}

#[test]
fn a_description_that_lies() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/reset.bin");
    let stream = golden.read();
    let live = &golden.bytes[stream.live.range.start as usize..stream.live.range.end as usize];
    let lie = |from: &str, to: &str| {
        let mut stream = stream.clone();
        let text = stream.devices.description.as_mut().unwrap();
        assert!(text.contains(from), "{from}");
        *text = text.replacen(from, to, 1);
        refused(&stream.write(live))
    };
    let irq = r#""name": "irq_count", "array_len": 4"#;
    let (offset, problem) = lie(irq, r#""name": "irq_count", "array_len": 5"#);
    let bus = stream.devices.section("PCIBUS", 0).unwrap();
    assert_eq!(offset, bus.offset + 24);
    assert!(matches!(problem, Problem::NoFooter { name, .. } if name == "PCIBUS"));
    let (_, problem) = lie(irq, r#""name": "irq_count", "array_len": 4000000000"#);
    assert!(matches!(problem, Problem::Truncated(_)), "{problem}");
    let (_, problem) = lie(r#""name": "PCIBUS""#, r#""name": "PCIBAR""#);
    assert!(matches!(problem, Problem::UnknownSection { name, .. } if name == "PCIBUS"));
    let (_, problem) = lie("piix4_pm/memhp", "piix4_pm/cpuhp");
    assert!(matches!(problem, Problem::Subsection { name, .. } if name == "piix4_pm/memhp"));
    let (_, problem) = lie(r#""type": "uint8", "size": 1"#, r#""type": "uint8", "size": 2"#);
    assert!(matches!(problem, Problem::Description(_)), "{problem}");
    let (_, problem) = lie(r#""devices""#, r#"devices"#);
    assert!(matches!(problem, Problem::Description(_)), "{problem}");
}

#[test]
fn claims_of_gigabytes_in_a_small_file() {
    // A machine's name of 4 GiB.
    let (offset, problem) = refused(b"QEVM\0\0\0\x03\x07\xff\xff\xff\xffpc");
    assert_eq!((offset, matches!(problem, Problem::Configuration(_))), (9, true));
    // A billion blocks of memory, and one of 16 EiB.
    let ram = b"QEVM\0\0\0\x03\x01\0\0\0\x01\x03ram\0\0\0\0\0\0\0\x04".as_slice();
    let total = 0x7fff_ffff_ffff_f004_u64.to_be_bytes();
    let block = [b"\x01a".as_slice(), &[0xff; 8]].concat();
    let problem = refused(&[ram, &total, &block].concat()).1;
    assert_eq!(problem, Problem::Ram("the blocks are not as large as announced"));
    let block = |name: u16| [b"\x02".as_slice(), &name.to_be_bytes(), &1u64.to_be_bytes()].concat();
    let blocks: Vec<_> = (0..5000).flat_map(|number| block(0x6161 + number % 26)).collect();
    let problem = refused(&[ram, &total, &blocks].concat()).1;
    assert_eq!(problem, Problem::Ram("a block is listed twice"));
    // Names of two bytes of ASCII.
    let names = (0..5000u16).map(|number| (number >> 7) << 8 | number & 0x7f);
    let blocks: Vec<_> = names.flat_map(block).collect();
    let problem = refused(&[ram, &total, &blocks].concat()).1;
    assert_eq!(problem, Problem::Ram("too many blocks"));
    // A bus of two billion lines.
    let mut devices = small();
    devices.sections[0].name = "PCIBUS".to_owned();
    devices.sections[0].payload = vec![0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert!(matches!(refused(&bytes(&devices)).1, Problem::Truncated(_)));
    // More devices than any machine has, which no one keeps.
    let mut scanner = Scanner::new();
    scanner.push(b"QEVM\0\0\0\x03\x04").unwrap();
    let error = (0..100).find_map(|_| scanner.push(&[0; 1 << 20]).err());
    assert!(matches!(error.unwrap().problem, Problem::TooLarge(_)));
}

#[test]
fn a_stream_made_to_be_read_in_many_ways() {
    let golden = named("qemu-7.2/xenfv-3.1/reset.xsds").read();
    let mut section = golden.devices.section("0000:00:01.3/piix4_pm", 0).unwrap().clone();
    // Up to 256 slots for memory, none of which the stream counts.
    section.payload.extend_from_slice(&[0; 2560]);
    let sections = |count| {
        let numbered = |id| Section { id, instance: id, ..section.clone() };
        Devices { sections: (0..count).map(numbered).collect(), ..Devices::default() }
    };
    assert!(read(&bytes(&sections(20))).is_ok());
    assert_eq!(refused(&bytes(&sections(500))).1, Problem::TooManyReadings);
}

#[test]
fn a_timer_that_contradicts_its_clock() {
    let golden = named("qemu-10.0/xenfv-4.2/poked.xsds");
    let kind = |section: &&mut Section| section.kind() == "piix4_pm";
    let mut devices = golden.read().devices;
    let section = devices.sections.iter_mut().find(kind).unwrap();
    let mut structure = Layouts::builtin().decode(section).unwrap().structure;
    let mut bytes = |timer: u64, ticks| {
        *structure.get_mut(&["ar.tmr.timer"]).unwrap() = Value::Unsigned(timer);
        *structure.get_mut(&["ar.tmr.overflow_time"]).unwrap() = Value::Signed(ticks);
        let mut stream = golden.read();
        stream.devices.sections.iter_mut().find(kind).unwrap().payload =
            structure.encode().unwrap();
        stream.write(&[])
    };
    // 0x800000 ticks of 3579545 Hz.
    assert!(read(&bytes(2_343_484_437, 0x80_0000)).is_ok());
    assert!(read(&bytes(u64::MAX, 0x80_0000)).is_ok());
    for (timer, ticks) in [(2_343_485_000, 0x80_0000), (0, 0), (1 << 63, 0x80_0000), (5, -1)] {
        let problem = refused(&bytes(timer, ticks)).1;
        assert!(matches!(problem, Problem::Value { .. }), "{timer} {ticks}: {problem}");
    }
}

#[test]
fn memory_that_makes_no_sense() {
    let golden = named("qemu-10.0/pc-i440fx-10.0/reset.bin");
    let of = |kind: &str| {
        let sections = golden.decoded["sections"].as_array().unwrap();
        let found = sections.iter().find(|section| section["type"] == kind).unwrap();
        found["off"].as_u64().unwrap() as usize
    };
    let with = |at: usize, bytes: &[u8]| {
        let mut data = golden.bytes.clone();
        data[at..at + bytes.len()].copy_from_slice(bytes);
        refused(&data)
    };
    let (start, part, end) = (of("START"), of("PART"), of("END"));
    assert_eq!(with(part + 1, &[0, 0, 0, 9]), (part as u64, Problem::NotOpen(9)));
    let section = Problem::UnknownSection { name: "rom".to_owned(), instance: 0 };
    assert_eq!(with(start + 6, b"rom"), (start as u64, section));
    let version = Problem::SectionVersion { name: "ram".to_owned(), version: 5, known: 4 };
    assert_eq!(with(start + 13, &[0, 0, 0, 5]), (start as u64, version));
    let flags = Problem::Ram("a record with unknown flags");
    assert_eq!(with(part + 5, &[0, 0, 0, 0, 0, 0, 0, 0x80]), (part as u64 + 5, flags));
    let none = Problem::Ram("a page of no block");
    assert_eq!(with(part + 5, &[0, 0, 0, 0, 0, 0, 0, 0x22]), (part as u64 + 5, none));
    let unlisted = Problem::Ram("a page of a block that is not listed");
    assert_eq!(with(part + 14, b"x"), (part as u64 + 5, unlisted));
    assert_eq!(with(end - 4, &[0, 7]), (end as u64 - 5, Problem::Command(7)));
    // The last piece turned into one more: it is never ended.
    assert_eq!(with(end, &[2]).1, Problem::NotEnded(1));
}

#[test]
fn a_stream_of_one_format_is_not_taken_for_another() {
    // What QEMU does not notice: the format with SMBus state read as the one
    // without ends at a zero byte. Nothing else may fit either.
    for golden in golden().iter().filter(|golden| golden.name.contains("xenfv")) {
        let stream = golden.read();
        let kinds: Vec<_> = stream.devices.sections.iter().map(Section::kind).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "platform").count(), 1);
        let at = kinds.iter().position(|kind| *kind == "piix4_pm").unwrap();
        let size = stream.devices.sections[at].payload.len();
        let expected = if golden.name.contains("4.2") { 384 } else { 336 };
        assert_eq!(size, expected, "{}", golden.name);
    }
}
