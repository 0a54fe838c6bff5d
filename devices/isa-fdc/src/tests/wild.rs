//! Whatever a guest does: no position leaves the FIFO, and another version of the
//! device can take over at any moment.

use proptest::prelude::*;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::Scope;
use southbridge_sdk::{IsaDmaTarget, StorageEvents};

use super::{drives, image, send};
use crate::Fdc;
use crate::drive::SECTOR;
use crate::regs::Phase;

#[derive(Clone, Debug)]
enum Action {
    Write(u8, u8),
    Read(u8),
    Command(Vec<u8>),
    /// So many bytes through the FIFO port, in the way the controller wants.
    Fifo(u16),
    Take(u32),
    Give(u16),
    Count,
    Wait(u64),
    End(bool),
    Eject(u32),
    Insert(u32, u16),
    Reset,
}

/// Commands of transfers that begin, and any others.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let code = prop::sample::select(vec![0x46_u8, 0xc6, 0x45, 0xc5, 0x51, 0x59, 0x5d, 0x56, 0x42]);
    let transfer = (code, 0_u8..2, 0_u8..3, 0_u8..20, 0_u8..4, 0_u8..20, any::<u8>());
    prop_oneof![
        3 => transfer.prop_map(|(code, head, track, sect, size, eot, length)| {
            vec![code, head << 2, track, head, sect, size, eot, 0x1b, length]
        }),
        1 => any::<u8>().prop_map(|byte| vec![0x03, byte, byte & 1]),
        1 => prop::collection::vec(any::<u8>(), 1..20),
        1 => Just(vec![0x8e, 1, 2, 3, 4, 5]),
        1 => Just(vec![0x4a, 0]),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1_u8..8, any::<u8>()).prop_map(|(port, value)| Action::Write(port, value)),
        4 => any::<u8>().prop_map(|value| Action::Write(5, value)),
        4 => (1_u8..8).prop_map(Action::Read),
        8 => command().prop_map(Action::Command),
        6 => (0_u16..1200).prop_map(Action::Fifo),
        4 => (0_u32..2000).prop_map(Action::Take),
        4 => (0_u16..2000).prop_map(Action::Give),
        2 => Just(Action::Count),
        2 => (0_u64..30_000_000).prop_map(Action::Wait),
        6 => any::<bool>().prop_map(Action::End),
        1 => (0_u32..2).prop_map(Action::Eject),
        1 => (0_u32..2, 1_u16..3000).prop_map(|(drive, size)| Action::Insert(drive, size)),
        1 => Just(Action::Reset),
    ]
}

fn perform(bench: &mut Bench<Fdc>, action: &Action) -> String {
    let seen = match action {
        Action::Write(port, value) => {
            bench.port_out(0x3f0 + u16::from(*port), 1, (*value).into());
            0
        }
        Action::Read(port) => bench.port_in(0x3f0 + u16::from(*port), 1),
        Action::Command(bytes) => {
            send(bench, bytes);
            0
        }
        Action::Fifo(count) => (0..*count).fold(0_u64, |sum, byte| {
            let status = bench.port_in(0x3f4, 1);
            if status & 0x40 == 0 {
                bench.port_out(0x3f5, 1, u64::from(byte) & 0xff);
                sum
            } else {
                sum.wrapping_mul(31) ^ bench.port_in(0x3f5, 1)
            }
        }),
        Action::Take(length) => {
            let taken = bench.call(|fdc, cx| fdc.take(cx, *length));
            taken.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(*byte))
        }
        Action::Give(length) => {
            let data = vec![0x5a; (*length).into()];
            bench.call(|fdc, cx| fdc.give(cx, &data)).into()
        }
        Action::Count => {
            bench.call(|fdc, cx| fdc.terminal_count(cx));
            0
        }
        Action::Wait(time) => {
            bench.advance(*time);
            0
        }
        Action::End(all) => {
            if *all {
                bench.end_requests();
            } else {
                bench.end_request(Some(southbridge_sdk::wit::Failure::Io));
            }
            0
        }
        Action::Eject(drive) => {
            bench.insert(*drive, None);
            0
        }
        Action::Insert(drive, sectors) => {
            bench.insert_disk(*drive, image((*sectors).into()));
            0
        }
        Action::Reset => {
            bench.end_requests();
            bench.reset();
            0
        }
    };
    format!("{seen:x} {:?} {:?} {:?}", bench.fake.take(), bench.fake.timers, bench.fake.requests)
}

/// Positions are within what the phases take for granted.
fn within(bench: &mut Bench<Fdc>) -> Result<(), String> {
    let fdc = &bench.device;
    let longest = match fdc.phase {
        Phase::Command => 18,
        Phase::Result => 15,
        Phase::Execution => u32::MAX,
    };
    let inside = fdc.phase == Phase::Execution || fdc.data_pos < fdc.data_len;
    if fdc.position() >= SECTOR || !inside || fdc.data_len > longest {
        return Err(format!("{} of {} in {:?}", fdc.data_pos, fdc.data_len, fdc.phase));
    }
    if fdc.position() + fdc.requests.partial > SECTOR {
        return Err(format!("{} given at {}", fdc.requests.partial, fdc.data_pos));
    }
    fdc.check()
}

fn new() -> Bench<Fdc> {
    let mut bench = Bench::<Fdc>::configured(&drives("auto", "120"));
    bench.insert_disk(0, image(2880));
    bench.reset();
    bench
}

/// Another version in the same slot, with the media that are there.
fn successor(bench: &mut Bench<Fdc>) -> Bench<Fdc> {
    bench.end_requests();
    let mut other = Bench::<Fdc>::configured(&drives("auto", "120"));
    other.fake.now = bench.fake.now;
    let media = [0, 1].map(|drive| bench.device.drives[drive].medium);
    for (drive, medium) in (0..).zip(media) {
        if medium.is_some() {
            other.call(|fdc, cx| fdc.medium_changed(cx, drive, medium));
        }
    }
    other.load(Scope::Whole, bench.save(Scope::Whole)).expect("its own state");
    assert_eq!(other.save(Scope::Whole)[0].data, bench.save(Scope::Whole)[0].data);
    assert_eq!(other.fake.lines, bench.fake.lines);
    assert_eq!(other.fake.timers, bench.fake.timers);
    std::mem::swap(&mut other.fake.media, &mut bench.fake.media);
    bench.fake.media = [0, 1]
        .into_iter()
        .filter_map(|drive| {
            let data = other.fake.media.get(&drive)?.data.clone();
            Some((drive, southbridge_sdk::fake::Bytes { data }))
        })
        .collect();
    other.fake.take();
    bench.fake.take();
    other
}

proptest! {
    // A failure is repeated from the seed it prints; nothing is written beside the sources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_position_leaves_the_fifo(actions in prop::collection::vec(action(), 0..80)) {
        let mut bench = new();
        for action in &actions {
            perform(&mut bench, action);
            prop_assert_eq!(within(&mut bench), Ok(()), "{:?}", action);
        }
    }

    #[test]
    fn only_writes_to_the_fifo(
        actions in prop::collection::vec(action(), 0..20),
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let mut bench = new();
        actions.iter().for_each(|action| drop(perform(&mut bench, action)));
        for byte in bytes {
            bench.port_out(0x3f5, 1, byte.into());
            prop_assert_eq!(within(&mut bench), Ok(()));
        }
    }

    #[test]
    fn another_device_goes_on_where_one_stopped(
        before in prop::collection::vec(action(), 0..40),
        after in prop::collection::vec(action(), 0..40),
    ) {
        let mut one = new();
        before.iter().for_each(|action| drop(perform(&mut one, action)));
        let mut other = successor(&mut one);
        let tagless = |mut text: String| {
            // The marks of requests are the device's own.
            while let Some(at) = text.find("tag: ") {
                let end = text[at..].find(',').map_or(text.len(), |length| at + length);
                text.replace_range(at..end, "");
            }
            text
        };
        for action in &after {
            let found = tagless(perform(&mut other, action));
            prop_assert_eq!(found, tagless(perform(&mut one, action)), "{:?}", action);
        }
    }

    #[test]
    fn a_broken_state_is_refused_or_works(
        before in prop::collection::vec(action(), 0..30),
        whole: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        after in prop::collection::vec(action(), 0..30),
    ) {
        let scope = || if whole { Scope::Whole } else { Scope::Stream };
        let mut one = new();
        before.iter().for_each(|action| drop(perform(&mut one, action)));
        one.end_requests();
        let mut sections = one.save(scope());
        let data = &mut sections[0].data;
        // Two of three in the registers, not in the FIFO.
        for (number, (index, value)) in (0..).zip(changes) {
            let at = index.index(data.len());
            let at = if number % 3 > 0 && (9..521).contains(&at) { 521 + at % 40 } else { at };
            data[at] = value;
        }
        let mut other = Bench::<Fdc>::configured(&drives("auto", "120"));
        if other.load(scope(), sections).is_ok() {
            for action in &after {
                perform(&mut other, action);
                prop_assert_eq!(within(&mut other), Ok(()), "{:?}", action);
            }
        }
    }
}
