//! What the traces leave out: time, and input meeting the guest.

use southbridge_sdk::fake::{Bench, Effect, Fake, override_properties};
use southbridge_sdk::wit::PropertyValue;
use southbridge_sdk::{Context, Device, Properties, StreamInput};

use super::{feed, get, irq, set};
use crate::regs::*;
use crate::{DATA, Serial};

/// 8 data bits, no parity, 115200 baud, interrupts for received data, FIFOs with
/// a trigger level of 8.
fn fast() -> Bench<Serial> {
    let mut bench = Bench::<Serial>::new();
    for (register, value) in
        [(LCR, 0x83), (RBR_THR, 1), (IER, 0), (LCR, 3), (IER, 1), (IIR_FCR, 0x81)]
    {
        set(&mut bench, register, value);
    }
    bench
}

#[test]
fn waiting_bytes_raise_the_time_out_after_four_characters() {
    let mut bench = fast();
    assert_eq!(feed(&mut bench, b"abc"), 0);
    // 10 bits at 115200 baud are 86805 ns.
    bench.advance(4 * 86_805 - 1);
    assert!(!irq(&bench));
    bench.advance(1);
    assert!(irq(&bench));
    assert_eq!(get(&mut bench, IIR_FCR), 0xcc);
    assert_eq!(get(&mut bench, RBR_THR), b'a');
    assert!(!irq(&bench), "a read acknowledges");
    bench.advance(4 * 86_805);
    assert!(irq(&bench), "and starts again");
    assert_eq!([get(&mut bench, RBR_THR), get(&mut bench, RBR_THR)], *b"bc");
    assert_eq!(get(&mut bench, LSR), 0x60);
    bench.advance(1_000_000);
    assert!(!irq(&bench));
}

#[test]
fn the_trigger_level_raises_the_interrupt_and_stops_the_stream() {
    for (trigger, level) in [(0x01, 1), (0x41, 4), (0x81, 8), (0xc1, 14)] {
        let mut bench = fast();
        set(&mut bench, IIR_FCR, trigger);
        assert_eq!(bench.device.room(DATA), level);
        assert_eq!(feed(&mut bench, &vec![7; level as usize - 1]), 0);
        assert!(!irq(&bench));
        assert_eq!(feed(&mut bench, &[7; 20]), 19);
        assert!(irq(&bench));
        assert_eq!(get(&mut bench, IIR_FCR), 0xc4);
        bench.fake.take();
        get(&mut bench, RBR_THR);
        assert!(bench.fake.take().contains(&Effect::Ready(DATA)));
        assert_eq!(bench.device.room(DATA), 1);
    }
}

#[test]
fn a_lower_trigger_level_lets_bytes_in_one_by_one() {
    let mut bench = fast();
    feed(&mut bench, &[1; 8]);
    set(&mut bench, IIR_FCR, 0x41);
    assert_eq!(bench.device.room(DATA), 1);
    assert_eq!(feed(&mut bench, &[2; 20]), 12, "up to the FIFO's end");
    assert_eq!(bench.device.room(DATA), 0);
}

#[test]
fn an_overrun_keeps_the_fifo_and_shows_once() {
    let mut bench = fast();
    set(&mut bench, IER, 4);
    set(&mut bench, MCR, 0x10);
    for byte in 0..17 {
        set(&mut bench, RBR_THR, byte);
    }
    assert_eq!(get(&mut bench, IIR_FCR), 0xc6);
    assert_eq!([get(&mut bench, LSR), get(&mut bench, LSR)], [0x63, 0x61]);
    assert!(!irq(&bench));
    let read: Vec<_> = (0..16).map(|_| get(&mut bench, RBR_THR)).collect();
    assert!(read.into_iter().eq(0..16));
    assert!(bench.fake.streams.is_empty(), "loopback keeps bytes inside");
}

#[test]
fn loopback_shows_the_outputs_as_inputs() {
    let mut bench = Bench::<Serial>::new();
    for (outputs, inputs) in [(1, 0x20), (2, 0x10), (4, 0x40), (8, 0x80), (0, 0)] {
        set(&mut bench, MCR, 0x10 | outputs);
        assert_eq!(get(&mut bench, MSR), inputs);
    }
    set(&mut bench, MCR, 0);
    assert_eq!(get(&mut bench, MSR), 0xb0);
}

#[test]
fn the_transmitter_interrupts_when_enabled_and_after_each_byte() {
    let mut bench = Bench::<Serial>::new();
    set(&mut bench, IER, 2);
    assert!(irq(&bench));
    assert_eq!([get(&mut bench, IIR_FCR), get(&mut bench, IIR_FCR)], [2, 1]);
    assert!(!irq(&bench));
    set(&mut bench, RBR_THR, b'x');
    assert!(irq(&bench));
    assert_eq!(bench.fake.streams[&DATA], b"x");
    set(&mut bench, IER, 0);
    set(&mut bench, IER, 2);
    assert!(irq(&bench), "enabling raises it again");
}

#[test]
fn a_base_without_room_is_refused() {
    let values = [("iobase", PropertyValue::Number(0xfff9))];
    let properties = Properties::new(override_properties(&Serial::describe(), &values));
    let mut fake = Fake::default();
    let error = Serial::configure(&properties, &mut Context::new(0, &mut fake)).err();
    let expected = "property iobase: 0xfff9, expected at most 0xfff8";
    assert_eq!(error.as_deref(), Some(expected));
}
