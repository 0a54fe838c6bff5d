//! A second version beside a device: before a swap, to compare the two; after it, to
//! step in. And what happens to a device, kept and repeated elsewhere.

mod common {
    pub(crate) mod rig;
    pub(crate) mod zoo;
}

use std::time::Duration;

use southbridge::bench::{Record, Rig as Bench, print_outcome};
use southbridge::clock::Clock;
use southbridge::component::Effects;
use southbridge::machine::Error;
use southbridge::slot::{RecordError, SwapError, Verdict};

use common::rig::{
    Arrival, COUNT, LEVEL, Rig, SECOND_COUNT, SECOND_LEVEL, STREAM, TIMER, WRITES, image, library,
};

/// Long enough for any test.
const LONG: Duration = Duration::from_secs(3600);

fn verdict(rig: &Rig, slot: &str) -> Verdict {
    rig.machine.shadow_status(slot).unwrap().expect("there is a shadow").verdict
}

fn swap_error(error: Error) -> SwapError {
    match error {
        Error::Swap { source, .. } => *source,
        other => panic!("{other}"),
    }
}

#[test]
fn a_shadow_that_does_the_same_is_committed() {
    let rig = Rig::counters();
    rig.write(COUNT, 4, 7);
    rig.machine.shadow("first", &image("twin"), 5).unwrap();
    let runs = swap_error(rig.machine.commit("first", None).unwrap_err());
    assert!(matches!(runs, SwapError::ShadowRuns { accesses: 0, wanted: 5 }), "{runs}");
    assert_eq!(rig.read(COUNT, 4), 7);
    rig.write(LEVEL, 4, 1);
    rig.write(STREAM, 4, 0x41);
    rig.write(TIMER, 4, 100);
    rig.machine.advance(100, &mut Effects::new());
    assert_eq!(verdict(&rig, "first"), Verdict::Running);
    assert_eq!(rig.read(TIMER, 4), 1);
    assert_eq!(verdict(&rig, "first"), Verdict::Agreed);
    let status = rig.machine.shadow_status("first").unwrap().unwrap();
    assert_eq!((status.accesses, status.calls), (5, 6), "five accesses and a timer");
    // The guest has seen one device only.
    assert_eq!(rig.said.bytes(), b"A");

    let swapped = rig.machine.commit("first", None).unwrap();
    assert_eq!(swapped.to.hash(), image("twin").hash());
    assert_eq!(rig.read(COUNT, 4), 7);
    assert_eq!(rig.status("first").counts.swaps, 1);
    let none = swap_error(rig.machine.commit("first", None).unwrap_err());
    assert!(matches!(none, SwapError::NoShadow), "{none}");
}

#[test]
fn the_first_difference_is_told_with_what_came_before() {
    let rig = Rig::counters();
    rig.machine.shadow("first", &image("second"), 1000).unwrap();
    rig.write(COUNT, 4, 3);
    rig.read(COUNT, 4);
    // Version 2 counts the writes there.
    assert_eq!(rig.read(WRITES, 4), 0);
    let Verdict::Differed(difference) = verdict(&rig, "first") else { panic!("it differs") };
    assert_eq!(difference.input, "read region 0 offset 0x14 size 4");
    assert_eq!(difference.expected, "answers 0x0");
    assert_eq!(difference.found, "answers 0x1");
    assert_eq!(
        difference.history,
        [
            "0: write region 0 offset 0x0 size 4 value 0x3",
            "0: read region 0 offset 0x0 size 4 -> 0x3"
        ]
    );
    let refused = swap_error(rig.machine.commit("first", None).unwrap_err());
    assert!(matches!(refused, SwapError::ShadowDiffered), "{refused}");
    // The device goes on as ever.
    assert_eq!(rig.read(COUNT, 4), 3);
    assert!(rig.machine.end_shadow("first").unwrap());
    assert!(!rig.machine.end_shadow("first").unwrap());
    assert!(rig.machine.shadow_status("first").unwrap().is_none());
}

#[test]
fn a_shadow_that_fails_differs_and_harms_nobody() {
    for kind in ["traps-in-read", "grows", "recurses", "floods"] {
        let rig = Rig::counters();
        rig.machine.shadow("first", &image(kind), 1000).unwrap();
        rig.write(COUNT, 4, 3);
        assert_eq!(rig.read(COUNT, 4), 3, "{kind}");
        let Verdict::Differed(difference) = verdict(&rig, "first") else { panic!("{kind}") };
        assert!(difference.found.contains("io-read"), "{kind}: {}", difference.found);
        assert!(rig.status("first").fault.is_none(), "{kind}");
        assert_eq!(rig.status("first").counts.faults, 0, "{kind}");
        assert_eq!(rig.said.bytes(), b"", "{kind}");
    }
}

#[test]
fn what_cannot_be_a_shadow_is_refused() {
    let rig = Rig::counters();
    let refused =
        |kind: &str| swap_error(rig.machine.shadow("first", &image(kind), 1).unwrap_err());
    assert!(matches!(refused("other-lines"), SwapError::OtherShape { what: "lines", .. }));
    assert!(matches!(refused("refuses"), SwapError::Refused(_)));
    rig.write(COUNT, 4, 7);
    assert!(matches!(refused("loses"), SwapError::StateLost(_)));
    let unknown = rig.machine.shadow("third", &image("twin"), 1).unwrap_err().to_string();
    assert!(unknown.contains("third"), "{unknown}");

    let failed = Rig::counters_of("traps-in-read", "first");
    failed.read(COUNT, 4);
    let error = swap_error(failed.machine.shadow("first", &image("twin"), 1).unwrap_err());
    assert!(matches!(error, SwapError::NothingToShadow), "{error}");

    let unsaved = Rig::counters_of("traps-in-save", "first");
    unsaved.write(COUNT, 4, 7);
    let error = swap_error(unsaved.machine.shadow("first", &image("twin"), 1).unwrap_err());
    assert!(matches!(error, SwapError::OldFaulted(_)), "{error}");
    assert_eq!(unsaved.read(COUNT, 4), 0xffff_ffff, "it is out of service");
    assert_eq!(unsaved.status("first").counts.faults, 1);

    let text = "[machine.shown]\n\
        inherits = \"pc-i440fx-7.2\"\n\
        description = \"A PC with a display\"\n\
        device.vga = { component = \"vga\", at = \"host-bridge/pci\", grants = [\"memories\"] }\n";
    let shown = Rig::try_new("shown", text, Clock::manual()).unwrap();
    let vga = library().get("vga").unwrap();
    let error = swap_error(shown.machine.shadow("vga", &vga, 1).unwrap_err());
    assert!(matches!(error, SwapError::NotTwo(_)), "{error}");
    let error = swap_error(shown.machine.swap_guarded("vga", &vga, LONG).unwrap_err());
    assert!(matches!(error, SwapError::NotTwo(_)), "{error}");
}

#[test]
fn a_shadow_ends_with_the_state_that_it_knows() {
    let rig = Rig::counters();
    let twin = image("twin");
    rig.machine.shadow("first", &twin, 1000).unwrap();
    rig.machine.swap("first", &image("first")).unwrap();
    assert!(matches!(verdict(&rig, "first"), Verdict::Ended(_)));
    let ended = swap_error(rig.machine.commit("first", None).unwrap_err());
    assert!(matches!(ended, SwapError::ShadowEnded(_)), "{ended}");

    // A reset is a call like others.
    rig.machine.shadow("first", &twin, 1).unwrap();
    rig.machine.reset();
    assert_eq!(verdict(&rig, "first"), Verdict::Running);
    rig.read(COUNT, 4);
    assert_eq!(verdict(&rig, "first"), Verdict::Agreed);
}

#[test]
fn a_shadow_hears_what_the_device_is_told_on_its_buses() {
    let pc = Rig::of_program("pc-i440fx-7.2");
    let pm = library().get("piix4-pm").unwrap();
    pc.configure(0x0b90, 0xb101);
    pc.configure(0x0bd0, 0x0001_0000);
    pc.configure(0x0b04, 0x0000_0001);
    pc.machine.shadow("pm", &pm, 1000).unwrap();
    pc.machine.record("pm", 1000).unwrap();
    let bytes = read_eeprom(&pc, 8);
    assert_eq!(bytes.len(), 8);
    assert_eq!(verdict(&pc, "pm"), Verdict::Running, "{:?}", verdict(&pc, "pm"));
    assert!(pc.machine.shadow_status("pm").unwrap().unwrap().accesses >= 40);

    // The bench has other EEPROMs: what was heard is what the record says.
    let recording = pc.machine.recording("pm").unwrap();
    let record = Record::of_recording(&recording);
    let text = record.text(recording.image.description());
    assert!(text.contains("> hear i2c-receive smbus 0x50 "), "{text}");
    assert_repeats(&text, &recording.image);
}

/// Reads bytes of the first EEPROM by the host controller of piix4-pm.
fn read_eeprom(pc: &Rig, count: u8) -> Vec<u8> {
    let port = |register: u16| 0xb100 + register;
    let read = |offset: u8| {
        pc.write(port(0), 1, 0x1f);
        pc.write(port(4), 1, 0xa1);
        pc.write(port(3), 1, offset.into());
        // A byte, from the offset: start it.
        pc.write(port(2), 1, 0x48);
        let status = (0..100).map(|_| pc.read(port(0), 1)).find(|status| status & 1 == 0);
        assert!(status.is_some_and(|status| status & 0x02 != 0), "{status:?}");
        pc.read(port(5), 1) as u8
    };
    (0..count).map(read).collect()
}

#[test]
fn a_guard_answers_in_the_place_of_a_version_that_fails() {
    for kind in ["traps-in-read", "loops", "floods"] {
        let rig = Rig::counters();
        rig.write(SECOND_COUNT, 4, 7);
        rig.write(SECOND_LEVEL, 4, 1);
        rig.write(0x708, 4, 5000);
        assert_eq!(rig.board.take(), [Arrival::Gsi(5, true)]);
        rig.machine.swap_guarded("second", &image(kind), LONG).unwrap();
        rig.write(SECOND_COUNT, 4, 9);

        assert_eq!(rig.read(SECOND_COUNT, 4), 16, "{kind}: the guard has seen the write");
        assert_eq!(rig.board.take(), [], "{kind}: its lines have not moved");
        assert_eq!(rig.machine.next_deadline(), Some(5000), "{kind}");
        let status = rig.status("second");
        assert!(status.fault.is_none(), "{kind}");
        assert_eq!(status.image.hash(), image("first").hash(), "{kind}");
        assert_eq!((status.counts.faults, status.counts.restores), (1, 1), "{kind}");
        let fault = rig.machine.faults(None).unwrap().pop().expect("it is told");
        assert_eq!(fault.rolled_back_to.as_deref(), Some("counter 1.0.0"), "{kind}");
        // The device is alone again, and works.
        rig.machine.advance(5000, &mut Effects::new());
        assert_eq!(rig.read(0x708, 4), 1, "{kind}");
    }
}

#[test]
fn a_guard_guards_for_its_time_only() {
    let rig = Rig::counters();
    rig.machine.swap_guarded("second", &image("traps-in-read"), Duration::ZERO).unwrap();
    rig.write(SECOND_COUNT, 4, 9);
    assert_eq!(rig.read(SECOND_COUNT, 4), 0xffff_ffff);
    assert!(rig.status("second").fault.is_some());
    assert_eq!(rig.machine.faults(None).unwrap().pop().expect("it is told").rolled_back_to, None);
}

/// Checks that what a record says came comes again, on this component.
fn assert_repeats(text: &str, component: &southbridge::component::Image) {
    assert_eq!(differences(text, component), Vec::<String>::new(), "{text}");
}

/// The actions of a record that come to something else on a component.
fn differences(text: &str, component: &southbridge::component::Image) -> Vec<String> {
    let of = component.description();
    let record = Record::parse(text, of).expect("it was written for such a device");
    let mut bench = Bench::new(&record.subject(component.clone())).expect("it can be plugged");
    let mut differences = Vec::new();
    for step in &record.steps {
        let came = print_outcome(&bench.perform(&step.action), of);
        if let Some(recorded) = step.came.as_ref().filter(|recorded| **recorded != came) {
            differences.push(format!("line {}: {recorded:?}, {came:?}", step.line));
        }
    }
    differences
}

/// Some of all that can happen to `first`.
fn use_first(rig: &Rig, rounds: u64) {
    for round in 1..=rounds {
        let count = rig.read(COUNT, 4);
        rig.write(COUNT, 4, round);
        rig.write(LEVEL, 4, round & 1);
        rig.write(TIMER, 4, 100);
        rig.machine.advance(100 + round, &mut Effects::new());
        rig.write(STREAM, 4, 0x41);
        assert_eq!(rig.read(COUNT, 4), count + round, "a write adds");
        rig.read(TIMER, 4);
    }
}

#[test]
fn the_last_calls_are_kept_and_repeated_on_any_version() {
    let rig = Rig::counters();
    use_first(&rig, 3);
    rig.machine.record("first", 10).unwrap();
    let empty = rig.machine.recording("first").err().expect("nothing has happened");
    assert!(matches!(empty, Error::Record { source: RecordError::Empty, .. }), "{empty}");
    use_first(&rig, 10);
    let recording = rig.machine.recording("first").unwrap();
    assert!((10..=20).contains(&recording.calls()), "{}", recording.calls());
    let text = Record::of_recording(&recording).text(recording.image.description());
    assert_repeats(&text, &image("first"));
    assert_repeats(&text, &image("twin"));
    // A version that is another one is found out.
    assert!(!differences(&text, &image("loses")).is_empty());

    rig.machine.end_record("first").unwrap();
    let error = rig.machine.end_record("first").unwrap_err();
    assert_eq!(error.to_string(), "slot first: the device is not recorded");
}

#[test]
fn a_fault_is_kept_with_what_led_to_it() {
    let rig = Rig::counters_of("traps-in-read", "first");
    rig.machine.record("first", 100).unwrap();
    rig.write(COUNT, 4, 7);
    rig.write(LEVEL, 4, 1);
    rig.read(COUNT, 4);
    assert!(rig.status("first").fault.is_some());
    // Also when another version has taken its place.
    rig.machine.swap("first", &image("first")).unwrap();
    rig.read(COUNT, 4);
    let recording = rig.machine.recording("first").unwrap();
    assert_eq!(recording.calls(), 3);
    let text = Record::of_recording(&recording).text(recording.image.description());
    assert!(text.contains("< FAILED io-read"), "{text}");
    assert_repeats(&text, &image("traps-in-read"));
    assert_eq!(differences(&text, &image("first")).len(), 1, "the version that works");
}

#[test]
fn what_a_record_would_not_say_is_refused() {
    let pc = Rig::of_program("pc-i440fx-7.2");
    let error = pc.machine.record("pm", 0).unwrap_err();
    assert_eq!(error.to_string(), "slot pm: a record of at least one call expected");
    let error = pc.machine.record("ide", 10).unwrap_err().to_string();
    assert_eq!(error, "slot ide: the device has drives: a record would not say what is in there");
    let error = pc.machine.record("nowhere", 10).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
