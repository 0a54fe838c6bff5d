//! What holds for every stream, and for every way to spoil one.

use crate::data::named;
use proptest::prelude::*;
use vmstate::ram::{self, Block, PAGE_SIZE};
use vmstate::{Configuration, Devices, Layouts, Section, Stream, Writer};

/// Devices whose state is so many bytes, of any value.
const PLAIN: [(&str, u32, usize); 6] = [
    ("i8259", 1, 16),
    ("port92", 1, 1),
    ("0000:00:1f.7/apic", 3, 181),
    ("timer", 2, 24),
    ("pcspk", 1, 2),
    ("vmmouse", 0, 4105),
];

fn devices() -> impl Strategy<Value = Devices> {
    let payload = |(name, version, size): (&'static str, u32, usize)| {
        prop::collection::vec(any::<u8>(), size).prop_map(move |payload| (name, version, payload))
    };
    let section = prop::sample::select(PLAIN.to_vec()).prop_flat_map(payload);
    (prop::collection::vec(section, 1..8), any::<bool>()).prop_map(|(sections, footers)| {
        let section = |(index, (name, version, payload)): (usize, (&str, u32, Vec<u8>))| Section {
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
    let capabilities = prop::collection::vec("[a-z-]{1,20}", 0..4);
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

/// Guest memory of some pages, as QEMU saves it: id 1, in three pieces.
fn memory(pages: &[u8], footers: bool) -> Vec<u8> {
    let mut writer = Writer::new();
    let footer = |writer: &mut Writer| {
        if footers {
            writer.bytes(&[0x7e, 0, 0, 0, 1]);
        }
    };
    writer.bytes(b"\x01\0\0\0\x01\x03ram\0\0\0\0\0\0\0\x04");
    let block = |name: &str| Block { name: name.to_owned(), size: 1 << 20, address: None };
    ram::write_blocks(&mut writer, &[block("pc.ram"), block("pc.bios")]);
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
    writer.bytes(b"\x03\0\0\0\x01");
    ram::write_end(&mut writer);
    footer(&mut writer);
    writer.into_bytes()
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
        mut devices in devices(),
        configuration in prop::option::of(configuration()),
        pages in prop::option::of(prop::collection::vec(0..3u8, 0..20)),
    ) {
        let live = pages.as_ref().map(|pages| memory(pages, devices.footers)).unwrap_or_default();
        let stream = Stream { configuration, live: Default::default(), devices: devices.clone() };
        let bytes = stream.write(&live);
        let read = read(&bytes).unwrap();
        prop_assert_eq!(&read.configuration, &stream.configuration);
        let start = stream.head().len() as u64;
        prop_assert_eq!(&read.live.range, &(start..start + live.len() as u64));
        if let Some(pages) = pages {
            let zero = pages.iter().filter(|first| **first == 0).count() as u64;
            prop_assert_eq!(read.live.zero_pages, zero);
            prop_assert_eq!(read.live.pages, pages.len() as u64 - zero);
            prop_assert_eq!(read.live.blocks.len(), 2);
        }
        for (section, found) in devices.sections.iter_mut().zip(&read.devices.sections) {
            section.offset = found.offset;
        }
        prop_assert_eq!(&read.devices, &devices);
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
