//! Recorded conversations: ports of every width, and transfers from and to
//! everywhere.

use southbridge_sdk::fake::{Bench, Bytes};
use southbridge_sdk::wit::PropertyValue::Flag;

use super::{Files, acpi, bench, number, text, unpack};
use crate::FwCfg;

const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";

/// ROM, and devices' registers, which are no memory here.
const NO_RAM: [std::ops::Range<u64>; 2] = [0xc_0000..0x10_0000, 0xfec0_0000..0xfef0_0000];

fn parse(text: &str) -> u64 {
    let digits = text.strip_prefix("0x");
    let parsed = digits.map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16));
    parsed.expect("a number")
}

/// Performs one request; returns what QEMU answers to it.
fn perform(bench: &mut Bench<FwCfg>, words: &[&str]) -> String {
    let size = match words[0].as_bytes().last() {
        Some(b'b') => 1,
        Some(b'w') => 2,
        _ => 4,
    };
    match words[0] {
        "inb" | "inw" | "inl" => {
            let value = bench.port_in(parse(words[1]) as u16, size);
            format!("OK 0x{value:04x}")
        }
        "outb" | "outw" | "outl" => {
            bench.port_out(parse(words[1]) as u16, size, parse(words[2]));
            "OK".into()
        }
        "write" => {
            let value = u128::from_str_radix(&words[3][2..], 16).expect("hexadecimal digits");
            let length = parse(words[2]) as usize;
            bench.fake.ram.write(parse(words[1]), &value.to_be_bytes()[16 - length..]);
            "OK".into()
        }
        "read" => {
            let data = bench.fake.ram.read(parse(words[1]), parse(words[2]) as usize);
            let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("OK 0x{digits}")
        }
        other => panic!("no request {other}"),
    }
}

fn replay(recording: &[u8], properties: &[(&str, southbridge_sdk::wit::PropertyValue)]) -> usize {
    let common = [("uuid", text(UUID)), ("below-4g-mem-size", number(16 << 20))];
    let properties: Vec<_> = common.iter().chain(properties).cloned().collect();
    let rom = Files::from([("genroms/kvmvapic.bin".into(), vec![0; 9216])]);
    let mut bench = bench(&properties, rom, Some(acpi(0x2_0000, 20, 4096)));
    bench.fake.ram = Bytes::zeros(16 << 20);

    let recording = unpack(recording);
    let lines: Vec<&str> = recording.lines().collect();
    let (mut compared, mut is_elsewhere) = (0, false);
    for (line, pair) in lines.chunks_exact(2).enumerate() {
        let (request, reply) = (&pair[0][2..], &pair[1][2..]);
        let words: Vec<&str> = request.split(' ').collect();
        let found = perform(&mut bench, &words);
        if words[0] == "write" {
            let target = u64::from_str_radix(&words[3][words[3].len().min(18)..], 16).unwrap_or(0);
            is_elsewhere = NO_RAM.iter().any(|range| range.contains(&target));
        }
        // Whether what lies elsewhere took the data is not for this device to know.
        if is_elsewhere && request == "read 0x100000 16" {
            continue;
        }
        assert_eq!(found, reply, "{request}, request {line}");
        compared += 1;
    }
    compared
}

#[test]
fn it_answers_as_qemu_does() {
    let recording = include_bytes!("../../tests/data/ports-7.2.trace.gz");
    assert!(replay(recording, &[]) > 1200);
}

#[test]
fn it_answers_as_with_sixteen_slots() {
    let recording = include_bytes!("../../tests/data/ports-2.8.trace.gz");
    assert!(replay(recording, &[("x-file-slots", number(16))]) > 1200);
}

#[test]
fn it_answers_as_without_dma() {
    let old = [
        ("x-file-slots", number(16)),
        ("dma_enabled", Flag(false)),
        ("legacy-fw-cfg-order", Flag(true)),
    ];
    assert!(replay(include_bytes!("../../tests/data/ports-2.4.trace.gz"), &old) > 1200);
    let mut older = old.to_vec();
    older.push(("smbios-legacy-mode", Flag(true)));
    assert!(replay(include_bytes!("../../tests/data/ports-2.0.trace.gz"), &older) > 1200);
}
