//! Does what requests ask for.

use std::sync::PoisonError;

use super::Qtest;
use super::reply::Reply;
use super::request::{Request, parse};
use crate::component::Effects;

/// The I/O APIC in the machine file.
const IO_APIC: &str = "ioapic";

/// How much of a range is filled at once, in bytes.
const FILLED_AT_ONCE: usize = 4096;

impl Qtest {
    /// Answers a line, which is given without its end: `tell` is told the reply before
    /// anybody else, whoever does what devices asked for meanwhile, touches the machine.
    pub(super) fn answer<R>(&self, line: &[u8], tell: impl FnOnce(Reply<'_>) -> R) -> R {
        match parse(line) {
            Ok(request) => {
                let mut effects = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                tell(self.perform(request, &mut effects))
            }
            Err(problem) => tell(Reply::Refused(problem)),
        }
    }

    fn perform(&self, request: Request<'_>, effects: &mut Effects) -> Reply<'static> {
        let Self { machine, board, .. } = self;
        match request {
            Request::In { port, size } => {
                return Reply::Port(machine.port_read(port, size, effects));
            }
            Request::Out { port, size, value } => machine.port_write(port, size, value, effects),
            Request::Load { address, size } => {
                let mut data = [0; 8];
                self.read(address, &mut data[..size.into()], effects);
                return Reply::Memory(u64::from_le_bytes(data));
            }
            Request::Store { address, size, value } => {
                self.write(address, &value.to_le_bytes()[..size.into()], effects);
            }
            Request::Read { address, length, form } => {
                let mut data = vec![0; length];
                self.read(address, &mut data, effects);
                return Reply::Bytes(data, form);
            }
            Request::Write { address, length, data } => {
                self.write(address, &data.decode(length), effects);
            }
            Request::Fill { address, length, byte } => self.fill(address, length, byte, effects),
            Request::Intercept(side) => board.interrupts.intercept(side),
            Request::SetPin { pin, level } => {
                board.interrupts.set(pin, level);
                // The interval timer's interrupt arrives at another input.
                let input = if pin == 0 { 2 } else { pin };
                machine.set_input(IO_APIC, &format!("irq{input}"), level, effects);
            }
            Request::ClockStep(step) => {
                let end = match step {
                    // QEMU's time has a sign: what is beyond its range is past.
                    Some(step) => step.checked_add_unsigned(machine.clock().now()),
                    None if self.has_stopped() => None,
                    None => machine.next_deadline().and_then(|end| end.try_into().ok()),
                };
                return self.advance_to(end.unwrap_or(0), effects);
            }
            Request::ClockSet(time) => {
                return self.advance_to(time, effects);
            }
            Request::Endianness => return Reply::LittleEndian,
        }
        Reply::Done
    }

    /// Moves the clock, which as in QEMU does not go back, and says the time. No timer
    /// fires while the machine has stopped.
    fn advance_to(&self, end: i64, effects: &mut Effects) -> Reply<'static> {
        let clock = self.machine.clock();
        let end = u64::try_from(end).unwrap_or(0);
        if self.has_stopped() {
            clock.advance_to(end);
        } else {
            self.machine.advance(end.saturating_sub(clock.now()), effects);
        }
        Reply::Time(clock.now())
    }

    fn read(&self, address: u64, data: &mut [u8], effects: &mut Effects) {
        self.board.memory.read(address, data, |address, data| {
            let mut at = address;
            let mut rest = data;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at_mut(piece(at, rest.len()));
                let value = self.machine.memory_read(at, piece.len() as u8, effects);
                piece.copy_from_slice(&value.to_le_bytes()[..piece.len()]);
                at = at.wrapping_add(piece.len() as u64);
                rest = after;
            }
        });
    }

    fn write(&self, address: u64, data: &[u8], effects: &mut Effects) {
        self.board.memory.write(address, data, |address, data| {
            let mut at = address;
            let mut rest = data;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(piece(at, rest.len()));
                let mut value = [0; 8];
                value[..piece.len()].copy_from_slice(piece);
                let value = u64::from_le_bytes(value);
                self.machine.memory_write(at, piece.len() as u8, value, effects);
                at = at.wrapping_add(piece.len() as u64);
                rest = after;
            }
        });
    }

    fn fill(&self, address: u64, length: u64, byte: u8, effects: &mut Effects) {
        let bytes = [byte; FILLED_AT_ONCE];
        let mut done = 0;
        while done < length {
            let part = (length - done).min(FILLED_AT_ONCE as u64);
            self.write(address.wrapping_add(done), &bytes[..part as usize], effects);
            done += part;
        }
    }
}

/// How many of `left` bytes on the bus belong to one access: a short access stays
/// whole, a long one is cut where addresses are multiples of 8. The bus cuts
/// further, as the registers there want it.
fn piece(address: u64, left: usize) -> usize {
    if left <= 8 { left } else { 8 - (address % 8) as usize }
}
