//! Guest memory in the frame of other machine types.

use crate::data::{golden, named};
use proptest::prelude::*;
use serde_json::Value as Json;
use vmstate::{Devices, Framing, Layouts, Reframer, Stream};

const COMMAND: &[u8] = &[8, 0, 11, 0, 0];

/// The live part in another frame, in pieces of these lengths, over and over.
fn reframe(bytes: &[u8], framing: Framing, sizes: &[usize]) -> (Vec<u8>, Stream) {
    let mut reframer = Reframer::new(framing);
    let (mut out, mut rest) = (Vec::new(), bytes);
    for size in sizes.iter().cycle() {
        let (piece, tail) = rest.split_at(rest.len().min(*size));
        reframer.push(piece, &mut out).unwrap();
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    (out, reframer.finish(Layouts::builtin()).unwrap())
}

/// How the live part of a stream is framed.
fn framing_of(stream: &Stream) -> Framing {
    Framing {
        footers: stream.devices.footers,
        switchover_start: stream.live.commands.contains(&11),
    }
}

/// The stream in another frame.
fn reframed(bytes: &[u8], framing: Framing, sizes: &[usize]) -> (Vec<u8>, Stream) {
    let (live, mut stream) = reframe(bytes, framing, sizes);
    let original = stream.clone();
    stream.devices.footers = framing.footers;
    (stream.write(&live), original)
}

/// All the frames there are.
fn framings() -> impl Iterator<Item = Framing> {
    let both = [false, true];
    both.into_iter()
        .flat_map(move |footers| both.map(|switchover_start| Framing { footers, switchover_start }))
}

/// Streams with memory.
fn migrated() -> impl Iterator<Item = &'static crate::data::Golden> {
    golden().iter().filter(|golden| !golden.read().live.range.is_empty())
}

#[test]
fn there_and_back_again() {
    let mut count = 0;
    for golden in migrated() {
        for framing in framings() {
            let (there, original) = reframed(&golden.bytes, framing, &[1 << 20]);
            let (back, other) = reframed(&there, framing_of(&original), &[1 << 20]);
            assert_eq!(framing_of(&other), framing, "{}", golden.name);
            assert!(back == golden.bytes, "{} by {framing:?}", golden.name);
            count += 1;
        }
    }
    assert!(count > 400, "{count}");
}

#[test]
fn what_is_there_already_stays() {
    for golden in migrated() {
        let framing = framing_of(&golden.read());
        let (same, _) = reframed(&golden.bytes, framing, &[4096]);
        assert!(same == golden.bytes, "{}", golden.name);
    }
}

#[test]
fn what_qemu_writes_for_another_machine_type() {
    // Guest memory as such is the same; the devices are not looked at.
    let live = |name: &str| {
        let golden = named(name);
        let range = golden.read().live.range;
        &golden.bytes[range.start as usize..range.end as usize]
    };
    let names = ["qemu-10.0/pc-i440fx-9.2/reset.bin", "qemu-10.0/pc-i440fx-10.0/reset.bin"];
    for [from, to] in [names, [names[1], names[0]]] {
        let (found, _) = reframe(&named(from).bytes, framing_of(&named(to).read()), &[65536]);
        assert!(found == live(to), "{from} to {to}");
    }
}

#[test]
fn the_command_is_right_before_the_last_piece() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/poked.bin");
    let framing = Framing { footers: true, switchover_start: true };
    let (live, stream) = reframe(&golden.bytes, framing, &[7]);
    let sections = golden.decoded["sections"].as_array().unwrap();
    let last = sections.iter().find(|section| section["type"] == "END").unwrap();
    let at = (last["off"].as_u64().unwrap() - stream.live.range.start) as usize;
    let range = stream.live.range.start as usize..stream.live.range.end as usize;
    let (before, after) = golden.bytes[range].split_at(at);
    assert!(live == [before, COMMAND, after].concat());
}

#[test]
fn device_state_alone_has_no_frame() {
    let golden = named("qemu-7.2/xenfv-4.2/smbus.xsds");
    for framing in framings() {
        let (live, stream) = reframe(&golden.bytes, framing, &[100]);
        assert!(live.is_empty());
        assert_eq!(stream, golden.read());
    }
}

#[test]
fn the_section_of_guest_memory_is_told_by_its_id() {
    for golden in golden().iter().filter(|golden| !golden.decoded.is_null()) {
        let sections = golden.decoded["sections"].as_array().unwrap();
        let start = sections.iter().find(|section| section["type"] == "START");
        let id = start.map(|start| start["section_id"].clone()).unwrap_or(Json::Null);
        assert_eq!(Json::from(golden.read().live.id), id, "{}", golden.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn the_size_of_the_pieces_makes_no_difference(
        sizes in prop::collection::vec(1..200usize, 1..20),
        footers in any::<bool>(),
        switchover_start in any::<bool>(),
        which in 0..3usize,
    ) {
        let names = [
            "qemu-10.0/pc-i440fx-10.0/smbus.bin",
            "qemu-7.2/pc-i440fx-2.3/novmdesc.bin",
            "qemu-7.2/pc-i440fx-7.2/poked.bin",
        ];
        let bytes = &named(names[which]).bytes;
        let framing = Framing { footers, switchover_start };
        let (whole, _) = reframe(bytes, framing, &[bytes.len()]);
        let (found, stream) = reframe(bytes, framing, &sizes);
        prop_assert!(found == whole);
        let devices = Devices { footers, ..stream.devices.clone() };
        let (back, _) = reframe(&Stream { devices, ..stream.clone() }.write(&found), framing_of(&stream), &sizes);
        prop_assert!(back == bytes[stream.live.range.start as usize..stream.live.range.end as usize]);
    }
}
