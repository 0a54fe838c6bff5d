//! What processors hold, and the kernel's part of the machine, in a stream.
//!
//! With KVM neither is a device. Their sections are those of QEMU with KVM, which says
//! what they hold as its own processors would; what differs is said where it does.

mod apic;
mod chips;
mod cpu;
mod fields;
mod parts;
#[cfg(test)]
mod tests;

use rustix::time::{ClockId, clock_gettime};
use vmstate::{Section, Stream};

use super::{Fault, Problem, clock};
use crate::machine::file::Migration;
use crate::vm::{ChipState, ProcessorState, VmState};
use cpu::Unfit;
use fields::{Fields, find};

/// KVM's clock for guests.
const CLOCK: &str = "kvmclock";

/// Whether that clock is right at any time.
const RELIABLE: &str = "kvmclock/clock_is_reliable";

/// What of a machine a state of processors must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorForm {
    /// How many processors it has.
    pub cpus: usize,
    /// Whether they have local APICs.
    pub apics: bool,
    /// Whether the kernel has the interrupt controllers and the interval timer.
    pub chips: bool,
}

impl ProcessorForm {
    /// Whether a section is of what a machine of this form has besides its devices.
    pub(super) fn has(&self, section: &Section) -> bool {
        match section.name.as_str() {
            cpu::COMMON | cpu::NAME | CLOCK => true,
            apic::NAME => self.apics,
            chips::PIC | chips::IO_APIC | chips::TIMER => self.chips,
            _ => false,
        }
    }
}

/// What a stream says of processors; none if it has none, as one of a machine that
/// clients drive.
pub(super) fn read(stream: &Stream, form: ProcessorForm) -> Result<Option<VmState>, Vec<Problem>> {
    let sections = &stream.devices.sections;
    let found = sections.iter().filter(|section| section.name == cpu::NAME).count();
    if found == 0 {
        return Ok(None);
    }
    if found != form.cpus {
        let fault = Fault::Processors { found, expected: form.cpus };
        return Err(vec![Problem { offset: None, fault }]);
    }
    let now = stream.devices.section(clock::NAME, 0).and_then(|section| clock::read(section).ok());
    let reader = Reader { sections, form, now: now.unwrap_or(0) };
    let mut problems = Vec::new();
    let mut processors = Vec::new();
    for number in 0..form.cpus as u32 {
        match reader.processor(number) {
            Ok(processor) => processors.push(processor),
            Err(problem) => problems.push(problem),
        }
    }
    let chips = form.chips.then(|| reader.chips()).transpose();
    let messages = if form.apics && !form.chips { reader.messages() } else { Vec::new() };
    let clock = find(sections, CLOCK, 0).map(|section| reader.fields(section)).transpose();
    match (problems.is_empty(), chips, clock) {
        (true, Ok(chips), Ok(clock)) => {
            let clock = clock.map_or(reader.now, |clock| clock.number("clock"));
            Ok(Some(VmState { processors, chips, messages, clock }))
        }
        (_, chips, clock) => {
            problems.extend(chips.err());
            problems.extend(clock.err());
            Err(problems)
        }
    }
}

struct Reader<'s> {
    sections: &'s [Section],
    form: ProcessorForm,
    now: u64,
}

impl Reader<'_> {
    fn processor(&self, number: u32) -> Result<ProcessorState, Problem> {
        let owner = || format!("processor {number}");
        let cpu = self.needed(cpu::NAME, number, owner)?;
        let common = find(self.sections, cpu::COMMON, number);
        let common = common.map(|section| self.fields(section)).transpose()?;
        let apic = self.form.apics.then(|| self.needed(apic::NAME, number, owner)).transpose()?;
        let state = cpu::read(common.as_ref(), &cpu, apic.as_ref(), self.now);
        state.map_err(|unfit| {
            let reason = match unfit {
                Unfit::Subsection(name) => format!("no processor here has what {name} says"),
                Unfit::Mode(mode) => format!("{mode}, which is not taken over"),
            };
            let fault = Fault::Device { slot: owner(), reason };
            Problem { offset: Some(cpu.offset()), fault }
        })
    }

    fn chips(&self) -> Result<ChipState, Problem> {
        let needed = |name, instance| self.needed(name, instance, || "the kernel".to_owned());
        let pics = [needed(chips::PIC, 0)?, needed(chips::PIC, 1)?];
        let (io_apic, timer) = (needed(chips::IO_APIC, 0)?, needed(chips::TIMER, 0)?);
        Ok(chips::read([&pics[0], &pics[1]], &io_apic, &timer))
    }

    /// What an I/O APIC that is a device may have sent.
    fn messages(&self) -> Vec<(u64, u32)> {
        let io_apic = find(self.sections, chips::IO_APIC, 0);
        let fields = io_apic.and_then(|section| self.fields(section).ok());
        fields.as_ref().map_or(Vec::new(), chips::level_messages)
    }

    fn needed(
        &self,
        name: &str,
        instance: u32,
        owner: impl Fn() -> String,
    ) -> Result<Fields, Problem> {
        match find(self.sections, name, instance) {
            Some(section) => self.fields(section),
            None => {
                let fault = Fault::Missing { section: name.to_owned(), slot: owner() };
                Err(Problem { offset: None, fault })
            }
        }
    }

    fn fields(&self, section: &Section) -> Result<Fields, Problem> {
        Fields::of(section).map_err(|error| {
            let fault = Fault::Unreadable(error.problem);
            Problem { offset: Some(error.offset), fault }
        })
    }
}

/// The sections of processors and the kernel's chips, at a time of the machine's clock.
/// They are those of the stream the machine was loaded from, if it was, brought up to
/// date. None if a value has no room in its field, which cannot be.
pub(super) fn write(
    state: &VmState,
    origin: Option<&Stream>,
    migration: &Migration,
    now: u64,
) -> Option<Vec<Section>> {
    let origin = origin.map_or(&[][..], |origin| &origin.devices.sections);
    let (mut common, mut cpus, mut apics) = (Vec::new(), Vec::new(), Vec::new());
    for (number, processor) in (0..).zip(&state.processors) {
        let [one, other] = cpu::write(processor, number, origin, migration.save_tsc_khz)?;
        common.push(one);
        cpus.push(other);
        if let Some(apic) = &processor.apic {
            apics.push(apic::write(apic, number, origin, now)?);
        }
    }
    let clock = write_clock(state.clock, origin, migration.reliable_get_clock)?;
    let sections = common.into_iter().chain(cpus).chain(apics).chain([clock]);
    let chips = match &state.chips {
        Some(chips) => chips::write(chips, origin, now, boot(now))?,
        None => Vec::new(),
    };
    Some(sections.chain(chips).collect())
}

fn write_clock(clock: u64, origin: &[Section], reliable_get_clock: bool) -> Option<Section> {
    let mut fields = Fields::found_or_zeros(origin, CLOCK, 0, 1, 8);
    fields.set("clock", [clock]);
    match reliable_get_clock {
        true => fields.set_part(RELIABLE, &[("clock_is_reliable", 1, vec![1])]),
        false => fields.drop_part(RELIABLE),
    }
    fields.finish()
}

/// The time of the host's monotonic clock, in which the kernel's timer has its times, at
/// which the machine's clock was 0.
fn boot(now: u64) -> i64 {
    let host = clock_gettime(ClockId::Monotonic);
    host.tv_sec * 1_000_000_000 + host.tv_nsec - now.cast_signed()
}
