//! One device of a recording's machine, on its own.

use super::{Answer, Interrupt, Request, Step};
use crate::Device;
use crate::fake::{Bench, Effect};

impl<D: Device> Bench<D> {
    /// Performs a step of a recording as far as it concerns this device: the
    /// clock, a system reset, and accesses that begin at one of its ports.
    /// `pins` says which interrupt each of its output lines is.
    ///
    /// A reset that the device itself asks for comes before the next step, as
    /// in QEMU.
    pub fn follow(&mut self, step: &Step<'_>, pins: &[(u32, u8)]) -> Answer {
        if self.fake.effects.contains(&Effect::Power("reset")) {
            self.fake.effects.clear();
            self.reset();
        }
        let answer = match step.request {
            Request::In { port, size } if self.has_port(port) => {
                Answer::value(self.port_in(port, size))
            }
            Request::Out { port, size, value } if self.has_port(port) => {
                self.port_out(port, size, value);
                Answer::done()
            }
            Request::ClockStep(_) => {
                // Without a length it goes on to the next timer of any device.
                let end = step.value.unwrap_or(self.fake.now);
                self.advance(end.saturating_sub(self.fake.now));
                Answer::done()
            }
            Request::Monitor("system_reset") => {
                self.reset();
                Answer::done()
            }
            _ => Answer::Skip,
        };
        let mut changes = Vec::new();
        self.fake.effects.retain(|effect| {
            let &Effect::Line(line, level) = effect else { return true };
            let pin = pins.iter().find(|(known, _)| *known == line);
            changes.extend(pin.map(|&(_, pin)| Interrupt { pin, level }));
            false
        });
        if changes.is_empty() { answer } else { answer.with_interrupts(changes) }
    }
}
