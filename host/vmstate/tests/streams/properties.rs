//! What holds for every stream, and for every way to spoil one.

use crate::data::named;
use proptest::prelude::*;
use vmstate::ram::{self, Block, PAGE_SIZE};
use vmstate::{Configuration, Devices, Layouts, Live, Section, Stream, Writer, describe};

/// Devices whose state is so many bytes, of any value.
const PLAIN: [(&str, u32, usize); 6] = [
    ("i8259", 1, 16),
    ("port92", 1, 1),
    ("0000:00:1f.7/apic", 3, 181),
    ("timer", 2, 24),
    ("pcspk", 1, 2),
    ("vmmouse", 0, 4105),
];

/// A device's name, version and state.
type Device = (&'static str, u32, Vec<u8>);

fn plain() -> impl Strategy<Value = Device> {
    prop::sample::select(PLAIN.to_vec()).prop_flat_map(|(name, version, size)| {
        let payload = prop::collection::vec(any::<u8>(), size);
        payload.prop_map(move |payload| (name, version, payload))
    })
}

/// A count and as many numbers.
fn counted() -> impl Strategy<Value = Device> {
    prop::collection::vec(any::<i32>(), 0..130).prop_map(|counts| {
        let mut writer = Writer::new();
        writer.integer(counts.len() as u64, 4);
        counts.iter().for_each(|count| writer.integer(count.cast_unsigned().into(), 4));
        ("PCIBUS", 1, writer.into_bytes())
    })
}

/// Structures, values with limits, and a subsection.
fn nested() -> impl Strategy<Value = Device> {
    let configuration = prop::collection::vec(any::<u8>(), 256);
    (0..3u64, configuration, 0..16u64, any::<u8>(), prop::option::of(any::<u8>())).prop_map(
        |(version, configuration, pins, level, subsection)| {
            let mut writer = Writer::new();
            writer.integer(version, 4);
            writer.bytes(&configuration);
            (0..4).for_each(|pin| writer.integer(pins >> pin & 1, 4));
            (0..4).for_each(|_| writer.integer(level.into(), 4));
            if let Some(value) = subsection {
                writer.subsection("PIIX3/rcr", 1);
                writer.integer(value.into(), 1);
            }
            ("0000:00:01.0/PIIX3", 3, writer.into_bytes())
        },
    )
}

fn devices() -> impl Strategy<Value = Devices> {
    let section = prop_oneof![3 => plain(), 1 => counted(), 1 => nested()];
    (prop::collection::vec(section, 1..8), any::<bool>()).prop_map(|(sections, footers)| {
        let section = |(index, (name, version, payload)): (usize, Device)| Section {
            id: index as u32 * 3 + 2,
            name: name.to_owned(),
            instance: index as u32,
            version,
            payload,
            offset: 0,
        };
        let sections = sections.into_iter().enumerate().map(section).collect();
        Devices { footers, sections, description: None }
    })
}

fn configuration() -> impl Strategy<Value = Configuration> {
    // The one of them that changes the list of blocks.
    let capability = prop_oneof![2 => "[a-z-]{1,20}", 1 => Just("x-ignore-shared".to_owned())];
    let capabilities = prop::collection::vec(capability, 0..4);
    (
        "[a-z0-9.-]{1,40}",
        prop::option::of(any::<u32>()),
        prop::option::of(capabilities),
        prop::option::of(any::<[u8; 16]>()),
    )
        .prop_map(|(machine, page_bits, capabilities, uuid)| Configuration {
            machine,
            page_bits,
            capabilities,
            uuid,
        })
}

/// Guest memory: the first bytes of its pages, and a command to the receiver.
type Memory = (Vec<u8>, Option<u16>);

fn memory() -> impl Strategy<Value = Memory> {
    let command = prop::option::of(prop_oneof![1..7u16, 8..12u16]);
    (prop::collection::vec(0..3u8, 0..20), command)
}

/// Guest memory as QEMU saves it, id 1, in three pieces; and what is to be found in it.
fn write_memory(stream: &Stream, (pages, command): &Memory) -> (Vec<u8>, Live) {
    let capabilities = stream.configuration.iter().flat_map(|found| found.capabilities.iter());
    let addresses = capabilities.flatten().any(|name| name == "x-ignore-shared");
    let block = |name: &str, at| Block {
        name: name.to_owned(),
        size: 1 << 20,
        address: addresses.then_some(at),
    };
    let blocks = vec![block("pc.ram", 0), block("pc.bios", 0xfff0_0000)];
    let mut writer = Writer::new();
    let footer = |writer: &mut Writer| {
        if stream.devices.footers {
            writer.bytes(&[0x7e, 0, 0, 0, 1]);
        }
    };
    writer.bytes(b"\x01\0\0\0\x01\x03ram\0\0\0\0\0\0\0\x04");
    ram::write_blocks(&mut writer, &blocks);
    ram::write_end(&mut writer);
    footer(&mut writer);
    writer.bytes(b"\x02\0\0\0\x01");
    for (index, first) in pages.iter().enumerate() {
        let mut page = [0; PAGE_SIZE];
        page[0] = *first;
        let block = (index == 0).then_some("pc.bios");
        ram::write_page(&mut writer, block, index as u64 * PAGE_SIZE as u64, &page);
    }
    ram::write_end(&mut writer);
    footer(&mut writer);
    if let Some(command) = command {
        writer.integer(8, 1);
        writer.integer((*command).into(), 2);
        writer.integer(3, 2);
        writer.bytes(&[4, 4, 4]);
    }
    writer.bytes(b"\x03\0\0\0\x01");
    ram::write_end(&mut writer);
    footer(&mut writer);
    let bytes = writer.into_bytes();
    let start = stream.head().len() as u64;
    let zero_pages = pages.iter().filter(|first| **first == 0).count() as u64;
    let live = Live {
        range: start..start + bytes.len() as u64,
        id: Some(1),
        blocks,
        pages: pages.len() as u64 - zero_pages,
        zero_pages,
        commands: command.iter().copied().collect(),
    };
    (bytes, live)
}

fn read(bytes: &[u8]) -> Result<Stream, vmstate::Error> {
    Stream::read(bytes, Layouts::builtin())
}

/// Reads what may be spoilt: it is refused, or it is what was read.
fn refused_or_kept(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(stream) = read(bytes) {
        let live = &bytes[stream.live.range.start as usize..stream.live.range.end as usize];
        prop_assert!(stream.write(live) == bytes);
        for section in &stream.devices.sections {
            let own = stream.devices.layouts().unwrap();
            let layouts = own.as_ref().unwrap_or(Layouts::builtin());
            let structure = layouts.decode(section).unwrap().structure;
            prop_assert!(structure.encode().unwrap() == section.payload);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_was_written_is_read(
        devices in devices(),
        configuration in prop::option::of(configuration()),
        memory in prop::option::of(memory()),
        described: bool,
    ) {
        let mut stream = Stream { configuration, live: Live::default(), devices };
        let end = stream.head().len() as u64;
        stream.live.range = end..end;
        let mut live = Vec::new();
        if let Some(memory) = memory {
            (live, stream.live) = write_memory(&stream, &memory);
        }
        if described {
            let text = describe(None, &stream.devices.sections, None).unwrap();
            stream.devices.description = Some(text);
        }
        let bytes = stream.write(&live);
        let mut read = read(&bytes).unwrap();
        for section in &mut read.devices.sections {
            let (start, size) = (section.offset as usize, section.payload.len());
            prop_assert!(bytes[start..start + size] == section.payload);
            section.offset = 0;
        }
        prop_assert_eq!(&read, &stream);
        prop_assert!(read.write(&live) == bytes);
    }

    #[test]
    fn noise_behind_the_magic_number_does_no_harm(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        refused_or_kept(&[b"QEVM\0\0\0\x03".as_slice(), &noise].concat())?;
    }

    #[test]
    fn a_flipped_bit_is_refused_or_kept(at in any::<prop::sample::Index>(), bit in 0..8, which in 0..5usize) {
        let names = [
            "xl/qemu7.2-xenfv-4.2-smbus.qevm",
            "xl/qemu5.2-xenfv.qevm",
            "qemu-10.0/xenfv-4.2/libxl.xsds",
            "qemu-7.2/pc-i440fx-7.2/poked.xsds",
            "qemu-10.0/pc-i440fx-10.0/cpuhp.bin",
        ];
        let mut bytes = named(names[which]).bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        refused_or_kept(&bytes)?;
    }

    #[test]
    fn spoilt_lengths_are_refused_or_kept(
        at in any::<prop::sample::Index>(),
        word in prop::sample::select(vec![0u32, 1, 5, 0xff, 0x1000, 0x7fff_ffff, 0x8000_0000, u32::MAX]),
    ) {
        let mut bytes = named("xl/qemu7.2-xenfv.qevm").bytes.clone();
        let at = at.index(bytes.len() - 4);
        bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        refused_or_kept(&bytes)?;
    }
}

#[test]
fn every_flipped_byte_of_the_power_management_state() {
    for name in ["qemu-7.2/xenfv-4.2/smbus.xsds", "qemu-7.2/xenfv-3.1/poked.xsds"] {
        let golden = named(name);
        let stream = golden.read();
        let kind = |section: &&Section| section.kind() == "piix4_pm";
        let section = stream.devices.sections.iter().find(kind).unwrap();
        let start = section.offset as usize;
        let form = Layouts::builtin().decode(section).unwrap().switches;
        for at in start..start + section.payload.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = golden.bytes.clone();
                bytes[at] ^= mask;
                let Ok(spoilt) = read(&bytes) else { continue };
                // Whatever the byte was, it does not turn one format into the other.
                let section = spoilt.devices.sections.iter().find(kind).unwrap();
                let found = Layouts::builtin().decode(section).unwrap();
                assert_eq!(found.switches, form, "{name} at {at} with {mask:#x}");
                assert_eq!(spoilt.devices.sections.len(), stream.devices.sections.len());
            }
        }
    }
}
