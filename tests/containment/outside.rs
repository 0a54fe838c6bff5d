//! Devices that reach for what is not theirs, or want too much of the host's time.

use southbridge::component::Effects;

use super::device::Device;
use super::ground::{Ground, HOSTILE, good, good_image};
use super::kind::{Kind, Outcome};

/// A device that does this at every read, and answers 0.
fn reading(device: Device, what: &str) -> Device {
    // The register that shows whether it is in service stays.
    let keep =
        "(if (i64.eq (local.get $offset) (i64.const 12)) (then (return (global.get $kept))))";
    device.with("io-read", format!("{keep} {what} (i64.const 0)"))
}

fn goes_on(name: &str, device: Device, violations: u64) {
    Kind::new(name, device, "io-read", Outcome::GoesOn { violations }).check();
}

#[test]
fn what_was_not_declared_is_out_of_reach() {
    goes_on("another's line", reading(good(), "(call $set (i32.const 7) (i32.const 1))"), 1);
    goes_on("its own input", reading(good(), "(call $set (i32.const 1) (i32.const 1))"), 1);
    let map = "(call $map (i32.const 1) (i64.const 0x600) (i32.const 255))";
    goes_on("another region", reading(good(), map), 1);
    let arm = "(call $arm (i32.const 1) (i64.const 0))";
    goes_on("another timer", reading(good(), arm), 1);
    let device = good().importing("streams", "put", "(param i32 i32)");
    let put = "(call $streams-put (i32.const 1) (i32.const 33))";
    goes_on("another stream", reading(device, put), 1);
}

#[test]
fn what_is_not_granted_is_refused() {
    for (interface, function, kind) in
        [("power", "exit", "(param i32)"), ("files", "count", "(result i32)")]
    {
        let device = good().importing(interface, function, kind);
        let device = match function {
            "exit" => reading(device, "(call $power-exit (i32.const 0))"),
            _ => reading(device, "(drop (call $files-count))"),
        };
        let outcome = Outcome::Refused("which is not granted here");
        Kind::new(interface, device, "configure", outcome).check();
    }
}

#[test]
fn the_guests_memory_ends_where_it_ends() {
    let device = good().importing("dma", "write", "(param i64 i32 i32)").importing(
        "dma",
        "load",
        "(param i64 i32) (result i64)",
    );
    // Behind the end, the last addresses and around them, and a mapped device: its
    // own registers and its neighbour's are no memory.
    for address in ["0x100000", "0xfffffffffffffff8", "0xffffffffffffffff", "0x8000000000000000"] {
        let write = format!(
            "(call $dma-write (i64.const {address}) (i32.const 0) (i32.const 4096)) \
             (drop (call $dma-load (i64.const {address}) (i32.const 8)))"
        );
        goes_on(&format!("DMA to {address}"), reading(device.clone(), &write), 0);
    }
    // The width is nonsense; the answer is nothing.
    let load = "(drop (call $dma-load (i64.const 0) (i32.const 255)))";
    goes_on("a load of 255 bytes", reading(device, load), 0);
}

#[test]
fn a_window_of_the_guests_memory_ends_where_it_ends() {
    let write = |address: &str, length: u32| {
        format!("(call $dma-write (i64.const {address}) (i32.const 0) (i32.const {length}))")
    };
    let message =
        |address: &str| format!("(call $dma-message (i64.const {address}) (i32.const 0x4031))");
    let device = |what: &str| {
        let device = good().importing("dma", "write", "(param i64 i32 i32)");
        let device = device.importing("dma", "load", "(param i64 i32) (result i64)");
        let device = device.importing("dma", "message", "(param i64 i32)");
        device.with("io-read", what).component()
    };
    let load = |address: &str| {
        let load = format!("(call $dma-load (i64.const {address}) (i32.const 4))");
        let ground = Ground::with_window(&device(&load), "0x10000+0x1000");
        ground.read(HOSTILE)
    };
    for (address, value) in [
        ("0x10000", 0xa5a5_a5a5),
        ("0x10ffc", 0xa5a5_a5a5),
        ("0xfffe", 0xa5a5_0000),
        ("0x10ffd", 0x00a5_a5a5),
        ("0xfffc", 0),
        ("0x11000", 0),
        ("0xffffffffffffffff", 0),
    ] {
        assert_eq!(load(address), value, "{address}");
    }

    let changed = |what: &str| {
        let ground =
            Ground::with_window(&device(&format!("{what} (i64.const 0)")), "0x10000+0x1000");
        assert_eq!(ground.read(HOSTILE), 0);
        assert_eq!(ground.told().len(), 0);
        ground.memory.changed()
    };
    assert_eq!(changed(&write("0x0", 0x1_ffff)), Some((0x1_0000, 0x1_0fff)));
    assert_eq!(changed(&write("0x10ffe", 4)), Some((0x1_0ffe, 0x1_0fff)));
    assert_eq!(changed(&write("0xfffe", 4)), Some((0x1_0000, 0x1_0001)));
    for (address, length) in
        [("0xfff0", 16), ("0x11000", 16), ("0x0", 0x1_0000), ("0xffffffffffff0000", 0x1_ffff)]
    {
        assert_eq!(changed(&write(address, length)), None, "{address}");
    }

    // A message-signalled interrupt is a write as well.
    let all = ["0xfee00000", "0xfee00ffc", "0xfee00ffd", "0xfedffffe"].map(message).join(" ");
    let told = |window: &str| {
        let ground = Ground::with_window(&device(&format!("{all} (i64.const 0)")), window);
        ground.read(HOSTILE);
        ground.memory.messages().into_iter().map(|(address, _)| address).collect::<Vec<_>>()
    };
    assert_eq!(told("0x10000+0x1000").len(), 0);
    assert_eq!(told("0xfee00000+0x1000"), [0xfee0_0000, 0xfee0_0ffc]);
    assert_eq!(told("all").len(), 4);
}

#[test]
fn a_bus_leads_to_nobody_above_it() {
    let device = good().importing("pci-bus", "read", "(param i32 i32 i32 i32) (result i32)");
    let all = "(local $n i32) (loop $again \
               (if (i32.ne (call $pci-bus-read (i32.const 0) (local.get $n) (i32.const 0) (i32.const 4)) \
               (i32.const -1)) (then (unreachable))) \
               (local.set $n (i32.add (local.get $n) (i32.const 1))) \
               (br_if $again (i32.lt_u (local.get $n) (i32.const 256))))";
    let device_of_all = device.clone().with("io-read", format!(
        "{all} (if (i64.eq (local.get $offset) (i64.const 12)) (then (return (global.get $kept)))) \
         (i64.const 0)"
    ));
    goes_on("a search for itself on its bus", device_of_all, 0);
    let other =
        "(drop (call $pci-bus-read (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 4)))";
    goes_on("another bus", reading(device, other), 1);
}

#[test]
fn an_interrupt_storm_ends_at_the_limit() {
    // Within what a call may do, so that only their rate is wrong.
    let storm = "(local $n i32) (loop $again \
                 (call $set (i32.const 0) (i32.const 1)) (call $set (i32.const 0) (i32.const 0)) \
                 (local.set $n (i32.add (local.get $n) (i32.const 1))) \
                 (br_if $again (i32.lt_u (local.get $n) (i32.const 600)))) (i64.const 0)";
    let device = good().with("io-read", storm);
    let outcome = Outcome::Fault("interrupts more than 1000 times a second", "");
    Kind::new("interrupt storm", device, "io-read", outcome).check();
}

#[test]
fn interrupts_within_the_limit_are_no_storm() {
    let ground = Ground::new(&good().component());
    for _ in 0..5 {
        for level in 0..1000 {
            ground.write(HOSTILE + 4, level & 1);
        }
        ground.machine.advance(1_000_000_000, &mut Effects::new());
    }
    assert_eq!(ground.told().len(), 0);
    // Saying again what is so already is no interrupt.
    (0..5000).for_each(|_| ground.write(HOSTILE + 4, 1));
    assert_eq!(ground.told().len(), 0);
}

#[test]
fn a_timer_storm_ends_at_the_limit() {
    let storm = "(call $arm (i32.const 0) (i64.const 0))";
    let device = good().with("timer-expired", storm);
    // The call that is one too many is not made.
    let outcome = Outcome::Fault("timers expire more than 1000 times a second", "");
    Kind::new("timer storm", device, "timer-expired", outcome).check();
}

#[test]
fn a_flood_of_messages_is_cut() {
    let mut device = good();
    let text = device.layout.text("x\ny".repeat(10_000));
    let flood = format!(
        "(local $n i32) (loop $again \
         (call $log-write (i32.const 1) (i32.const {}) (i32.const {})) \
         (local.set $n (i32.add (local.get $n) (i32.const 1))) \
         (br_if $again (i32.lt_u (local.get $n) (i32.const 1000)))) (i64.const 0)",
        text.at, text.length
    );
    let device = device.importing("log", "write", "(param i32 i32 i32)").with("io-read", flood);
    let ground = Ground::new(&device.component());
    let log = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
    ground.beside_neighbour("log flood", || {
        tracing::subscriber::with_default(log, || ground.provoke("io-read"));
    });
    let counts = ground.status().counts;
    assert!((800..1000).contains(&counts.messages_dropped), "{}", counts.messages_dropped);
    assert_eq!(ground.told().len(), 0);
    ground.machine.swap("hostile", &good_image()).unwrap();
    ground.check_service("log flood");
}
