//! The section `apic`: a local APIC.

use vmstate::Section;

use super::fields::Fields;
use crate::vm::ApicState;

pub(super) const NAME: &str = "apic";
const VERSION: u32 = 3;
const SIZE: usize = 181;

/// Offsets of registers (Software Developer's Manual, volume 3A, table 11-1).
mod register {
    pub(super) const ID: usize = 0x20;
    pub(super) const TASK_PRIORITY: usize = 0x80;
    pub(super) const ARBITRATION: usize = 0x90;
    pub(super) const LOGICAL_DESTINATION: usize = 0xd0;
    pub(super) const DESTINATION_FORMAT: usize = 0xe0;
    pub(super) const SPURIOUS: usize = 0xf0;
    pub(super) const IN_SERVICE: usize = 0x100;
    pub(super) const TRIGGER_MODE: usize = 0x180;
    pub(super) const REQUESTS: usize = 0x200;
    pub(super) const ERROR: usize = 0x280;
    pub(super) const COMMAND: usize = 0x300;
    pub(super) const LOCAL_VECTORS: usize = 0x320;
    pub(super) const INITIAL_COUNT: usize = 0x380;
    pub(super) const CURRENT_COUNT: usize = 0x390;
    pub(super) const DIVIDE: usize = 0x3e0;
}

/// The bit of the APIC's base that makes it an x2APIC, whose id has 32 bits.
const X2APIC: u64 = 1 << 10;

/// Arrays of registers, each of 32 bits: field, offset and length.
const ARRAYS: [(&str, usize, usize); 5] = [
    ("isr", register::IN_SERVICE, 8),
    ("tmr", register::TRIGGER_MODE, 8),
    ("irr", register::REQUESTS, 8),
    ("lvt", register::LOCAL_VECTORS, 6),
    ("icr", register::COMMAND, 2),
];

/// Single registers of 32 bits.
const SINGLE: [(&str, usize); 4] = [
    ("spurious_vec", register::SPURIOUS),
    ("esr", register::ERROR),
    ("divide_conf", register::DIVIDE),
    ("initial_count", register::INITIAL_COUNT),
];

/// Of these the section has the uppermost bits: field, offset and first bit.
const UPPERMOST: [(&str, usize, u32); 2] = [
    ("log_dest", register::LOGICAL_DESTINATION, 24),
    ("dest_mode", register::DESTINATION_FORMAT, 28),
];

/// What the section says, at a time of the machine's clock.
pub(super) fn read(fields: &Fields, now: u64) -> ApicState {
    let base = fields.number("apicbase");
    let mut apic = ApicState { base, registers: Box::new([0; 1024]) };
    let id = fields.number("id") as u32;
    apic.set_register(register::ID, if base & X2APIC != 0 { id } else { id << 24 });
    apic.set_register(register::TASK_PRIORITY, fields.number("tpr") as u32);
    apic.set_register(register::ARBITRATION, fields.number("arb_id") as u32);
    for (name, offset) in SINGLE {
        apic.set_register(offset, fields.number(name) as u32);
    }
    for (name, offset, _) in ARRAYS {
        for (index, value) in fields.numbers(name).into_iter().enumerate() {
            apic.set_register(offset + 16 * index, value as u32);
        }
    }
    for (name, offset, bit) in UPPERMOST {
        apic.set_register(offset, (fields.number(name) as u32) << bit);
    }
    // The lower bits of this one are always set.
    let format = apic.register(register::DESTINATION_FORMAT);
    apic.set_register(register::DESTINATION_FORMAT, format | 0x0fff_ffff);
    let elapsed = now.saturating_sub(fields.number("initial_count_load_time"));
    let timer = Timer::of(&apic);
    let current = match elapsed {
        // QEMU with KVM does not say how far the timer has come. It has one that counts
        // once be at its end then: too early is better than too late.
        0 if !timer.is_periodic => 0,
        elapsed => timer.count_after(elapsed >> shift(&apic)),
    };
    apic.set_register(register::CURRENT_COUNT, current);
    apic
}

/// Whether QEMU's own processor, which KVM's is not, waits to be started.
pub(super) fn waits_for_start(fields: &Fields) -> bool {
    let waits = fields.part_numbers("apic_sipi", "wait_for_sipi");
    waits.is_some_and(|waits| waits != [0])
}

/// The section of an APIC, at a time of the machine's clock.
pub(super) fn write(
    apic: &ApicState,
    instance: u32,
    origin: &[Section],
    now: u64,
) -> Option<Section> {
    let mut fields = Fields::found_or_zeros(origin, NAME, instance, VERSION, SIZE);
    fields.set("apicbase", [apic.base]);
    let id = apic.register(register::ID);
    let id = if apic.base & X2APIC != 0 { id & 0xff } else { id >> 24 };
    fields.set("id", [id.into()]);
    fields.set("tpr", [u64::from(apic.register(register::TASK_PRIORITY) & 0xff)]);
    fields.set("arb_id", [u64::from(apic.register(register::ARBITRATION) & 0xff)]);
    for (name, offset) in SINGLE {
        fields.set(name, [apic.register(offset).into()]);
    }
    for (name, offset, length) in ARRAYS {
        let registers = (0..length).map(|index| apic.register(offset + 16 * index).into());
        fields.set(name, registers);
    }
    for (name, offset, bit) in UPPERMOST {
        fields.set(name, [u64::from(apic.register(offset) >> bit)]);
    }
    fields.set("count_shift", [u64::from(shift(apic))]);

    // The section says when the timer began to count from its initial count, and when it
    // is at its end.
    let timer = Timer::of(apic);
    let current = apic.register(register::CURRENT_COUNT);
    let counted = u64::from(timer.initial.saturating_sub(current)) << shift(apic);
    let started = now.saturating_sub(counted);
    let running = timer.length().filter(|_| timer.is_periodic || current != 0);
    let due = running.map(|length| started.saturating_add(length << shift(apic)));
    fields.set("initial_count_load_time", [started]);
    let unarmed = u64::MAX;
    fields.set("timer_expiry", [due.unwrap_or(unarmed)]);
    if let Some(due) = due {
        fields.set("next_time", [due]);
    }
    fields.finish()
}

/// How often the timer's clock of 1 GHz is halved (11.5.4: divide configuration).
fn shift(apic: &ApicState) -> u32 {
    let divide = apic.register(register::DIVIDE);
    ((divide & 3 | divide >> 1 & 4) + 1) & 7
}

/// The APIC's timer (11.5.4).
struct Timer {
    initial: u32,
    is_masked: bool,
    is_periodic: bool,
}

impl Timer {
    fn of(apic: &ApicState) -> Self {
        let vector = apic.register(register::LOCAL_VECTORS);
        Self {
            initial: apic.register(register::INITIAL_COUNT),
            is_masked: vector & 1 << 16 != 0,
            is_periodic: vector & 1 << 17 != 0,
        }
    }

    /// Where it is after some counts.
    fn count_after(&self, counts: u64) -> u32 {
        let initial = u64::from(self.initial);
        let left = match self.is_periodic {
            true => initial - counts % (initial + 1),
            false => initial.saturating_sub(counts),
        };
        left as u32
    }

    /// How many counts it takes to its end; none if that interrupts nobody.
    fn length(&self) -> Option<u64> {
        let counts = !self.is_masked && self.initial != 0;
        counts.then(|| u64::from(self.initial) + 1)
    }
}
