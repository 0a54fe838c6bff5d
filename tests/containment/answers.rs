//! Devices whose answers are not what they seem.

use super::device::{Device, counter, state};
use super::ground::good;
use super::kind::{Kind, Outcome};
use super::layout::{List, Record};

/// A device that saves this list of sections.
fn saving(mut device: Device, sections: List) -> Device {
    let answer = device.layout.record(&Record::new().list(sections));
    device.answering("save", answer)
}

/// A section with this name and these data.
fn section(device: &mut Device, name: List, data: List) -> List {
    device.layout.list(&[Record::new().list(name).word(1).list(data)])
}

fn save_faults(name: &str, device: Device, reason: &'static str) {
    // The call has come to its end before the host looks at what it says.
    Kind::new(name, device, "save", Outcome::Fault(reason, "")).check();
}

#[test]
fn lists_that_are_not_in_memory_are_no_answers() {
    for (name, list) in [
        ("a huge list", List { at: 0, length: u32::MAX }),
        ("a list that ends outside", List { at: 0x1fffc, length: 1 }),
        ("a list that lies outside", List { at: 0xffff_fffc, length: 1 }),
    ] {
        save_faults(name, saving(good(), list), "out of bounds");
    }
    save_faults("an unaligned list", saving(good(), List { at: 3, length: 1 }), "not aligned");

    for (name, data) in [
        ("huge data", List { at: 0, length: u32::MAX }),
        ("data that end outside", List { at: 0x1fffc, length: 5 }),
        ("data that lie outside", List { at: u32::MAX, length: 1 }),
    ] {
        let mut device = good();
        let text = device.layout.text("hostile");
        let sections = section(&mut device, text, data);
        save_faults(name, saving(device, sections), "out of bounds");
    }
    for (name, answer) in [("an answer outside", u32::MAX - 3), ("an answer at the end", 0x1fffc)] {
        save_faults(name, good().answering("save", answer), "out of bounds");
    }
    save_faults("an unaligned answer", good().answering("save", 1), "not aligned");
}

#[test]
fn strings_that_are_none_are_no_answers() {
    let mut device = good();
    let text = device.layout.text([0xff, 0xfe]);
    let sections = section(&mut device, text, List { at: 0, length: 4 });
    save_faults("a name that is no text", saving(device, sections), "invalid utf-8");

    // Its name, the first field, is nowhere.
    let mut device = good();
    let nowhere = device.layout.record(&(0..27).fold(Record::new(), |r, _| r.word(u32::MAX)));
    let outcome = Outcome::Refused("out of bounds");
    Kind::new("a name outside", device.answering("describe", nowhere), "describe", outcome).check();
    let outcome = Outcome::Refused("out of bounds");
    let device = good().answering("describe", 0xffff_fff0);
    Kind::new("a description outside", device, "describe", outcome).check();
}

#[test]
fn values_that_a_type_does_not_have_are_no_answers() {
    let mut device = good();
    let third = device.layout.record(&Record::new().byte(2).no_text());
    for export in ["configure", "load"] {
        let device = device.clone().answering(export, third);
        let outcome = Outcome::Refused("discriminant");
        Kind::new(format!("neither in {export}"), device, export, outcome).check();
    }
    let device = good().importing("log", "write", "(param i32 i32 i32)").with(
        "io-read",
        "(call $log-write (i32.const 99) (i32.const 0) (i32.const 0)) (i64.const 0)",
    );
    let outcome = Outcome::Fault("discriminant", "io-read");
    Kind::new("a level there is not", device, "io-read", outcome).check();
}

#[test]
fn arguments_are_not_written_outside() {
    for (name, body, reason) in [
        ("outside", "(i32.const -16)", "realloc return: beyond end of memory"),
        ("unaligned", "(i32.const 0x10001)", "realloc return: result not aligned"),
    ] {
        let device = good().allocating(body);
        let outcome = Outcome::Refused(reason);
        Kind::new(format!("cabi_realloc {name}"), device, "configure", outcome).check();
    }
}

#[test]
fn what_is_in_memory_once_is_not_copied_without_end() {
    // A million sections, each with all the memory as its data.
    let mut device = good().sized("1000");
    let text = device.layout.text("hostile");
    let data = List { at: 0, length: 60 << 20 };
    let one = section(&mut device, text, data);
    let device = device.and(&format!(
        "(func $many (result i32) (local $n i32) \
         (loop $again \
         (memory.copy (i32.add (i32.const 0x100000) (i32.mul (local.get $n) (i32.const 20))) \
         (i32.const {}) (i32.const 20)) \
         (local.set $n (i32.add (local.get $n) (i32.const 1))) \
         (br_if $again (i32.lt_u (local.get $n) (i32.const 1000000)))) \
         (i32.store (i32.const 0x300) (i32.const 0x100000)) \
         (i32.store (i32.const 0x304) (i32.const 1000000)) \
         (i32.const 0x300))",
        one.at
    ));
    save_faults("60 TB of state", device.with("save", "(call $many)"), "fuel");
}

#[test]
fn a_reason_is_cut() {
    let mut device = good();
    let reason = device.layout.text("x\n".repeat(20_000));
    let refusal = Record::new().byte(1).word(0).word(0).word(0).word(0).word(0).list(reason);
    let answer = device.layout.record(&refusal);
    let outcome = Outcome::Refused("refuses the state");
    Kind::new("a long refusal", device.clone().answering("load", answer), "load", outcome).check();
    let answer = device.layout.record(&Record::new().byte(1).list(reason));
    let outcome = Outcome::Refused("refuses its properties");
    Kind::new("a long reason", device.answering("configure", answer), "configure", outcome).check();
}

/// A device that describes its state so.
fn describing(describe: impl Fn(&mut Device) -> u32) -> Device {
    let mut device = good();
    let answer = describe(&mut device);
    device.answering("describe-state", answer)
}

#[test]
fn descriptions_that_never_end_are_refused() {
    let fields = |device: &mut Device, fields: &[(u32, u32, Option<u32>)]| {
        let fields: Vec<_> = (fields.iter())
            .map(|&(count, size, row)| counter(&mut device.layout, count, size, row))
            .collect();
        state(&mut device.layout, &fields)
    };
    let itself = describing(|device| fields(device, &[(1, 4, Some(0))]));
    let nowhere = describing(|device| fields(device, &[(1, 4, Some(7))]));
    let empty = describing(|device| fields(device, &[(u32::MAX, 0, None)]));
    // Each of 14 structures has the next one a thousand times.
    let tower = describing(|device| {
        let mut rows: Vec<_> = (1..14).map(|next| (1000, 0, Some(next))).collect();
        rows.push((1, 4, None));
        fields(device, &rows)
    });
    for (name, device, reason) in [
        ("a structure in itself", itself, "structure 0"),
        ("a structure that is not there", nowhere, "structure 7"),
        ("four billion elements", empty, "elements"),
        ("a tower of structures", tower, "elements"),
    ] {
        Kind::new(name, device, "describe-state", Outcome::Refused(reason)).check();
    }
}

#[test]
fn a_state_that_lies_does_not_take_the_place_of_another() {
    let mut other_name = good();
    let text = other_name.layout.text("other");
    let sections = section(&mut other_name, text, List { at: 0x200, length: 4 });
    let mut longer = good();
    let text = longer.layout.text("hostile");
    let sections_longer = section(&mut longer, text, List { at: 0x200, length: 5 });
    let mut none = good();
    let no_sections = none.layout.list(&[]);
    for (name, device) in [
        ("a section that is not described", saving(other_name, sections)),
        ("a section longer than described", saving(longer, sections_longer)),
        ("a load that keeps nothing", good().with("load", "(i32.const 0x100)")),
    ] {
        let outcome = Outcome::Refused("does not keep the state");
        Kind::new(name, device, "load", outcome).check();
    }
    // What it does not save nobody can compare; it is known not to be there.
    let outcome = Outcome::GoesOn { violations: 0 };
    Kind::new("no sections", saving(none, no_sections), "save", outcome).check();
}
