//! The device answers as recorded QEMUs do, request by request.

mod common;

use common::{Board, SCI_PIN, no, text, yes};
use southbridge_sdk::PowerEvents;
use southbridge_sdk::fake::trace::{Answer, Request, Step, Trace};
use southbridge_sdk::wit::{PropertyValue, WakeupReason};

/// The recorded machines, each with its properties.
fn machines() -> [(&'static str, Vec<(&'static str, PropertyValue)>); 3] {
    // The recorder gave each machine one serial port.
    let pc = || vec![yes("smm-enabled"), yes("com1")];
    let old = |more: &[_]| [&pc()[..], &[no("byte-access-to-pm1-cnt")], more].concat();
    [
        ("qemu-7.2/pc-i440fx-7.2", old(&[])),
        ("qemu-7.2/pc-i440fx-3.1", old(&[no("smbus-migration")])),
        ("qemu-10.0/pc-i440fx-10.0", pc()),
    ]
}

/// Replays a module's recordings and returns how many steps were compared.
fn replay(module: &str, answer: impl Fn(&mut Board, &Step<'_>) -> Answer) -> usize {
    let mut compared = 0;
    for (machine, properties) in machines() {
        let text = text(&format!("traces/{machine}/{module}.trace.gz"));
        println!("{machine} {module}");
        let mut board = Board::new(&properties);
        compared += Trace::parse(&text).replay(&[SCI_PIN], |step| answer(&mut board, step));
        assert_eq!(board.asked, [""; 0], "nothing is asked that was not recorded");
    }
    compared
}

#[test]
fn power_management() {
    assert!(replay("pm", Board::answer) > 15_000);
}

#[test]
fn general_purpose_events_and_hot_plug() {
    assert!(replay("gpe", Board::answer) > 13_000);
}

#[test]
fn smbus() {
    assert!(replay("smbus", Board::answer) > 90_000);
}

/// Of the recording of all configuration spaces, what addresses function 3. The
/// ports in it are the ELCR's.
#[test]
fn configuration_space() {
    let compared = replay("pcicfg", |board, step| match step.request {
        Request::In { port: 0x4d0 | 0x4d1 | 0xcf9, .. } => Answer::Skip,
        Request::Out { port: 0x4d0 | 0x4d1 | 0xcf9, .. } => Answer::Skip,
        _ => board.answer(step),
    });
    assert!(compared > 10_000);
}

/// Sleep states. What the whole machine does (resets by other devices, the run
/// state) is told by the recorded events; that the device asks for it is
/// checked against them.
#[test]
fn sleep_states() {
    let compared = replay("sleep", |board, step| {
        let event = |name: &str| step.events.iter().any(|event| event.contains(name));
        match step.request {
            // Port 92, the keyboard controller, the reset control register.
            Request::In { port: 0x64 | 0x92 | 0xcf9, .. }
            | Request::Out { port: 0x64 | 0x92 | 0xcf9, .. } => Answer::Skip,
            Request::Monitor(_) => {
                let asked = std::mem::take(&mut board.asked);
                let asked_for = |what| asked.contains(&what);
                assert_eq!(asked_for("suspend"), event("\"SUSPEND\""), "line {}", step.line);
                assert_eq!(asked_for("shutdown"), event("\"SHUTDOWN\""), "line {}", step.line);
                assert!(!asked_for("suspend-to-disk"), "line {}", step.line);
                if event("\"RESET\"") || event("\"WAKEUP\"") {
                    board.reset();
                }
                if event("\"WAKEUP\"") {
                    board.bench.call(|device, cx| device.woken(cx, WakeupReason::Other));
                }
                Answer::done().with_interrupts(board.take_interrupts())
            }
            _ => board.answer(step),
        }
    });
    assert!(compared > 100);
}
