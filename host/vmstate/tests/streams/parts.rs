//! Parts of a stream that do not fit: its configuration, the heads of sections,
//! subsections, and a description of more than there can be.

use crate::data::named;
use vmstate::{Configuration, Devices, Layouts, Problem, Section, Stream, Value, Writer};

fn refused(bytes: &[u8]) -> (u64, Problem) {
    let error = Stream::read(bytes, Layouts::builtin()).unwrap_err();
    (error.offset, error.problem)
}

fn section(name: &str, version: u32, payload: Vec<u8>) -> Section {
    Section { id: 3, name: name.to_owned(), instance: 0, version, payload, offset: 0 }
}

fn stream(section: Section, footers: bool) -> Vec<u8> {
    let devices = Devices { footers, sections: vec![section], description: None };
    [b"QEVM\0\0\0\x03".as_slice(), &devices.write()].concat()
}

/// A stream with a configuration of these subsections.
fn configured(subsections: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes(b"QEVM\0\0\0\x03\x07\0\0\0\x02pc");
    for (name, version, content) in subsections {
        writer.subsection(name, *version);
        writer.bytes(content);
    }
    writer.bytes(&[0]);
    writer.into_bytes()
}

#[test]
fn configurations() {
    const BITS: (&str, u32, &[u8]) = ("configuration/target-page-bits", 1, &[0, 0, 0, 12]);
    const NAMES: (&str, u32, &[u8]) = ("configuration/capabilities", 1, b"\0\0\0\x01\x03abc");
    const UUID: (&str, u32, &[u8]) = ("configuration/uuid", 1, &[7; 16]);
    let read = Stream::read(&configured(&[BITS, NAMES, UUID]), Layouts::builtin()).unwrap();
    let expected = Configuration {
        machine: "pc".to_owned(),
        page_bits: Some(12),
        capabilities: Some(vec!["abc".to_owned()]),
        uuid: Some([7; 16]),
    };
    assert_eq!(read.configuration, Some(expected));

    let repeated = Problem::Configuration("an unknown or repeated subsection");
    for subsections in [&[BITS, BITS][..], &[NAMES, BITS], &[UUID, NAMES], &[UUID, UUID]] {
        assert_eq!(refused(&configured(subsections)).1, repeated, "{subsections:?}");
    }
    assert_eq!(refused(&configured(&[("configuration/else", 1, &[])])), (15, repeated));
    let version = Problem::Configuration("a subsection of another version");
    assert_eq!(refused(&configured(&[(BITS.0, 2, BITS.2)])), (15, version));
    let other = Problem::Configuration("a subsection of something else");
    assert_eq!(refused(&configured(&[("timer/icount", 1, &[])])), (15, other));
    let text = Problem::Configuration("a capability's name is not text");
    assert_eq!(refused(&configured(&[(NAMES.0, 1, b"\0\0\0\x01\x01\xff")])), (15, text));
    let name = Problem::Configuration("the name is not text");
    assert_eq!(refused(b"QEVM\0\0\0\x03\x07\0\0\0\x01\xff\0"), (9, name));
    let length = Problem::Configuration("the machine's name has no usable length");
    assert_eq!(refused(b"QEVM\0\0\0\x03\x07\0\0\0\0\0"), (9, length));
}

#[test]
fn capabilities_without_end() {
    // A billion names: refused when more has been waited for than there can be.
    let mut bytes =
        configured(&[("configuration/capabilities", 1, &0x3fff_ffff_u32.to_be_bytes())]);
    bytes.resize(100 << 10, 0);
    let mut scanner = vmstate::Scanner::new();
    let error = bytes.chunks(1 << 10).find_map(|piece| scanner.push(piece).err()).unwrap();
    assert_eq!(error.problem, Problem::Configuration("it is too long"));
}

#[test]
fn heads() {
    let mut bytes = stream(section("port92", 1, vec![1]), true);
    bytes[13] = 0xff;
    let (offset, problem) = refused(&bytes);
    assert_eq!((offset, matches!(problem, Problem::Truncated(_))), (8, true), "{problem}");
    bytes[13] = 6;
    bytes[14] = 0xff;
    assert_eq!(refused(&bytes), (8, Problem::Name));
    // The id of the memory section, used again.
    let golden = named("qemu-7.2/pc-i440fx-7.2/reset.bin");
    let mut read = golden.read();
    let live = &golden.bytes[read.live.range.start as usize..read.live.range.end as usize];
    let id = u32::from_be_bytes(*live[1..].first_chunk().unwrap());
    read.devices.sections[4].id = id;
    assert_eq!(refused(&read.write(live)).1, Problem::IdReused(id));
}

#[test]
fn subsections() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/poked.xsds").read();
    let kind = |section: &&Section| section.kind() == "PIIX3";
    let bridge = golden.devices.sections.iter().find(kind).unwrap();
    let with = |subsections: &[(&str, u32)]| {
        let mut writer = Writer::new();
        writer.bytes(&bridge.payload[..292]);
        for (name, version) in subsections {
            writer.subsection(name, *version);
            writer.bytes(&[2]);
        }
        section("0000:00:01.0/PIIX3", 3, writer.into_bytes())
    };
    for footers in [true, false] {
        let read = |subsections: &[(&str, u32)]| stream(with(subsections), footers);
        let good = read(&[("PIIX3/rcr", 1)]);
        assert!(Stream::read(&good, Layouts::builtin()).is_ok());
        for (subsections, name, version) in [
            (&[("PIIX3/rcx", 1)][..], "PIIX3/rcx", 1),
            (&[("PIIX3/rcr", 2)], "PIIX3/rcr", 2),
            (&[("PIIX3/rcr", 1), ("PIIX3/rcr", 1)], "PIIX3/rcr", 1),
        ] {
            let problem = Problem::Subsection { name: name.to_owned(), version };
            assert_eq!(refused(&read(subsections)).1, problem);
        }
        // Of another device: neither a footer nor a section.
        let problem = refused(&read(&[("PIIX4/rcr", 1)])).1;
        let stray = matches!(problem, Problem::NoFooter { found: 5, .. } | Problem::SectionType(5));
        assert!(stray, "{problem}");
    }
}

/// A description of one device, with these fields.
fn described(fields: &str) -> String {
    format!(
        r#"{{"devices": [{{"name": "lab", "instance_id": 0, "vmsd_name": "lab", "version": 1,
        "fields": [{fields}]}}]}}"#
    )
}

#[test]
fn a_description_decides_nothing_that_layouts_decide() {
    let text = described(
        r#"{"name": "a", "type": "uint8", "size": 1, "max": 1, "when": "!lab"},
        {"name": "t", "type": "timer", "size": 8, "min": 9, "when": "@a lab"}"#,
    );
    let layouts = Layouts::from_description(&text).unwrap();
    let payload = [2, 0, 0, 0, 0, 0, 0, 0, 3].to_vec();
    let reading = layouts.decode(&section("lab", 1, payload)).unwrap();
    assert_eq!(reading.structure.get(&["a"]), Some(&Value::Unsigned(2)));
    assert_eq!(reading.structure.get(&["t"]), Some(&Value::Unsigned(3)));
    assert!(reading.switches.is_empty());
}

#[test]
fn a_description_that_makes_few_bytes_much_work() {
    // Each byte is a structure of a thousand arrays without elements.
    let nothing = r#"{"name": "n", "type": "uint8", "size": 1, "array_len": 0},"#.repeat(1000);
    let text = described(&format!(
        r#"{{"name": "s", "type": "struct", "size": 1, "array_len": 60000, "struct":
        {{"vmsd_name": "s", "version": 1, "fields": [{nothing}
        {{"name": "b", "type": "uint8", "size": 1}}]}}}}"#
    ));
    let layouts = Layouts::from_description(&text).unwrap();
    let payload = vec![0; 60000];
    let error = layouts.decode(&section("lab", 1, payload.clone())).unwrap_err();
    assert_eq!(error.problem, Problem::TooManyReadings);
    let mut devices = Devices::default();
    devices.sections.push(section("lab", 1, payload));
    devices.description = Some(text);
    let bytes = [b"QEVM\0\0\0\x03".as_slice(), &devices.write()].concat();
    assert_eq!(refused(&bytes).1, Problem::TooManyReadings);
}
