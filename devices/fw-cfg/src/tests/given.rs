//! Properties, and files that the host gives.

use southbridge_sdk::FirmwareFiles;
use southbridge_sdk::fake::Bytes;
use southbridge_sdk::wit::PropertyValue::Flag;

use super::{Files, bench, directory, entry, number, refusal, text};

#[test]
fn a_given_file_is_read_both_ways() {
    let data: Vec<u8> = (0..100_000_u32).map(|index| ((index * 31) >> 3) as u8).collect();
    let files = Files::from([("opt/big".into(), data.clone())]);
    let mut bench = bench(&[("below-4g-mem-size", number(1 << 20))], files, None);
    let (key, length) = directory(&mut bench)["opt/big"];
    assert_eq!(length, data.len());
    assert_eq!(entry(&mut bench, key, length), data);

    bench.fake.ram = Bytes::zeros(1 << 20);
    let request = u128::from(u32::from(key) << 16 | 0x0a) << 96 | 99_000 << 64 | 0x1_0000;
    bench.fake.ram.write(0x100, &request.to_be_bytes());
    bench.port_out(0x518, 4, u64::from(0x100_u32.swap_bytes()));
    assert_eq!(bench.fake.ram.read(0x1_0000, 99_000), data[..99_000]);
    assert_eq!(bench.fake.ram.read(0x1_0000 + 99_000, 1), [0]);
    assert_eq!(bench.port_in(0x511, 1), u64::from(data[99_000]));
}

#[test]
fn the_host_reads_files_in_firmwares_place() {
    let data: Vec<u8> = (0..5000_u32).map(|index| (index * 7) as u8).collect();
    let files = Files::from([("opt/given".into(), data.clone())]);
    let mut bench = bench(&[], files, Some(super::acpi(4096, 20, 8192)));
    let found = directory(&mut bench);
    bench.port_out(0x510, 2, 0);
    assert_eq!(bench.port_in(0x511, 1), u64::from(b'Q'));
    let mut read = |name: &str, most: u32| {
        let name = name.to_owned();
        bench.call(|device, cx| FirmwareFiles::read(device, cx, &name, most))
    };
    assert_eq!(read("opt/given", 5000), Some(data));
    assert_eq!(read("opt/given", 4999), None);
    assert_eq!(read("etc/acpi/rsdp", 20), Some(vec![0; 20]));
    for (name, (_, length)) in &found {
        assert_eq!(read(name, u32::MAX).map(|bytes| bytes.len()), Some(*length), "{name}");
    }
    for name in ["", "etc", "etc/acpi/rsdp2", "etc/acpi/rsdp\0", "opt/given\0\0"] {
        assert_eq!(read(name, u32::MAX), None, "{name:?}");
    }
    let written = bench.call(|device, cx| FirmwareFiles::write(device, cx, "opt/given", 0, &[1]));
    assert!(!written);
    assert_eq!(bench.port_in(0x511, 1), u64::from(b'E'), "what firmware reads goes on");
}

#[test]
fn there_is_no_acpi_where_nobody_knows_its_tables() {
    let mut bench = bench(&[], Files::new(), None);
    let names: Vec<_> = directory(&mut bench).into_keys().collect();
    let expected = [
        "bios-geometry",
        "bootorder",
        "etc/boot-fail-wait",
        "etc/e820",
        "etc/smbios/smbios-anchor",
        "etc/smbios/smbios-tables",
        "etc/system-states",
        "etc/tpm/log",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_machine_without_acpi_has_none_of_its_files() {
    let tables = Some(super::acpi(4096, 20, 4096));
    let mut bench = bench(&[("acpi", Flag(false))], Files::new(), tables);
    let found = directory(&mut bench);
    for name in ["etc/acpi/tables", "etc/acpi/rsdp", "etc/table-loader", "etc/tpm/log"] {
        assert!(!found.contains_key(name), "{name}");
    }
    assert!(found.contains_key("etc/e820"));
}

#[test]
fn nodes_are_told_by_apic_ids() {
    let properties = [
        ("smp-cpus", number(6)),
        ("max-cpus", number(6)),
        ("sockets", number(2)),
        ("cores", number(3)),
        ("numa", text("1024:0-2 4096:3,4-5")),
    ];
    let mut bench = bench(&properties, Files::new(), None);
    let read = entry(&mut bench, 0x0d, 80);
    let words: Vec<u64> =
        read.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    assert_eq!(words, [2, 0, 0, 0, 0, 1, 1, 1, 1024, 4096]);
}

#[test]
fn what_cannot_be_is_refused() {
    let mut long = vec![0; 2048];
    long[0x202..0x206].copy_from_slice(b"HdrS");
    long[0x1f1] = 200;
    let name = "x".repeat(56);
    for (properties, files, expected) in [
        (vec![("uuid", text("0011"))], vec![], "property uuid"),
        (vec![("uuid", text("0011223g-4455-6677-8899-aabbccddeeff"))], vec![], "property uuid"),
        (vec![("uuid", text("+0112233-4455-6677-8899-aabbccddeeff"))], vec![], "property uuid"),
        (vec![("x-file-slots", number(15))], vec![], "property x-file-slots"),
        (vec![("smp-cpus", number(2))], vec![], "smp-cpus"),
        (vec![("max-cpus", number(2))], vec![], "sockets"),
        (vec![("cores", number(0))], vec![], "sockets"),
        (vec![("max-cpus", number(65_535))], vec![], "max-cpus"),
        (vec![("numa", text("1024:0-1"))], vec![], "property numa"),
        (vec![("numa", text("-1"))], vec![], "property numa"),
        (vec![("splash-time", number(65_536))], vec![], "property splash-time"),
        (vec![("above-4g-mem-size", number(u64::MAX))], vec![], "above-4g-mem-size"),
        (vec![("smbios-memory-device-size", number(0))], vec![], "smbios-memory-device-size"),
        (vec![("smbios-product", text(&"x".repeat(66_000)))], vec![], "SMBIOS: 66"),
        (vec![("bootorder", text("a\0b"))], vec![], "property bootorder"),
        (vec![], vec![(&*name, vec![])], "1 to 55 bytes"),
        (vec![], vec![("bootorder", vec![])], "twice"),
        (vec![], vec![("initrd", vec![])], "only with a file kernel"),
        (vec![], vec![("kernel", vec![0; 5000])], "not a Linux kernel"),
        (vec![], vec![("kernel", long)], "shorter than its header"),
    ] {
        let found = refusal(&properties, &files);
        assert!(found.contains(expected), "{found}");
    }
    let names: Vec<String> = (0..30).map(|index| format!("opt/{index}")).collect();
    let many: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (&**name, vec![1])).collect();
    assert!(refusal(&[], &many).contains("at most 32 expected"));
}

#[test]
fn a_kernel_needs_room_for_its_initrd() {
    let mut image = vec![0; 6000];
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&[0x0c, 0x02]);
    image[0x211] = 1;
    let small = [("below-4g-mem-size", number(0x4_0000))];
    let files = [("kernel", image.clone()), ("initrd", vec![0; 0x1_8000])];
    assert!(refusal(&small, &files).contains("file initrd"));
    let bad = [("kernel", image), ("cmdline", b"vga=x".to_vec())];
    assert!(refusal(&small, &bad).contains("vga=x"));
}
