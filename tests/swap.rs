//! Replacing devices while the machine runs: what is kept, and what is refused.

mod common {
    pub(crate) mod guest;
    pub(crate) mod rig;
    pub(crate) mod zoo;
}

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use iced_x86::code_asm::{al, bl, dx, ebx};
use southbridge::clock::Clock;
use southbridge::component::Effects;
use southbridge::guest::{Boot, Cause, Outcome};
use southbridge::machine::Error;
use southbridge::slot::SwapError;

use common::guest::{self, Running};
use common::rig::{
    Arrival, COUNT, LEVEL, Rig, SECOND_COUNT, SECOND_EDGES, SECOND_LEVEL, STREAM, TIMER, WRITES,
    engine, image, library,
};
use common::zoo;

/// Ends the threads of a scope, whether the test goes well or fails.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every mapping of the machine: address, slot, region.
fn mappings(rig: &Rig) -> Vec<(u64, u64, String, u32)> {
    let spaces = [rig.machine.ports(), rig.machine.memory()];
    let mappings = spaces.into_iter().flat_map(|space| space.mappings());
    mappings.map(|m| (m.base, m.last, m.slot.name().to_string(), m.region)).collect()
}

#[test]
fn two_hundred_swaps_are_not_seen() {
    let rig = Rig::counters();
    let twin = image("twin");
    let versions = [&twin, &image("first")];
    assert_ne!(versions[0].hash(), versions[1].hash());

    rig.write(COUNT, 4, 7);
    rig.write(LEVEL, 4, 1);
    rig.write(SECOND_LEVEL, 4, 1);
    rig.write(STREAM, 4, 0x41);
    rig.write(TIMER, 4, 100);
    rig.machine.advance(100, &mut Effects::new());
    rig.write(TIMER, 4, 5000);
    assert_eq!(rig.board.take(), [Arrival::Gsi(5, true)]);
    let (before, edges) = (mappings(&rig), rig.read(SECOND_EDGES, 4));

    for round in 0..200 {
        let swapped = rig.machine.swap("first", versions[round % 2]).unwrap();
        rig.machine.swap("second", versions[round % 2]).unwrap();
        assert!(swapped.state_moved);
        assert_eq!(swapped.to.hash(), versions[round % 2].hash());
        assert_eq!(rig.read(COUNT, 4), 7);
        assert_eq!(rig.read(LEVEL, 4), 1);
        // State that QEMU would not migrate.
        assert_eq!(rig.read(STREAM, 4), 0x41);
        assert_eq!(rig.read(TIMER, 4), 1);
        assert_eq!(rig.machine.next_deadline(), Some(5100));
        assert_eq!(rig.board.take(), []);
        assert_eq!(rig.read(SECOND_EDGES, 4), edges);
        rig.machine.advance(10, &mut Effects::new());
    }
    assert_eq!(mappings(&rig), before);
    assert_eq!(rig.said.bytes(), b"A");
    assert_eq!(rig.status("first").counts.swaps, 200);

    // The timer of the first of all these devices expires, once.
    rig.machine.advance(10_000, &mut Effects::new());
    assert_eq!(rig.read(TIMER, 4), 2);
    assert_eq!(rig.machine.next_deadline(), None);
}

#[test]
fn a_version_with_a_new_field_takes_the_state_and_gives_it_back() {
    let rig = Rig::counters();
    let second = image("second");
    rig.write(COUNT, 4, 7);
    rig.write(TIMER, 4, 500);
    let swapped = rig.machine.swap("first", &second).unwrap();
    assert_eq!(
        (swapped.from.title(), swapped.to.title()),
        ("counter 1.0.0".into(), "counter 2.0.0".into())
    );
    assert_eq!(rig.read(COUNT, 4), 7);
    rig.write(COUNT, 4, 1);
    assert_eq!(rig.read(WRITES, 4), 1);
    rig.machine.swap("first", &second).unwrap();
    assert_eq!(rig.read(WRITES, 4), 1);

    let swapped = rig.machine.roll_back("first").unwrap();
    assert_eq!(swapped.to.title(), "counter 2.0.0", "the version before this one");
    let swapped = rig.machine.swap("first", &image("first")).unwrap();
    assert!(swapped.state_moved);
    assert_eq!(rig.read(COUNT, 4), 8);
    assert_eq!(rig.read(WRITES, 4), 0);
    assert_eq!(rig.machine.next_deadline(), Some(500));
    let swapped = rig.machine.roll_back("first").unwrap();
    assert_eq!(swapped.to.title(), "counter 2.0.0");
    assert_eq!(rig.read(COUNT, 4), 8);
}

#[test]
fn there_is_nothing_to_go_back_to_at_first() {
    let rig = Rig::counters();
    let error = rig.machine.roll_back("first").unwrap_err();
    assert_eq!(
        error.to_string(),
        "slot first: there is no earlier version to go back to; the old version stays"
    );
    let error = rig.machine.swap("third", &image("first")).unwrap_err();
    assert_eq!(error.to_string(), "no slot \"third\"; this machine has first, second");
}

#[test]
fn a_version_that_fails_leaves_the_old_one_in_place() {
    let rig = Rig::counters();
    rig.write(COUNT, 4, 7);
    rig.write(LEVEL, 4, 1);
    rig.write(TIMER, 4, 5000);
    rig.write(STREAM, 4, 0x41);
    rig.board.take();
    let cases = [
        ("refuses", "the new version refuses the state: count 7 is not to my taste"),
        (
            "loses",
            "the new version does not keep the state: counter.count is 00000000, was 00000007",
        ),
        ("other-lines", "the new version declares other lines: Line { name: \"output\""),
        ("other-regions", "the new version declares other regions: Region { name: \"registers\""),
        ("traps-in-configure", "the new version configure failed: wasm `unreachable` instruction"),
        ("traps-in-load", "the new version failed: load failed: wasm `unreachable` instruction"),
        ("traps-in-save", "the new version failed: save failed: wasm `unreachable` instruction"),
    ];
    let hash = rig.status("first").image.hash().to_owned();
    let edges = rig.read(SECOND_EDGES, 4);
    for (kind, reason) in cases {
        let error = rig.machine.swap("first", &image(kind)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("slot first: {reason}")), "{kind}: {error}");
        assert!(error.ends_with("; the old version stays"), "{kind}: {error}");
    }
    let power = engine().load(&zoo::with_power()).unwrap();
    let error = rig.machine.swap("first", &power).unwrap_err().to_string();
    assert!(error.contains("imports power, which is not granted here"), "{error}");

    let status = rig.status("first");
    assert!(status.fault.is_none());
    assert_eq!((status.image.hash(), status.counts.swaps), (hash.as_str(), 0));
    assert_eq!(rig.board.take(), []);
    assert_eq!(rig.machine.next_deadline(), Some(5000));
    assert_eq!([rig.read(COUNT, 4), rig.read(LEVEL, 4), rig.read(STREAM, 4)], [7, 1, 0x41]);
    assert_eq!(rig.read(SECOND_EDGES, 4), edges);
    rig.write(COUNT, 4, 1);
    assert_eq!(rig.read(COUNT, 4), 8);
}

#[test]
fn what_is_no_device_is_refused_with_the_reason() {
    let counter = zoo::component("first");
    let find = |needle: &[u8]| counter.windows(needle.len()).position(|bytes| bytes == needle);
    let mut other_version = counter.clone();
    let mut patched = 0;
    let version = b"southbridge:device/device@0.2.0";
    while let Some(at) = other_version.windows(version.len()).position(|bytes| bytes == version) {
        other_version[at + version.len() - 3] = b'9';
        patched += 1;
    }
    assert_ne!(patched, 0);
    assert!(find(version).is_some());
    let component = |text: &str| wat::parse_str(text).unwrap();
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("empty", Vec::new(), "not a WebAssembly component: the file is empty"),
        ("garbage", vec![0xa5; 4096], "the file does not begin with \\0asm"),
        ("truncated head", counter[..6].to_vec(), "a WebAssembly file of an unknown kind"),
        ("truncated", counter[..counter.len() / 2].to_vec(), "not a WebAssembly component: "),
        ("core module", component("(module)"), "a core module; make a component of it"),
        (
            "no exports",
            component("(component)"),
            "not a device: it does not export southbridge:device/device@0.2.0",
        ),
        (
            "other version",
            other_version,
            "it exports southbridge:device/device@0.9.0, this host speaks \
             southbridge:device/device@0.2.0",
        ),
        (
            "foreign import",
            component(
                r#"(component
                    (import "wasi:cli/environment@0.2.0" (instance))
                    (instance $none)
                    (export "southbridge:device/device@0.2.0" (instance $none)))"#,
            ),
            "imports wasi:cli/environment@0.2.0, which no host of this contract offers",
        ),
        (
            "traps in describe",
            zoo::component("traps-in-describe"),
            "describe failed: wasm `unreachable` instruction executed",
        ),
    ];
    for (case, bytes, reason) in cases {
        let error = engine().load(&bytes).expect_err(case).to_string();
        assert!(error.contains(reason), "{case}: {error}");
    }
}

#[test]
fn an_old_version_that_fails_while_it_is_saved_is_replaced_by_the_next_swap() {
    let rig = Rig::counters_of("traps-in-save", "first");
    rig.write(COUNT, 4, 7);
    let first = image("first");
    let error = rig.machine.swap("first", &first).unwrap_err();
    let Error::Swap { source, .. } = &error else { panic!("{error}") };
    assert!(matches!(**source, SwapError::OldFaulted(_)), "{error}");
    assert_eq!(rig.read(COUNT, 4), 0xffff_ffff);
    assert_eq!(rig.status("first").fault.unwrap().export, "save");

    let swapped = rig.machine.swap("first", &first).unwrap();
    assert!(!swapped.state_moved);
    assert_eq!(rig.read(COUNT, 4), 0, "as after a reset");
}

#[test]
fn no_access_is_lost_or_seen_twice_while_devices_are_swapped() {
    const THREADS: u64 = 4;
    let rig = Rig::counters();
    let versions = [image("twin"), image("second"), image("first")];
    let (done, added) = (AtomicBool::new(false), AtomicU64::new(0));
    rig.write(SECOND_COUNT, 4, 3);
    std::thread::scope(|scope| {
        let _end = EndOf(&done);
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut effects = Effects::new();
                let mut seen = 0;
                while !done.load(Ordering::Relaxed) {
                    rig.machine.port_write(COUNT, 4, 1, &mut effects);
                    added.fetch_add(1, Ordering::Relaxed);
                    let count = rig.machine.port_read(COUNT, 4, &mut effects);
                    assert!(count > seen, "{count} after {seen}");
                    seen = count;
                    assert_eq!(rig.machine.port_read(SECOND_COUNT, 4, &mut effects), 3);
                }
            });
        }
        for version in versions.iter().cycle().take(500) {
            rig.machine.swap("first", version).unwrap();
        }
    });
    assert!(added.load(Ordering::Relaxed) > 500);
    assert_eq!(rig.read(COUNT, 4), added.load(Ordering::Relaxed));
}

#[test]
fn a_line_that_two_threads_drive_ends_where_the_device_has_it() {
    let rig = Rig::counters();
    let versions = [image("twin"), image("first")];
    std::thread::scope(|scope| {
        for level in [0, 1] {
            let rig = &rig;
            scope.spawn(move || {
                for _ in 0..5000 {
                    rig.write(SECOND_LEVEL, 4, level);
                }
            });
        }
        for version in versions.iter().cycle().take(100) {
            rig.machine.swap("second", version).unwrap();
        }
    });
    let arrivals = rig.board.take();
    for pair in arrivals.windows(2) {
        assert_ne!(pair[0], pair[1], "only changes arrive");
    }
    let level = rig.read(SECOND_LEVEL, 4) != 0;
    let last = arrivals.last().copied().unwrap_or(Arrival::Gsi(5, false));
    assert_eq!(last, Arrival::Gsi(5, level));
}

/// Sets the machine's devices up as a guest does, so that there is state to
/// keep.
fn set_up(rig: &Rig) {
    // Host bridge: RAM under the BIOS; ISA bridge: interrupt routing.
    rig.configure(0x0058, 0x3310_0000);
    rig.configure(0x0860, 0x0b0a_0a0b);
    // Power management: I/O base and enable, SMBus host on.
    rig.configure(0x0b40, 0x0000_b001);
    rig.configure(0x0b80, 0x0000_0001);
    rig.configure(0x0bd0, 0x0009_0000);
    rig.configure(0x0b04, 0x0000_0001);
    rig.write(0xb002, 2, 0x0120);
    rig.write(0xafe2, 1, 0x02);
    // COM1: divisor, format, scratch.
    rig.write(0x3fb, 1, 0x83);
    rig.write(0x3f8, 2, 0x000c);
    rig.write(0x3fb, 1, 0x03);
    rig.write(0x3ff, 1, 0x5a);
    // A byte in the EEPROM at 0x50.
    smbus(rig, 0xa0, 3, Some(0x77));
    smbus(rig, 0xa1, 3, None);
}

/// An SMBus byte data transfer; the byte is in HSTDAT0 after it.
fn smbus(rig: &Rig, address: u64, command: u64, byte: Option<u64>) -> u64 {
    rig.write(0xb100, 1, 0x1f);
    rig.write(0xb104, 1, address);
    rig.write(0xb103, 1, command);
    rig.write(0xb105, 1, byte.unwrap_or(0));
    rig.write(0xb102, 1, 0x48);
    // Without its interrupt the controller works when its status is read.
    rig.read(0xb100, 1);
    assert_eq!(rig.read(0xb100, 1) & 0x1f, 2, "the transfer has succeeded");
    rig.read(0xb105, 1)
}

/// All that a guest can read without changing it.
fn registers(rig: &Rig) -> Vec<(u32, u64)> {
    let functions = [0x0000, 0x0800, 0x0b00, 0x1000];
    let registers = functions
        .into_iter()
        .flat_map(|function| (0..0x100).step_by(4).map(move |offset| function | offset));
    let mut values: Vec<_> = registers.map(|at| (at, rig.configuration(at))).collect();
    let ports = (0xb000..0xb00c).step_by(2).map(|port| (port, 2));
    let ports = ports.chain((0xb100..0xb107).map(|port| (port, 1)));
    let ports = ports.chain((0xafe0..0xafe4).map(|port| (port, 1)));
    let ports = ports.chain((0x3f9..0x400).map(|port| (port, 1)));
    values.extend(ports.map(|(port, size)| (u32::from(port) | 1 << 31, rig.read(port, size))));
    values
}

#[test]
fn every_device_of_a_machine_is_replaced_by_itself_and_nobody_notices() {
    for name in ["pc-i440fx-10.0", "pc-i440fx-7.2", "xenfv-4.2", "xenfv-3.1"] {
        let rig = Rig::of_program(name);
        set_up(&rig);
        registers(&rig);
        let before = registers(&rig);
        let (lines, places) = (rig.board.take(), mappings(&rig));
        assert!(!lines.is_empty(), "the host bridge has opened RAM");
        let value = |port: u32| before.iter().find(|(at, _)| *at == 1 << 31 | port).unwrap().1;
        // What QEMU's stream does not hold on machines before 4.0.
        assert_eq!([value(0xb103), value(0xb104), value(0xb105)], [3, 0xa1, 0x77], "{name}");
        assert_eq!(value(0x3ff), 0x5a);
        assert_eq!(value(0xb002), 0x0120);

        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _end = EndOf(&done);
            scope.spawn(|| {
                let mut effects = Effects::new();
                while !done.load(Ordering::Relaxed) {
                    // The clock stands still, so the PM timer does.
                    assert_eq!(rig.machine.port_read(0xb008, 4, &mut effects), 0);
                    assert_eq!(rig.machine.port_read(0x3ff, 1, &mut effects), 0x5a);
                    assert_eq!(rig.machine.port_read(0xb105, 1, &mut effects), 0x77);
                }
            });
            for status in rig.machine.status() {
                for _ in 0..5 {
                    let swapped = rig.machine.swap(&status.name, &status.image);
                    assert!(swapped.unwrap().state_moved, "{name}: {}", status.name);
                }
            }
        });
        assert_eq!(registers(&rig), before, "{name}");
        assert_eq!(rig.board.take(), [], "{name}");
        assert_eq!(mappings(&rig), places, "{name}");
        assert_eq!(smbus(&rig, 0xa1, 3, None), 0x77, "{name}");
    }
}

#[test]
fn the_diagnostic_build_comes_and_goes() {
    let rig = Rig::of_program("xenfv-3.1");
    set_up(&rig);
    registers(&rig);
    let before = registers(&rig);
    let (plain, traced) =
        (library().get("piix4-pm").unwrap(), library().get("piix4-pm+traced").unwrap());
    assert_ne!(plain.hash(), traced.hash());
    for _ in 0..3 {
        rig.machine.swap("pm", &traced).unwrap();
        assert_eq!(registers(&rig), before);
        let swapped = rig.machine.roll_back("pm").unwrap();
        assert_eq!((swapped.from.hash(), swapped.to.hash()), (traced.hash(), plain.hash()));
        assert_eq!(registers(&rig), before);
    }
}

#[test]
fn a_running_clock_goes_on_during_a_swap() {
    let directory = tempfile::tempdir().unwrap();
    let text = common::rig::counters_text(directory.path(), "first", "first");
    let rig = Rig::try_new("counters", &text, Clock::new()).unwrap();
    rig.machine.start_timers().unwrap();
    rig.machine.start_clock();
    let versions = [image("twin"), image("second"), image("first")];
    let wait = std::time::Duration::from_secs(30);
    let start = std::time::Instant::now();
    let mut expiries = 0;
    // Timers that are armed by one device and expire in another.
    for version in versions.iter().cycle().take(60) {
        rig.write(TIMER, 4, 200_000);
        rig.machine.swap("first", version).unwrap();
        expiries += 1;
        while rig.read(TIMER, 4) != expiries {
            assert!(start.elapsed() < wait, "a timer was lost");
            std::thread::yield_now();
        }
    }
}

/// A guest that writes two registers, reads them back, and ends with 1 if they
/// differ. After each 256 rounds it sends a point.
fn checking_guest() -> Boot {
    const REGISTERS: [u16; 2] = [0xb103, 0x3ff];
    guest::flat(|a| {
        let (mut again, mut wrong) = (a.create_label(), a.create_label());
        guest::enable_pm(a)?;
        guest::configure32(a, 0x0b, 0xd0, 0x0009_0000)?;
        guest::configure32(a, 0x0b, 0x04, 1)?;
        a.xor(ebx, ebx)?;
        a.set_label(&mut again)?;
        a.inc(ebx)?;
        for register in REGISTERS {
            a.mov(dx, u32::from(register))?;
            a.mov(al, bl)?;
            a.out(dx, al)?;
        }
        for register in REGISTERS {
            a.mov(dx, u32::from(register))?;
            a.in_(al, dx)?;
            a.cmp(al, bl)?;
            a.jne(wrong)?;
        }
        a.test(bl, bl)?;
        a.jne(again)?;
        guest::print(a, b'.')?;
        a.jmp(again)?;
        a.set_label(&mut wrong)?;
        guest::exit(a, 1)
    })
}

#[test]
fn a_guest_that_runs_does_not_notice() {
    if guest::no_kvm() {
        return;
    }
    let running = Running::new(checking_guest());
    running.wait_for("..");
    let machine = running.guest.machine();
    let builds = ["piix4-pm+traced", "piix4-pm"].map(|name| library().get(name).unwrap());
    for build in builds.iter().cycle().take(100) {
        machine.swap("pm", build).unwrap();
        for status in machine.status() {
            if &*status.name != "pm" {
                machine.swap(&status.name, &status.image).unwrap();
            }
        }
        // The guest gets on between the swaps, or it ends and never does.
        let rounds = running.console.bytes().len();
        running.wait_until("a point", || running.console.bytes().len() > rounds);
    }
    running.guest.quit(Cause::Quit);
    assert_eq!(running.outcome(), Outcome::Quit);
}
