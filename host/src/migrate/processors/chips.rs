//! The sections `i8259`, `ioapic` and `i8254`: chips that the kernel has.

use kvm_bindings::{KVM_PIT_FLAGS_HPET_LEGACY, kvm_pic_state, kvm_pit_state2};
use vmstate::Section;

use super::fields::Fields;
use crate::vm::{ChipState, IoApicState};

pub(super) const PIC: &str = "i8259";
pub(super) const IO_APIC: &str = "ioapic";
pub(super) const TIMER: &str = "i8254";

/// Which interrupts may be level-triggered, of the first controller and the second: all
/// but those of the timer, the keyboard, the second controller, the clock and the
/// coprocessor.
const LEVEL_MASKS: [u8; 2] = [0xf8, 0xde];

/// Where the I/O APIC is.
const IO_APIC_BASE: u64 = 0xfec0_0000;

/// What the sections say.
pub(super) fn read(pics: [&Fields; 2], io_apic: &Fields, timer: &Fields) -> ChipState {
    ChipState {
        pics: [read_pic(pics[0], LEVEL_MASKS[0]), read_pic(pics[1], LEVEL_MASKS[1])],
        io_apic: read_io_apic(io_apic),
        timer: read_timer(timer),
    }
}

/// The sections of chips, at a time of the machine's clock. `boot` is the time of the
/// host's monotonic clock at which the machine's was 0.
pub(super) fn write(
    chips: &ChipState,
    origin: &[Section],
    now: u64,
    boot: i64,
) -> Option<Vec<Section>> {
    let mut sections = Vec::new();
    for (instance, pic) in (0..).zip(chips.pics) {
        sections.push(write_pic(pic, instance, origin)?);
    }
    sections.push(write_io_apic(&chips.io_apic, origin)?);
    sections.push(write_timer(&chips.timer, origin, now.cast_signed(), boot)?);
    Some(sections)
}

/// The level-triggered messages that an I/O APIC sends when its pins are high (82093AA
/// data sheet, 3.2.4).
pub(super) fn level_messages(io_apic: &Fields) -> Vec<(u64, u32)> {
    let entries = io_apic.numbers("ioredtbl").into_iter();
    let level = entries.filter(|entry| entry >> 15 & 1 != 0 && entry >> 16 & 1 == 0);
    let message = |entry: u64| {
        let (destination, mode) = (entry >> 56, entry >> 11 & 1);
        (0xfee0_0000 | destination << 12 | mode << 2, (entry & 0x87ff) as u32)
    };
    level.map(message).collect()
}

/// A register of an 8259A.
type PicField = fn(&mut kvm_pic_state) -> &mut u8;

/// Its registers by QEMU's names.
const PIC_FIELDS: [(&str, PicField); 15] = [
    ("last_irr", |pic| &mut pic.last_irr),
    ("irr", |pic| &mut pic.irr),
    ("imr", |pic| &mut pic.imr),
    ("isr", |pic| &mut pic.isr),
    ("priority_add", |pic| &mut pic.priority_add),
    ("irq_base", |pic| &mut pic.irq_base),
    ("read_reg_select", |pic| &mut pic.read_reg_select),
    ("poll", |pic| &mut pic.poll),
    ("special_mask", |pic| &mut pic.special_mask),
    ("init_state", |pic| &mut pic.init_state),
    ("auto_eoi", |pic| &mut pic.auto_eoi),
    ("rotate_on_auto_eoi", |pic| &mut pic.rotate_on_auto_eoi),
    ("special_fully_nested_mode", |pic| &mut pic.special_fully_nested_mode),
    ("init4", |pic| &mut pic.init4),
    ("elcr", |pic| &mut pic.elcr),
];

fn read_pic(fields: &Fields, elcr_mask: u8) -> kvm_pic_state {
    let mut pic = kvm_pic_state { elcr_mask, ..Default::default() };
    for (name, field) in PIC_FIELDS {
        *field(&mut pic) = fields.number(name) as u8;
    }
    pic
}

fn write_pic(mut pic: kvm_pic_state, instance: u32, origin: &[Section]) -> Option<Section> {
    let mut fields = Fields::found_or_zeros(origin, PIC, instance, 1, 16);
    for (name, field) in PIC_FIELDS {
        fields.set(name, [(*field(&mut pic)).into()]);
    }
    fields.finish()
}

fn read_io_apic(fields: &Fields) -> IoApicState {
    let entries = fields.numbers("ioredtbl");
    IoApicState {
        base: IO_APIC_BASE,
        selected: fields.number("ioregsel") as u32,
        id: fields.number("id") as u32,
        requests: fields.number("irr") as u32,
        redirections: std::array::from_fn(|pin| entries.get(pin).copied().unwrap_or(0)),
    }
}

fn write_io_apic(io_apic: &IoApicState, origin: &[Section]) -> Option<Section> {
    let mut fields = Fields::found_or_zeros(origin, IO_APIC, 0, 3, 206);
    fields.set("id", [u64::from(io_apic.id & 0xff)]);
    fields.set("ioregsel", [u64::from(io_apic.selected & 0xff)]);
    fields.set("irr", [io_apic.requests.into()]);
    fields.set("ioredtbl", io_apic.redirections);
    fields.finish()
}

/// How many numbers there are of each counter, and the last of them.
const COUNTER: usize = 14;

fn read_timer(fields: &Fields) -> kvm_pit_state2 {
    let mut timer = kvm_pit_state2::default();
    if fields.number("channels[0].irq_disabled") != 0 {
        timer.flags |= KVM_PIT_FLAGS_HPET_LEGACY;
    }
    let numbers = fields.numbers("channels");
    for (channel, numbers) in timer.channels.iter_mut().zip(numbers.chunks_exact(COUNTER)) {
        channel.count = numbers[0] as u32;
        channel.latched_count = numbers[1] as u16;
        channel.count_latched = numbers[2] as u8;
        channel.status_latched = numbers[3] as u8;
        channel.status = numbers[4] as u8;
        channel.read_state = numbers[5] as u8;
        channel.write_state = numbers[6] as u8;
        channel.write_latch = numbers[7] as u8;
        channel.rw_mode = numbers[8] as u8;
        channel.mode = numbers[9] as u8;
        channel.bcd = numbers[10] as u8;
        channel.gate = numbers[11] as u8;
        // The kernel begins to count when it gets the state, whatever is here.
    }
    timer
}

fn write_timer(timer: &kvm_pit_state2, origin: &[Section], now: i64, boot: i64) -> Option<Section> {
    let mut fields = Fields::found_or_zeros(origin, TIMER, 0, 3, 108);
    let no_interrupt = timer.flags & KVM_PIT_FLAGS_HPET_LEGACY != 0;
    fields.set("channels[0].irq_disabled", [u64::from(no_interrupt)]);
    let numbers = timer.channels.iter().enumerate().flat_map(|(number, channel)| {
        // Of the counter that interrupts the kernel does not say when it began: let that be
        // now. Whoever has a timer of its own looks from there on for the next change of
        // the output, as after QEMU's state of a kernel's timer.
        let (loaded, next) = match number {
            0 => (now, now.wrapping_add(1)),
            _ => (channel.count_load_time.wrapping_sub(boot), 0),
        };
        [
            i64::from(channel.count.cast_signed()).cast_unsigned(),
            channel.latched_count.into(),
            channel.count_latched.into(),
            channel.status_latched.into(),
            channel.status.into(),
            channel.read_state.into(),
            channel.write_state.into(),
            channel.write_latch.into(),
            channel.rw_mode.into(),
            channel.mode.into(),
            channel.bcd.into(),
            channel.gate.into(),
            loaded.cast_unsigned(),
            next.cast_unsigned(),
        ]
    });
    let numbers: Vec<u64> = numbers.collect();
    let next = numbers[COUNTER - 1];
    fields.set("channels", numbers);
    fields.set("channels[0].next_transition_time", [next]);
    fields.finish()
}
