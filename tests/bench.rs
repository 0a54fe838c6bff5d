//! The bench for one device: devices of this project pass, and each bad one is found
//! out with few actions.

mod common {
    pub(crate) mod zoo;
}

use std::sync::OnceLock;
use std::time::Duration;

use southbridge::bench::{
    Action, Breach, FuzzOptions, Options, Record, Rig, Subject, check, compare, fuzz, judge,
    measure, quietly,
};
use southbridge::builtin;
use southbridge::component::{Engine, Error, Image, Interface, Limits, PropertyValue};
use southbridge::slot::GivenProperty;

use common::zoo;

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(None).expect("this processor will do"))
}

/// A component of the zoo, which may take a tenth of a second for a call.
fn kind(kind: &str) -> Subject {
    let image = engine().load(&zoo::component(kind)).expect("it is a device");
    let limits = Limits { deadline: Duration::from_millis(100), ..Limits::default() };
    Subject { limits, ..Subject::new(image) }
}

fn options(steps: u64) -> Options {
    Options { seed: 1, steps, ..Options::default() }
}

/// How a device breaks a law, which it must.
fn breach(subject: &Subject, law: &str) -> Breach {
    let verdicts = quietly(|| check(subject, &options(8000))).expect("it can be plugged");
    let found = verdicts.into_iter().find(|verdict| verdict.law == law).expect("there is the law");
    found.breach.unwrap_or_else(|| panic!("law {law} is kept"))
}

/// The actions of a record, as text.
fn actions(record: &Record, image: &Image) -> Vec<String> {
    let text = record.text(image.description());
    text.lines().filter_map(|line| line.strip_prefix("> ")).map(str::to_owned).collect()
}

/// Checks that a breach is shown with these actions, whose last words may be anything,
/// and that its record shows it again.
fn assert_shown(subject: &Subject, law: &str, how: &str, expected: &[&str]) {
    let found = breach(subject, law);
    assert!(found.how.contains(how), "{law}: {}", found.how);
    let shown = actions(&found.record, &subject.image);
    let fits = |(shown, expected): (&String, &&str)| match expected.strip_suffix("...") {
        Some(start) => shown.starts_with(start),
        None => shown == expected,
    };
    assert_eq!(shown.len(), expected.len(), "{law}: {shown:#?}");
    assert!(shown.iter().zip(expected).all(fits), "{law}: {shown:#?}");

    let of = subject.image.description();
    let read = Record::parse(&found.record.text(of), of).expect("it was written for this device");
    assert_eq!(read.law.as_deref(), Some(law));
    let again = Subject { limits: subject.limits, ..read.subject(subject.image.clone()) };
    let judged = quietly(|| judge(law, &again, &read.actions())).expect("there is the law");
    assert_eq!(judged, Err(found.how));
}

/// What is as it is because QEMU's is: a reset of the HPET gives the interval timer its
/// interrupt back, unless the timer's own reset does.
const EXCEPT: [(&str, &str); 1] = [("hpet", "reset")];

#[test]
fn every_device_of_this_project_keeps_the_laws() {
    let mut checked = 0;
    for (name, bytes) in builtin::components() {
        let image = engine().load(bytes).expect(name);
        let verdicts = quietly(|| check(&Subject::new(image.clone()), &options(1500))).expect(name);
        for verdict in verdicts.into_iter().filter(|verdict| !verdict.is_advice) {
            if EXCEPT.contains(&(name, verdict.law)) {
                continue;
            }
            if let Some(Breach { how, record }) = verdict.breach {
                panic!("{name}: {}: {how}\n{}", verdict.law, record.text(image.description()));
            }
        }
        checked += 1;
    }
    assert_eq!(checked, builtin::components().count());
    assert!(checked > 20);
}

#[test]
fn both_versions_of_a_good_device_keep_all_laws() {
    for version in ["first", "second"] {
        let verdicts =
            quietly(|| check(&kind(version), &options(3000))).expect("it can be plugged");
        let broken = verdicts.into_iter().find_map(|v| v.breach.map(|breach| (v.law, breach.how)));
        assert_eq!(broken, None, "{version}");
    }
}

#[test]
fn a_device_that_fails_is_out_of_service_after_one_read() {
    for (failing, how) in [
        ("traps-in-read", "unreachable"),
        ("loops", "outlived its deadline"),
        ("grows", "growing memory"),
        ("recurses", "call stack exhausted"),
        ("floods", "more effects than a call may"),
    ] {
        let subject = kind(failing);
        assert_shown(&subject, "in-service", how, &["read registers ..."]);
    }
}

#[test]
fn laws_about_state_are_shown_broken_by_one_or_two_actions() {
    let cases: [(&str, &str, &str, &[&str]); 7] = [
        ("counts-resets", "reset", "after a second reset counter.count is 00000003", &["reset"]),
        ("counts-saves", "save", "", &["save ..."]),
        (
            "loses",
            "replay",
            "does not keep the state: counter.count is 00000000",
            &["write registers 0x0 4 0x1", "exchange"],
        ),
        (
            "hides",
            "replay",
            "\"OK 0x0\", \"OK 0x1\" expected",
            &["write registers ...", "exchange", "read registers 0x14 4"],
        ),
        ("refuses", "stream", "is not to my taste", &["save stream"]),
        ("misdescribes", "description", "1 bytes more than described", &["save whole"]),
        ("trusts", "load", "unreachable", &["load ..."]),
    ];
    for (bad, law, how, expected) in cases {
        assert_shown(&kind(bad), law, how, expected);
    }
}

#[test]
fn laws_about_what_was_declared_are_shown_broken() {
    let what = "Line { line: 99, level: true }";
    assert_shown(&kind("undeclared"), "declared", what, &["read registers ..."]);
    let subject = kind("no-stream");
    assert_shown(&subject, "imports", "imports streams, and declares no stream", &[]);
    assert_shown(&subject, "declared", "Put", &["write registers 0xc 4 0x0"]);
    let subject = kind("any-width");
    assert_shown(
        &subject,
        "width",
        "in parts of",
        &["write registers 0x...", "read registers 0x..."],
    );
}

#[test]
fn what_is_imported_must_be_granted() {
    let subject = Subject::new(engine().load(&zoo::with_power()).expect("it is a device"));
    let broken = |grants: &[Interface]| {
        let grants = Some(grants.iter().copied().collect());
        let options = Options { grants, ..options(10) };
        let verdicts = check(&subject, &options).expect("it can be plugged");
        verdicts.into_iter().find_map(|verdict| verdict.breach).map(|breach| breach.how)
    };
    assert_eq!(broken(&[Interface::Streams, Interface::Power]), None);
    let how = broken(&[Interface::Streams]).expect("it asks for more");
    assert!(how.starts_with("imports power, which is not granted"), "{how}");
}

#[test]
fn the_same_seed_gives_the_same_verdicts() {
    let subject = kind("hides");
    let text = |seed| {
        let options = Options { seed, steps: 500, ..Options::default() };
        let verdicts = quietly(|| check(&subject, &options)).expect("it can be plugged");
        let breaches = verdicts.into_iter().filter_map(|verdict| verdict.breach);
        breaches.map(|b| b.how + &b.record.text(subject.image.description())).collect::<String>()
    };
    assert_eq!(text(7), text(7));
    assert!(!text(7).is_empty());
}

/// Fuzzes for some runs; what was found, with the actions that lead there.
fn findings(subject: &Subject, runs: u64) -> Vec<(String, Vec<String>)> {
    let mut findings = Vec::new();
    let options = FuzzOptions { seed: 1, runs: Some(runs), ..FuzzOptions::default() };
    let tally = quietly(|| {
        fuzz(subject, &options, |finding| {
            let actions = actions(&finding.record, &subject.image);
            findings.push((finding.what, actions));
            Ok::<_, Error>(())
        })
    });
    let tally = tally.expect("it can be plugged");
    assert_eq!(tally.runs, runs);
    assert!(tally.actions >= runs);
    findings
}

#[test]
fn fuzzing_finds_each_kind_of_failure_once() {
    let found = findings(&kind("traps-in-read"), 20);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("unreachable"), "{found:?}");
    assert_eq!(found[0].1.len(), 1, "{found:?}");
    assert!(found[0].1[0].starts_with("read "), "{found:?}");

    let found = findings(&kind("trusts"), 100);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.len() == 1 && found[0].1[0].starts_with("load "), "{found:?}");

    let found = findings(&kind("trusts-property"), 100);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.starts_with("configure failed"), "{found:?}");
    assert!(found[0].1.is_empty(), "{found:?}");

    let found = findings(&kind("loses"), 20);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("does not keep the state: counter.count is"), "{found:?}");

    assert_eq!(findings(&kind("first"), 50), []);
}

#[test]
fn a_record_by_hand_says_what_came() {
    let image = kind("first").image;
    let text = "southbridge record 1\n\
        # by hand\n\
        property iobase 0x700\n\
        > write registers 0x8 4 100\n\
        > line in high\n\
        > line in high\n\
        > advance 250\n\
        > read registers 8 4\n\
        > write registers 4 4 1\n\
        > receive data 00\n\
        > load whole\n\
        > load stream counter 9 00\n\
        > reset\n";
    let of = image.description();
    let record = Record::parse(text, of).expect("it is for this device");
    let made = Record::make(&record.subject(image.clone()), &record.actions()).expect("plugged");
    let expected = "southbridge record 1\n\
        device counter 1.0.0\n\
        component HASH\n\
        property iobase 0x700\n\
        > write registers 0x8 4 0x64\n< arm timer 100\n< OK\n\
        > line in high\n< OK\n\
        > line in high\n< OK\n\
        > advance 250\n< expired timer\n< OK\n\
        > read registers 0x8 4\n< OK 0x1\n\
        > write registers 0x4 4 0x1\n< line out high\n< OK\n\
        > receive data 00\n< OK 0x0\n\
        > load whole\n< line out low\n< OK\n\
        > load stream counter 9 00\n\
        < REFUSED counter: version 9, 1 to 1 expected\n\
        > reset\n< line out low\n< OK\n";
    let found = made.text(of).replace(image.hash(), "HASH");
    // The words of the refusal are the SDK's.
    let without_refusal = |text: &str| {
        text.lines().filter(|line| !line.starts_with("< REFUSED")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_refusal(&found), without_refusal(expected));
    assert!(found.contains("< REFUSED counter"), "{found}");
}

#[test]
fn a_record_that_is_wrong_says_where() {
    let image = kind("first").image;
    for (line, error) in [
        ("> read register 0 4", "line 2: no region \"register\": the device has registers"),
        ("> read registers 0 3", "line 2: \"3\": a width of 1, 2, 4 or 8 bytes expected"),
        ("> read registers 0", "line 2: \"read registers 0\": read REGION OFFSET SIZE expected"),
        ("> write registers 0 1 256", "line 2: 0x100: no more than 1 bytes expected"),
        ("> line out maybe", "line 2: \"maybe\": one of high, low expected"),
        ("> jump", "line 2: \"jump\": one of reset, read, write"),
        ("< OK", "line 2: an action, with >, expected before"),
        ("what", "line 2: \"what\": device NAME VERSION"),
        ("> reset\ndevice x", "line 3: \"device\": a line with >, < or # expected"),
        ("> ram 0 0", "line 2: \"0\": bytes in hexadecimal"),
    ] {
        let text = format!("southbridge record 1\n{line}\n");
        let found = Record::parse(&text, image.description()).expect_err(line);
        assert!(found.starts_with(error), "{line}: {found}");
    }
    let found = Record::parse("> reset\n", image.description()).expect_err("no first line");
    assert_eq!(found, "line 1: \"southbridge record 1\" expected");
}

#[test]
fn two_versions_are_compared_action_by_action() {
    let (first, second) = (kind("first"), kind("second"));
    let read = |offset| Action::Read { region: 0, offset, size: 4 };
    let write = Action::Write { region: 0, offset: 0, size: 4, value: 3 };
    let same = [write.clone(), read(0)];
    assert_eq!(compare((&first, &same), (&second, &same)).expect("plugged"), None);
    let differing = [write, read(0), read(0x14)];
    let found = compare((&first, &differing), (&second, &differing)).expect("plugged");
    let found = found.expect("the second version has a register more");
    assert_eq!(
        (found.action, found.one, found.other),
        (Some(2), vec!["OK 0x0".to_owned()], vec!["OK 0x1".to_owned()],)
    );
}

#[test]
fn properties_are_those_of_the_subject() {
    let mut subject = kind("first");
    let value = PropertyValue::Number(0x1_0000);
    subject.properties = vec![GivenProperty { name: "iobase".into(), value }];
    let error = Rig::new(&subject).err().expect("it is out of range").to_string();
    assert!(error.contains("iobase: 65536 is out of range"), "{error}");
}

#[test]
fn what_a_machine_does_is_timed() {
    let times = measure(&kind("first"), 20).expect("it can be plugged");
    let whats: Vec<_> = times.iter().map(|times| times.what.as_str()).collect();
    assert_eq!(whats, ["plug", "read registers (port, 4 bytes)", "save", "load", "exchange"]);
    for times in &times {
        assert!(times.least() <= times.median() && times.median() <= times.p99());
        assert!(times.least() > Duration::ZERO && times.p99() < Duration::from_secs(5));
    }
}
