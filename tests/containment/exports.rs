//! Devices that loop or trap in one export each.

use super::ground::{Ground, engine, good};
use super::kind::{Kind, Outcome};

/// The exports that the host calls while a machine runs.
const RUNNING: [&str; 6] =
    ["reset", "io-read", "io-write", "line-changed", "timer-expired", "save"];

/// Those that it calls before a device takes its slot.
const PLUGGING: [&str; 4] = ["describe", "configure", "describe-state", "load"];

const LOOP: &str = "(loop $again (br $again)) (unreachable)";
const DEADLINE: &str = "the call outlived its deadline";
const TRAP: &str = "(unreachable)";
const TRAPPED: &str = "`unreachable` instruction executed";

fn check(kind: &str, body: &str, reason: &'static str) {
    for export in RUNNING {
        // When a machine is made its devices are reset, and hear that lines are low: this is
        // for later.
        let later = format!("(if (i64.ne (global.get $kept) (i64.const 0)) (then {body}))");
        let body = if matches!(export, "reset" | "line-changed") { &later } else { body };
        let outcome = Outcome::Fault(reason, export);
        Kind::new(format!("{kind} in {export}"), good().with(export, body), export, outcome)
            .check();
    }
    for export in PLUGGING {
        let outcome = Outcome::Refused(reason);
        Kind::new(format!("{kind} in {export}"), good().with(export, body), export, outcome)
            .check();
    }
}

#[test]
fn a_loop_in_any_export_ends_at_the_deadline() {
    check("loop", LOOP, DEADLINE);
}

/// Whoever uses the device that is to be replaced does not wait for the new one.
#[test]
fn a_new_version_that_never_ends_keeps_nobody_waiting() {
    let ground = Ground::new(&good().component());
    let image = engine().load(&good().with("load", LOOP).component()).unwrap();
    let mut accesses = 0;
    std::thread::scope(|scope| {
        let swap = scope.spawn(|| ground.machine.swap("hostile", &image).map(drop));
        while !swap.is_finished() {
            ground.check_service("the device in the slot");
            accesses += 1;
        }
        let error = swap.join().unwrap().unwrap_err().to_string();
        assert!(error.contains(DEADLINE), "{error}");
    });
    assert!(accesses > 100, "{accesses} accesses");
    ground.check_service("the device in the slot");
}

#[test]
fn a_trap_in_any_export_is_the_devices_own() {
    check("trap", TRAP, TRAPPED);
}

#[test]
fn a_start_function_is_under_the_deadline_too() {
    for (name, body, reason) in [("loop", LOOP, "interrupt"), ("trap", TRAP, TRAPPED)] {
        let device = good().and(&format!("(func $begin {body}) (start $begin)"));
        let outcome = Outcome::Refused(reason);
        Kind::new(format!("{name} in the start function"), device, "describe", outcome).check();
    }
}

#[test]
fn memory_for_arguments_is_handed_out_under_the_deadline_too() {
    for (name, body, reason) in [("loop", LOOP, DEADLINE), ("trap", TRAP, TRAPPED)] {
        let device = good().allocating(body);
        // The first arguments in memory are the properties.
        let outcome = Outcome::Refused(reason);
        Kind::new(format!("{name} in cabi_realloc"), device, "configure", outcome).check();
    }
}
