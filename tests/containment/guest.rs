//! The same seen by a guest on KVM, whose one processor meets the hostile device.

use std::time::Instant;

use iced_x86::code_asm::*;

use super::device::Device;
use super::ground::{HOSTILE, NEIGHBOUR, good, good_image, machine_file};
use crate::common::guest::*;

/// Writes and reads a register of a device so often.
const ROUNDS: u32 = 20_000;

/// Uses a device for some time, and ends the guest with 1 if it does not answer right.
fn use_device(a: &mut CodeAssembler, base: u16, wrong: CodeLabel) -> Assembled {
    let mut again = a.create_label();
    a.mov(ecx, ROUNDS)?;
    a.set_label(&mut again)?;
    a.mov(dx, u32::from(base + 12))?;
    a.mov(eax, ecx)?;
    a.out(dx, eax)?;
    a.in_(eax, dx)?;
    a.cmp(eax, ecx)?;
    a.jne(wrong)?;
    a.dec(ecx)?;
    a.jne(again)
}

/// A guest that uses the neighbour, reads the hostile device, uses the neighbour, waits
/// for a better device, and uses that one.
fn program(a: &mut CodeAssembler) -> Assembled {
    let (mut wrong, mut wait) = (a.create_label(), a.create_label());
    print(a, b'1')?;
    use_device(a, NEIGHBOUR, wrong)?;
    print(a, b'2')?;
    a.mov(dx, u32::from(HOSTILE))?;
    a.in_(eax, dx)?;
    a.cmp(eax, -1)?;
    a.jne(wrong)?;
    print(a, b'3')?;
    use_device(a, NEIGHBOUR, wrong)?;
    print(a, b'4')?;
    a.set_label(&mut wait)?;
    a.mov(dx, u32::from(HOSTILE))?;
    a.in_(eax, dx)?;
    a.cmp(eax, -1)?;
    a.je(wait)?;
    use_device(a, HOSTILE, wrong)?;
    exit(a, 0x21)?;
    a.set_label(&mut wrong)?;
    exit(a, 1)
}

fn check(name: &str, device: &Device, reason: &str) {
    let directory = tempfile::tempdir().unwrap();
    let base = "inherits = \"pc-i440fx-10.0\"";
    let file = machine_file(directory.path(), base, &device.component(), "all");
    let config = Config { machine_type: "ground", file, ..Config::default() };
    let running = Running::with(config, flat(program));
    running.wait_for("1");
    let mut start = Instant::now();
    for (text, when) in [("12", "before"), ("123", "the device is read"), ("1234", "after")] {
        running.wait_for(text);
        let took = start.elapsed();
        match text {
            "123" => println!("{name}: {when} in {took:.1?}"),
            _ => {
                let rate = f64::from(2 * ROUNDS) / took.as_secs_f64();
                println!("{name}: {rate:.0} accesses of the neighbour a second {when}");
            }
        }
        start = Instant::now();
    }
    let machine = running.guest.machine();
    let faults = machine.faults(Some("hostile")).unwrap();
    let [fault] = &faults[..] else { panic!("{name}: {faults:?}") };
    assert_eq!(fault.fault.export, "io-read", "{name}");
    assert!(fault.fault.reason.contains(reason), "{name}: {}", fault.fault.reason);
    assert!(fault.fault.backtrace.contains("io-read"), "{name}: {}", fault.fault.backtrace);
    machine.swap("hostile", &good_image()).unwrap();
    assert_eq!(running.outcome(), exited(0x21), "{name}");
    assert_eq!(machine.faults(None).unwrap().len(), 1, "{name}");
}

#[test]
fn a_guest_on_kvm_runs_on() {
    if no_kvm() {
        return;
    }
    let grow = "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) (unreachable)";
    for (name, body, reason) in [
        ("loop", "(loop $again (br $again)) (unreachable)", "deadline"),
        ("trap", "(unreachable)", "unreachable"),
        ("growth", grow, "growing memory"),
    ] {
        check(name, &good().with("io-read", body), reason);
    }
}
