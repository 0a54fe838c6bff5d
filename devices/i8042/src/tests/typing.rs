//! What a person does, recorded from QEMU.
//!
//! Lines that begin with `K` are keys: number, and 1 for pressed; with `M` movements;
//! with `B` buttons; with `S` the sections QEMU saves at that moment.

use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use southbridge_sdk::HumanInput;
use southbridge_sdk::fake::trace::{Answer, Interrupt, Request, Trace};
use southbridge_sdk::fake::{Action, Bench, Effect};
use southbridge_sdk::wit::{MouseButton, Scope};

use super::{data, mouse, read};
use crate::{I8042, KEYBOARD_IRQ, MOUSE_IRQ};

const PINS: [(u32, u8); 2] = [(KEYBOARD_IRQ, 1), (MOUSE_IRQ, 12)];

/// Does what a line says; returns the interrupts that moved.
fn act(bench: &mut Bench<I8042>, line: &str) -> Vec<Interrupt> {
    let words: Vec<_> = line.split(' ').collect();
    let number = |at: usize| words[at].parse::<i32>().expect("a number");
    bench.call(|device, cx| match words[0] {
        "K" => {
            let digits = words[1].trim_start_matches("0x");
            let key = u16::from_str_radix(digits, 16).expect("a number");
            device.key(cx, key, words[2] == "1");
        }
        "M" => device.moved(cx, number(1), number(2)),
        _ => {
            let button = match words[1] {
                "left" => MouseButton::Left,
                "middle" => MouseButton::Middle,
                "right" => MouseButton::Right,
                "wheel-up" => MouseButton::WheelUp,
                _ => MouseButton::WheelDown,
            };
            device.button(cx, button, words[2] == "1");
        }
    });
    let effects = bench.fake.take();
    let changes = effects.into_iter().filter_map(|effect| match effect {
        Effect::Line(line, level) => {
            PINS.iter().find(|(own, _)| *own == line).map(|&(_, pin)| Interrupt { pin, level })
        }
        _ => None,
    });
    changes.collect()
}

#[test]
fn keys_and_mouse_are_as_in_qemu() {
    let recording =
        include_bytes!("../../../../tests/data/traces/qemu-7.2/pc-i440fx-7.2/input.trace.gz");
    let mut text = String::new();
    GzDecoder::new(&recording[..]).read_to_string(&mut text).expect("gzip and text");
    let mut bench = Bench::<I8042>::new();
    let is_ours = |line: &str| ["K ", "M ", "B ", "S "].iter().any(|mark| line.starts_with(mark));
    let (mut saves, mut compared, mut actions, mut number) = (0, 0, 0, 0);
    // The recorder read what an action caused at the next request.
    let mut pending = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.peek() {
        if line.starts_with("S ") {
            for section in bench.save(Scope::Stream) {
                let bytes: String = section.data.iter().map(|b| format!("{b:02x}")).collect();
                let saved = format!("S {} {} {bytes}", section.name, section.version);
                assert_eq!(lines.next(), Some(&*saved), "line {number}");
                number += 1;
            }
            bench = bench.successor(&[]);
            bench.fake.take();
            saves += 1;
        } else if is_ours(line) {
            pending.extend(act(&mut bench, line));
            actions += 1;
            number += 1;
            lines.next();
        } else {
            let part: Vec<_> =
                std::iter::from_fn(|| lines.next_if(|line| !is_ours(line))).collect();
            // Remarks keep the numbers of the lines right.
            let requests = format!("{}{}", "# \n".repeat(number), part.join("\n"));
            compared += Trace::parse(&requests).replay(&[1, 12], |step| {
                let mut first = std::mem::take(&mut pending);
                let answer = bench.follow(step, &PINS);
                let later = match &answer {
                    Answer::Moved(interrupts) | Answer::Did { interrupts, .. } => {
                        interrupts.clone()
                    }
                    Answer::Skip => Vec::new(),
                };
                first.extend(later);
                if let Request::Monitor(_) = step.request {
                    pending = first;
                    return Answer::done();
                }
                answer.with_interrupts(first)
            });
            number += part.len();
        }
    }
    assert!(saves > 50 && compared > 15_000 && actions > 3000, "{saves} {compared} {actions}");
}

#[test]
fn a_key_wakes_the_machine_and_so_does_a_button() {
    let wakes = |bench: &mut Bench<I8042>, what| {
        bench.fake.take();
        bench.call(|device, cx| match what {
            "key" => device.key(cx, 0x1e, true),
            "move" => device.moved(cx, 1, 1),
            _ => device.button(cx, MouseButton::Left, true),
        });
        bench.fake.take().contains(&Effect::Wake("other"))
    };
    let mut bench = Bench::<I8042>::new();
    assert!(!wakes(&mut bench, "button"), "the mouse is not enabled");
    mouse(&mut bench, &[0xf4]);
    assert!(wakes(&mut bench, "key"));
    assert!(!wakes(&mut bench, "move"));
    assert!(wakes(&mut bench, "button"));
    data(&mut bench, 0xf5);
    read(&mut bench);
    assert!(!wakes(&mut bench, "key"), "the keyboard is disabled");
}

#[test]
fn numbers_of_no_key_do_nothing() {
    let mut bench = Bench::<I8042>::new();
    for key in [0, 0x55, 0xff, 0x100, u16::MAX] {
        bench.call(|device, cx| {
            device.key(cx, key, true);
            device.key(cx, key, false);
        });
    }
    assert!(read(&mut bench).is_empty());
}

/// What a person or the guest does.
#[derive(Clone, Debug)]
enum Event {
    Key(u16, bool),
    Moved(i32, i32),
    Button(MouseButton, bool),
    Guest(Action),
}

fn event() -> impl Strategy<Value = Event> {
    let key = prop_oneof![
        3 => 0..0x100_u16,
        1 => prop_oneof![Just(0x1d_u16), Just(0x2a), Just(0x38), Just(0xb8), Just(0xb7), Just(0xc6)],
    ];
    let buttons = [
        MouseButton::Left,
        MouseButton::Middle,
        MouseButton::Right,
        MouseButton::WheelUp,
        MouseButton::WheelDown,
    ];
    let button = prop::sample::select(buttons.to_vec());
    let command = prop::sample::select(vec![0xf0_u64, 1, 2, 3, 0xf4, 0xf5, 0xff, 0xeb, 200, 80]);
    prop_oneof![
        4 => (key, any::<bool>()).prop_map(|(key, down)| Event::Key(key, down)),
        2 => (any::<i32>(), any::<i32>()).prop_map(|(x, y)| Event::Moved(x, y)),
        2 => (-9..9, -9..9).prop_map(|(x, y)| Event::Moved(x, y)),
        2 => (button, any::<bool>()).prop_map(|(button, down)| Event::Button(button, down)),
        5 => Just(Event::Guest(Action::In(0x60, 1))),
        3 => command.prop_map(|byte| Event::Guest(Action::Out(0x60, 1, byte))),
        2 => Just(Event::Guest(Action::Out(0x64, 1, 0xd4))),
        1 => Just(Event::Guest(Action::Reset)),
    ]
}

fn perform(bench: &mut Bench<I8042>, event: &Event) -> u64 {
    match event {
        Event::Key(key, down) => bench.call(|device, cx| device.key(cx, *key, *down)),
        Event::Moved(x, y) => bench.call(|device, cx| device.moved(cx, *x, *y)),
        Event::Button(button, down) => bench.call(|device, cx| device.button(cx, *button, *down)),
        Event::Guest(action) => return bench.perform(action),
    }
    0
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(event(), 0..60),
        after in prop::collection::vec(event(), 0..40),
        translate: bool,
    ) {
        let mut old = Bench::<I8042>::new();
        mouse(&mut old, &[0xf4]);
        if translate {
            old.port_out(0x64, 1, 0x60);
            data(&mut old, 0x43);
        }
        for event in &before {
            perform(&mut old, event);
        }
        let mut new = old.successor(&[]);
        old.assert_goes_on(&mut new, &after, perform);
    }
}
