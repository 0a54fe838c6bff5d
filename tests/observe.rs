//! What can be seen of a machine's devices, and how one that has failed comes
//! back with its state.

mod common {
    pub(crate) mod rig;
    pub(crate) mod zoo;
}

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use southbridge::component::Effects;
use southbridge::machine::{DeviceEvent, Machine};
use southbridge::slot::FAULTS_KEPT;

use common::rig::{
    Arrival, COUNT, LEVEL, Rig, SECOND_COUNT, SECOND_EDGES, SECOND_LEVEL, SECOND_TIMER, image,
};

/// What a machine tells from now on, in short.
fn listen(machine: &Arc<Machine>) -> Arc<Mutex<Vec<String>>> {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let (noted, asked) = (told.clone(), Arc::downgrade(machine));
    machine.listen(Arc::new(move |event| {
        // No device is locked.
        let service = asked.upgrade().unwrap().status();
        let in_service = service.iter().filter(|status| status.fault.is_none()).count();
        let text = match event {
            DeviceEvent::Faulted(record) => {
                format!("{} faulted in {} at {}", record.slot, record.fault.export, record.time)
            }
            DeviceEvent::Replaced { slot, swapped } => {
                format!("{slot} replaced, moved {}", swapped.state_moved)
            }
            DeviceEvent::Restored { slot, swapped } => {
                format!("{slot} restored, {:?} old", swapped.checkpoint_age.unwrap())
            }
            DeviceEvent::Tray { .. } | DeviceEvent::DriveFailed(_) => {
                panic!("no device here has drives: {event:?}")
            }
        };
        noted.lock().unwrap().push(format!("{text}, {in_service} in service"));
    }));
    told
}

/// Counters of which the second fails when it is read, with something in them and
/// a checkpoint of that.
fn kept() -> Rig {
    kept_beside("first")
}

/// The same with another first counter.
fn kept_beside(first: &str) -> Rig {
    let rig = Rig::counters_of(first, "traps-in-read");
    rig.write(SECOND_COUNT, 4, 7);
    rig.write(SECOND_LEVEL, 4, 1);
    rig.machine.advance(1000, &mut Effects::new());
    rig.write(SECOND_TIMER, 4, 5000);
    let summary = rig.machine.checkpoint("second").unwrap();
    assert_eq!((summary.image.title().as_str(), summary.time), ("counter 1.0.0", 1000));
    assert_ne!(summary.bytes, 0);
    rig
}

fn fail(rig: &Rig) {
    assert_eq!(rig.read(SECOND_COUNT, 4), 0xffff_ffff);
    assert!(rig.status("second").fault.is_some());
}

#[test]
fn faults_swaps_and_restores_are_told_with_no_device_locked() {
    let rig = kept_beside("traps-in-save");
    let told = listen(&rig.machine);
    rig.machine.advance(500, &mut Effects::new());
    fail(&rig);
    rig.machine.restore("second").unwrap();
    fail(&rig);
    rig.machine.forget_checkpoint("second").unwrap();
    rig.machine.swap("second", &image("first")).unwrap();
    rig.machine.swap("second", &image("twin")).unwrap();
    rig.machine.swap("first", &image("first")).unwrap_err();
    let told = told.lock().unwrap();
    assert_eq!(
        *told,
        [
            "second faulted in io-read at 1500, 1 in service",
            "second restored, 500ns old, 2 in service",
            "second faulted in io-read at 1500, 1 in service",
            "second replaced, moved false, 2 in service",
            "second replaced, moved true, 2 in service",
            "first faulted in save at 1500, 1 in service",
        ]
    );
}

#[test]
fn the_last_faults_are_kept_and_can_be_asked_for() {
    let rig = kept();
    assert!(rig.machine.faults(None).unwrap().is_empty());
    for _ in 0..FAULTS_KEPT + 4 {
        fail(&rig);
        rig.machine.restore("second").unwrap();
        rig.machine.advance(10, &mut Effects::new());
    }
    let faults = rig.machine.faults(Some("second")).unwrap();
    assert_eq!(faults.len(), FAULTS_KEPT);
    for (number, record) in (5..).zip(&faults) {
        assert_eq!((record.number, record.time), (number, 1000 + 10 * (number - 1)));
        assert_eq!((&*record.slot, record.device.as_str()), ("second", "counter 1.0.0"));
        assert_eq!(record.fault.export, "io-read");
        assert!(record.fault.reason.contains("unreachable"), "{}", record.fault.reason);
        assert!(record.fault.backtrace.contains("io-read"), "{}", record.fault.backtrace);
    }
    assert!(rig.machine.faults(Some("first")).unwrap().is_empty());
    assert_eq!(rig.machine.faults(None).unwrap().len(), FAULTS_KEPT);
    let error = rig.machine.faults(Some("third")).unwrap_err().to_string();
    assert!(error.starts_with("no slot \"third\""), "{error}");
}

#[test]
fn a_device_comes_back_with_its_state_its_outputs_and_its_timer() {
    let rig = kept();
    assert_eq!(rig.board.take(), [Arrival::Gsi(5, true)]);
    let mappings = rig.machine.ports().mappings().len();
    // What was after the checkpoint is lost.
    rig.write(SECOND_COUNT, 4, 100);
    fail(&rig);
    assert_eq!(rig.board.take(), [Arrival::Gsi(5, false)]);
    assert_eq!(rig.machine.next_deadline(), None);

    rig.machine.advance(2000, &mut Effects::new());
    let restored = rig.machine.restore("second").unwrap();
    assert_eq!(restored.checkpoint_age, Some(Duration::from_nanos(2000)));
    assert!(!restored.state_moved);
    assert_eq!(restored.from.hash(), restored.to.hash());
    assert_eq!(rig.board.take(), [Arrival::Gsi(5, true)]);
    assert_eq!(rig.machine.next_deadline(), Some(6000));
    assert_eq!(rig.machine.ports().mappings().len(), mappings);
    let status = rig.status("second");
    assert!(status.fault.is_none() && status.checkpoint.is_some());
    assert_eq!((status.counts.faults, status.counts.restores, status.counts.swaps), (1, 1, 0));

    // Another version takes the same state, at any time later.
    fail(&rig);
    rig.machine.advance(10_000, &mut Effects::new());
    let swapped = rig.machine.swap("second", &image("second")).unwrap();
    assert_eq!(swapped.checkpoint_age, Some(Duration::from_nanos(12_000)));
    assert_eq!(rig.read(SECOND_COUNT, 4), 7);
    assert_eq!(rig.read(SECOND_LEVEL, 4), 1);
    assert_eq!(rig.board.take(), [Arrival::Gsi(5, false), Arrival::Gsi(5, true)]);
    // Its timer was due while it was away.
    assert_eq!(rig.read(SECOND_TIMER, 4), 0);
    rig.machine.advance(0, &mut Effects::new());
    assert_eq!(rig.read(SECOND_TIMER, 4), 1);
    assert_eq!(rig.machine.next_deadline(), None);
}

#[test]
fn a_device_that_comes_back_hears_which_inputs_have_changed() {
    let rig = kept();
    // The reset.
    let told = 1;
    // One change before the checkpoint, which is known, and none after it.
    rig.write(LEVEL, 4, 1);
    rig.machine.checkpoint("second").unwrap();
    fail(&rig);
    rig.machine.swap("second", &image("first")).unwrap();
    assert_eq!(rig.read(SECOND_EDGES, 4), told + 1);

    rig.machine.swap("second", &image("traps-in-read")).unwrap();
    fail(&rig);
    // Two changes that amount to none, and then one.
    for level in [0, 1, 0] {
        rig.write(LEVEL, 4, level);
    }
    rig.machine.swap("second", &image("first")).unwrap();
    assert_eq!(rig.read(SECOND_EDGES, 4), told + 2);
    rig.write(LEVEL, 4, 1);
    assert_eq!(rig.read(SECOND_EDGES, 4), told + 3);
}

#[test]
fn a_checkpoint_that_is_refused_changes_nothing() {
    let rig = kept();
    fail(&rig);
    rig.machine.advance(1_000_000_000, &mut Effects::new());
    rig.board.take();
    let refused = |kind: &str| rig.machine.swap("second", &image(kind)).unwrap_err().to_string();
    assert_eq!(
        refused("refuses"),
        "slot second: with the checkpoint of 1.0s before: the new version refuses the state: \
         count 7 is not to my taste; the old version stays"
    );
    let error = refused("loses");
    assert!(error.contains("before: the new version does not keep the state"), "{error}");
    let error = refused("traps-in-load");
    assert!(error.contains("before: the new version failed: load failed"), "{error}");

    let status = rig.status("second");
    assert_eq!((status.counts.faults, status.counts.swaps), (1, 0));
    assert_eq!(status.fault.unwrap().export, "io-read");
    assert_eq!(rig.board.take(), []);
    assert_eq!(rig.machine.next_deadline(), None);
    assert_eq!(rig.read(SECOND_COUNT, 4), 0xffff_ffff);

    // Without it the new version starts as after a reset.
    assert!(rig.machine.forget_checkpoint("second").unwrap());
    assert!(!rig.machine.forget_checkpoint("second").unwrap());
    let swapped = rig.machine.swap("second", &image("refuses")).unwrap();
    assert_eq!((swapped.state_moved, swapped.checkpoint_age), (false, None));
}

#[test]
fn what_cannot_be_kept_or_restored_is_said() {
    let rig = Rig::counters_of("traps-in-save", "traps-in-read");
    let error = rig.machine.restore("second").unwrap_err().to_string();
    assert_eq!(
        error,
        "slot second: the device is in service: only one that has failed is restored; \
         nothing has changed"
    );
    fail(&rig);
    let error = rig.machine.restore("second").unwrap_err().to_string();
    assert!(error.contains("no checkpoint: none was taken since the last reset"), "{error}");
    let error = rig.machine.checkpoint("second").unwrap_err().to_string();
    assert_eq!(error, "slot second: the device is out of service: it has no state");

    let error = rig.machine.checkpoint("first").unwrap_err().to_string();
    assert!(error.starts_with("slot first: the device failed: save failed: "), "{error}");
    assert_eq!(rig.status("first").fault.unwrap().export, "save");
    let all = rig.machine.checkpoint_all();
    assert!(all.iter().all(|(_, kept)| kept.is_err()) && all.len() == 2);
    for error in [rig.machine.checkpoint("x").err(), rig.machine.restore("x").err()] {
        assert!(error.unwrap().to_string().starts_with("no slot \"x\""));
    }
}

#[test]
fn a_reset_drops_checkpoints() {
    let rig = kept();
    rig.machine.reset();
    assert!(rig.status("second").checkpoint.is_none());
    rig.machine.checkpoint("second").unwrap();
    fail(&rig);
    rig.machine.reset();
    rig.machine.restore("second").unwrap_err();
}

#[test]
fn accesses_are_counted_as_the_guest_makes_them() {
    let rig = Rig::of_program("pc-i440fx-10.0");
    let counts = |slot: &str| {
        let counts = rig.status(slot).counts;
        (counts.reads, counts.writes)
    };
    let before = ["host-bridge", "isa-bridge", "serial0"].map(counts);
    // Four bytes of a region that takes one at a time.
    rig.read(0x3f8, 4);
    rig.write(0x3fc, 2, 0);
    // A function's configuration space, through the bridge's ports.
    for _ in 0..3 {
        rig.configuration(0x0800);
    }
    // Nothing is there.
    rig.read(0x9990, 4);
    let after = ["host-bridge", "isa-bridge", "serial0"].map(counts);
    let difference: Vec<_> =
        before.iter().zip(&after).map(|(a, b)| (b.0 - a.0, b.1 - a.1)).collect();
    assert_eq!(difference, [(3, 3), (3, 0), (1, 1)]);
    let status = rig.status("serial0").counts;
    assert!(status.calls >= status.reads + status.writes + 4, "{status:?}");
}

#[test]
fn time_is_measured_when_it_is_wanted() {
    let rig = Rig::counters_of("first", "loops");
    let time = |slot: &str| rig.status(slot).counts.time;
    rig.read(COUNT, 4);
    assert_eq!(time("first"), None);
    rig.machine.measure_time(true);
    assert_eq!(time("first"), Some(Duration::ZERO));
    let start = Instant::now();
    // Until its deadline, a second later.
    rig.read(SECOND_COUNT, 4);
    let most = start.elapsed();
    rig.read(COUNT, 4);
    assert!(time("second").unwrap() > Duration::from_millis(900), "{:?}", time("second"));
    assert!(time("second").unwrap() <= most);
    assert!(time("first").unwrap() > Duration::ZERO);
    rig.machine.measure_time(false);
    assert_eq!(time("first"), None);
}

#[test]
fn counts_outlive_the_device() {
    let rig = Rig::counters_of("undeclared", "first");
    rig.read(COUNT, 4);
    rig.machine.swap("first", &image("first")).unwrap();
    assert_eq!(rig.status("first").counts.violations, 8);
    assert_eq!(rig.status("first").mapped, 1);
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_chatty_device_is_cut_short_and_cannot_pass_for_another() {
    const READS: usize = 10_000;
    /// `Limits::messages`.
    const PER_SECOND: usize = 100;
    let log = Log::default();
    let written = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || written.clone()).with_ansi(false).finish();
    let rig = Rig::counters_of("chatty", "first");
    let start = Instant::now();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..READS {
            rig.read(COUNT, 4);
        }
        // The slot's next device has room again, and the rest is said.
        rig.machine.swap("first", &image("first")).unwrap();
    });
    let seconds = 1 + start.elapsed().as_secs() as usize;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said = text.lines().filter(|line| line.contains("a read\\nERROR forged \\u{1b}")).count();
    let dropped = rig.status("first").counts.messages_dropped as usize;
    assert!(said > 0 && said <= PER_SECOND * (1 + seconds), "{said} in {seconds} s");
    assert_eq!(said + dropped, READS);
    let reports = text.lines().filter(|line| line.contains("messages dropped"));
    let number = |line: &str| {
        let at = line.find("dropped=").expect("the number") + "dropped=".len();
        line[at..].split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(reports.map(number).sum::<usize>(), dropped);
    assert!(!text.contains('\x1b'));
    assert!(text.lines().all(|line| !line.starts_with("ERROR")), "{text}");
}
