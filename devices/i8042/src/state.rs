//! The saved state: QEMU's sections ps2kbd, ps2mouse and pckbd.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::I8042;
use crate::keyboard::Keyboard;
use crate::mouse::Mouse;
use crate::output::{Output, Pending, Source, due};
use crate::queue::Queue;
use crate::regs::{OutputPort, Status};

const COMMON: Shape = Shape::new("PS2 Common State", 3, 2);
const KEYBOARD: Shape = Shape::new("ps2kbd", 3, 2);
const LEDS: Shape = Shape::new("ps2kbd/ledstate", 3, 2);
const HIGH_BIT: Shape = Shape::new("ps2kbd/need_high_bit", 1, 1);
const REPLY: Shape = Shape::new("ps2kbd/command_reply_queue", 0, 0);
const MOUSE: Shape = Shape::new("ps2mouse", 2, 2);
const CONTROLLER: Shape = Shape::new("pckbd", 3, 3);
const OUTPUT_PORT: Shape = Shape::new("pckbd_outport", 1, 1);
const EXTENDED: Shape = Shape::new("pckbd/extended_state", 0, 0);

/// `pending` without the extended state: keyboard and mouse.
const KEYBOARD_COMPAT: u8 = 1;
const MOUSE_COMPAT: u8 = 2;

/// Declares the sections.
pub(crate) fn declare(device: &mut I8042, sections: &mut Sections<'_>) {
    sections.section(KEYBOARD, Condition::ALWAYS, |f| keyboard(&mut device.keyboard, f));
    sections.section(MOUSE, Condition::ALWAYS, |f| mouse(&mut device.mouse, f));
    sections.section(CONTROLLER, Condition::ALWAYS, |f| {
        f.structure("kbd", CONTROLLER, |f| controller(device, f));
    });
}

fn keyboard(keyboard: &mut Keyboard, f: &mut Fields<'_>) {
    let Keyboard {
        queue,
        write_cmd,
        scan_enabled,
        translate,
        scan_code_set,
        leds,
        need_high_bit,
        modifiers,
    } = keyboard;
    let positions = common(queue, write_cmd, f);
    flag(f, "scan_enabled", scan_enabled);
    flag(f, "translate", translate);
    let mut set = i32::from(*scan_code_set);
    f.since(3, |f| f.i32("scancode_set", &mut set));
    f.check((1..=3).contains(&set), || format!("{set} found, 1 to 3 expected"));
    *scan_code_set = set as u8;
    f.private(|f| f.u8("modifiers", modifiers));
    f.subsection(LEDS, Condition::new("lamps are lit", *leds != 0), |f| {
        let mut raw = i32::from(*leds);
        f.i32("ledstate", &mut raw);
        f.check(u8::try_from(raw).is_ok(), || format!("{raw} found, 0 to 255 expected"));
        *leds = raw as u8;
    });
    f.subsection(HIGH_BIT, Condition::new("a key is being released", *need_high_bit), |f| {
        f.bool("need_high_bit", need_high_bit);
    });
    let mut reply_end = queue.reply_end.map_or(-1, i32::from);
    f.subsection(REPLY, Condition::new("a reply waits", reply_end != -1), |f| {
        f.i32("parent_obj.queue.cwptr", &mut reply_end);
    });
    if f.is_loading() {
        queue.restore(positions, (reply_end != -1).then_some(reply_end));
    }
}

fn mouse(mouse: &mut Mouse, f: &mut Fields<'_>) {
    let Mouse {
        queue,
        write_cmd,
        status,
        resolution,
        sample_rate,
        wrap,
        device_type,
        detect_state,
        movement,
        buttons,
    } = mouse;
    let positions = common(queue, write_cmd, f);
    let mut raw = status.into_bits();
    f.u8("mouse_status", &mut raw);
    *status = raw.into();
    f.u8("mouse_resolution", resolution);
    f.u8("mouse_sample_rate", sample_rate);
    f.u8("mouse_wrap", wrap);
    f.u8("mouse_type", device_type);
    f.u8("mouse_detect_state", detect_state);
    for (name, axis) in ["mouse_dx", "mouse_dy", "mouse_dz"].into_iter().zip(movement) {
        f.i32(name, axis);
    }
    f.u8("mouse_buttons", buttons);
    if f.is_loading() {
        queue.restore(positions, None);
    }
}

/// Declares what keyboard and mouse have in common. Returns where the next byte
/// is and how many wait, which [`Queue::restore`] takes.
fn common(queue: &mut Queue, write_cmd: &mut i32, f: &mut Fields<'_>) -> (i32, i32) {
    let (mut read, mut write) = (queue.read.into(), queue.write().into());
    let mut count = queue.count.into();
    let Queue { data, read: _, count: _, reply_end: _ } = queue;
    f.structure("parent_obj", COMMON, |f| {
        f.i32("write_cmd", write_cmd);
        f.i32("queue.rptr", &mut read);
        f.i32("queue.wptr", &mut write);
        f.i32("queue.count", &mut count);
        f.buffer("queue.data", "buffer", data);
    });
    (read, count)
}

fn controller(device: &mut I8042, f: &mut Fields<'_>) {
    let I8042 { keyboard: _, mouse: _, output, write_cmd, last, reply } = device;
    let Output { status, mode, port, pending, source, interrupts, extended } = output;
    f.u8("write_cmd", write_cmd);
    let mut raw = status.into_bits();
    f.u8("status", &mut raw);
    *status = raw.into();
    let mut raw = mode.into_bits();
    f.u8("mode", &mut raw);
    *mode = raw.into();
    let mut raw = if *extended { pending.into_bits() } else { compat(*pending) };
    f.u8("pending_tmp", &mut raw);
    *pending = restored(raw);
    if f.is_loading() {
        // QEMU does not migrate the first; the others may be left out.
        *interrupts = due(*status, *mode);
        (*port, *source) = (default_port(*status), default_source(*status));
    }
    f.private(|f| {
        let [keyboard, mouse] = interrupts;
        f.bool("keyboard interrupt", keyboard);
        f.bool("mouse interrupt", mouse);
    });
    let changed = port.into_bits() != default_port(*status).into_bits();
    f.subsection(OUTPUT_PORT, Condition::new("the output port was written", changed), |f| {
        let mut raw = port.into_bits();
        f.u8("outport", &mut raw);
        *port = raw.into();
    });
    f.subsection(EXTENDED, Condition::new("extended-state", *extended), |f| {
        // The one flag says that QEMU's throttle timer is running. QEMU looks at
        // it before it knows what is pending, and so does nothing.
        f.u32("migration_flags", &mut 0);
        let mut raw = *source as u32;
        f.u32("obsrc", &mut raw);
        let known = Source::from_number(raw);
        f.check(known.is_some(), || format!("{raw} found, 0, 1, 2 or 4 expected"));
        *source = known.unwrap_or_default();
        f.u8("obdata", last);
        f.u8("cbdata", reply);
    });
}

/// A truth value that QEMU keeps as a number.
fn flag(f: &mut Fields<'_>, name: &'static str, value: &mut bool) {
    let mut raw = i32::from(*value);
    f.i32(name, &mut raw);
    f.check((0..=1).contains(&raw), || format!("{raw} found, 0 or 1 expected"));
    *value = raw != 0;
}

fn compat(pending: Pending) -> u8 {
    let keyboard = if pending.keyboard() { KEYBOARD_COMPAT } else { 0 };
    let mouse = if pending.mouse() { MOUSE_COMPAT } else { 0 };
    keyboard | mouse
}

/// Reads both forms: the bits of one mean nothing in the other.
fn restored(raw: u8) -> Pending {
    let loaded = Pending::from_bits(raw);
    Pending::new()
        .with_controller(loaded.controller())
        .with_controller_as_mouse(loaded.controller_as_mouse())
        .with_keyboard(loaded.keyboard() || raw & KEYBOARD_COMPAT != 0)
        .with_mouse(loaded.mouse() || raw & MOUSE_COMPAT != 0)
}

fn default_port(status: Status) -> OutputPort {
    OutputPort::new().with_obf(status.obf()).with_mouse_obf(status.mouse_obf())
}

fn default_source(status: Status) -> Source {
    match (status.obf(), status.mouse_obf()) {
        (false, _) => Source::Nobody,
        (true, false) => Source::Keyboard,
        (true, true) => Source::Mouse,
    }
}
