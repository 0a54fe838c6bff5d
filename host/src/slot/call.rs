//! Calls into the device of a slot.

use std::time::Instant;

use super::input::{Answer, Input};
use super::{FaultRecord, Plugged, Slot};
use crate::component::{
    Effect, Effects, Fault, Frame, Instance, MouseButton, Recorded, Scope, Section, WakeupReason,
};

impl Slot {
    /// Reads a region, as the first part of an access or the next one. A device
    /// that is out of service reads as all ones.
    pub fn read(
        &self,
        region: u32,
        offset: u64,
        size: u8,
        part: Part,
        effects: &mut Effects,
    ) -> u64 {
        let mut plugged = self.lock();
        plugged.counts.reads += u64::from(part == Part::First);
        match self.perform(&mut plugged, &Input::Read { region, offset, size }, effects) {
            Some(Answer::Number(value)) => value,
            _ => u64::MAX,
        }
    }

    /// Writes a region, as the first part of an access or the next one.
    pub fn write(
        &self,
        region: u32,
        offset: u64,
        size: u8,
        value: u64,
        part: Part,
        effects: &mut Effects,
    ) {
        let mut plugged = self.lock();
        plugged.counts.writes += u64::from(part == Part::First);
        self.perform(&mut plugged, &Input::Write { region, offset, size, value }, effects);
    }

    /// Drives an input line.
    pub fn line_changed(&self, line: u32, level: bool, effects: &mut Effects) {
        let mut plugged = self.lock();
        plugged.note_input(line, level);
        self.perform(&mut plugged, &Input::Line { line, level }, effects);
    }

    /// Fires a timer that was due at `deadline`. One that was disarmed or moved
    /// in the meantime does not fire.
    pub fn timer_expired(&self, timer: u32, deadline: u64, effects: &mut Effects) {
        self.tell(&Input::Timer { timer, deadline }, effects);
    }

    /// Brings the device to its state after a system reset, in which all input
    /// lines count as low.
    pub fn reset(&self, effects: &mut Effects) {
        let mut plugged = self.lock();
        plugged.inputs.fill(false);
        plugged.checkpoint = None;
        self.perform(&mut plugged, &Input::Reset, effects);
    }

    /// A start condition for the device as an I2C target.
    pub fn i2c_start(&self, read: bool, effects: &mut Effects) -> bool {
        self.tell(&Input::I2cStart { read }, effects) == Some(Answer::Flag(true))
    }

    /// A byte for the device as an I2C target.
    pub fn i2c_send(&self, byte: u8, effects: &mut Effects) -> bool {
        self.tell(&Input::I2cSend { byte }, effects) == Some(Answer::Flag(true))
    }

    /// A byte from the device as an I2C target.
    pub fn i2c_receive(&self, effects: &mut Effects) -> u8 {
        match self.tell(&Input::I2cReceive, effects) {
            Some(Answer::Number(byte)) => byte as u8,
            _ => 0xff,
        }
    }

    /// The last byte from the I2C target was not acknowledged.
    pub fn i2c_nack(&self, effects: &mut Effects) {
        self.tell(&Input::I2cNack, effects);
    }

    /// A stop condition for the device as an I2C target.
    pub fn i2c_stop(&self, effects: &mut Effects) {
        self.tell(&Input::I2cStop, effects);
    }

    /// Bytes from the device on a channel of an ISA bus's DMA controller.
    pub fn dma_take(&self, length: u32, effects: &mut Effects) -> Vec<u8> {
        match self.tell(&Input::DmaTake { length }, effects) {
            Some(Answer::Bytes(bytes)) => bytes,
            _ => Vec::new(),
        }
    }

    /// Bytes for the device on a channel; returns how many it took.
    pub fn dma_give(&self, data: &[u8], effects: &mut Effects) -> u32 {
        match self.tell(&Input::DmaGive { data: data.into() }, effects) {
            Some(Answer::Number(taken)) => u32::try_from(taken).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    /// The device's channel has reached its terminal count.
    pub fn dma_terminal_count(&self, effects: &mut Effects) {
        self.tell(&Input::DmaEnd, effects);
    }

    /// A processor acknowledges the interrupt of this controller; none if it is none.
    pub fn acknowledge(&self, effects: &mut Effects) -> Option<u8> {
        match self.tell(&Input::Acknowledge, effects) {
            Some(Answer::Vector(vector)) => vector,
            _ => None,
        }
    }

    /// A processor has ended an interrupt.
    pub fn interrupt_ended(&self, vector: u8, effects: &mut Effects) {
        self.tell(&Input::Ended { vector }, effects);
    }

    /// A file that the device has for firmware, of at most `most` bytes.
    pub fn read_firmware_file(
        &self,
        name: &str,
        most: u32,
        effects: &mut Effects,
    ) -> Option<Vec<u8>> {
        self.call(effects, |device, now| device.read_firmware_file(name, most, now)).flatten()
    }

    /// Overwrites a part of such a file; returns whether it did.
    pub fn write_firmware_file(
        &self,
        name: &str,
        offset: u32,
        data: &[u8],
        effects: &mut Effects,
    ) -> bool {
        self.call(effects, |device, now| device.write_firmware_file(name, offset, data, now))
            .unwrap_or(false)
    }

    /// What is on the screen of the device; none if it has none.
    pub fn picture(&self, effects: &mut Effects) -> Option<Frame> {
        self.call(effects, Instance::picture).flatten()
    }

    /// The characters on its screen.
    pub fn screen_text(&self, effects: &mut Effects) -> Option<Vec<String>> {
        self.call(effects, Instance::screen_text).flatten()
    }

    /// A key has been pressed or released.
    pub fn key(&self, code: u16, down: bool, effects: &mut Effects) {
        self.tell(&Input::Key { code, down }, effects);
    }

    /// The mouse has moved to the right and down.
    pub fn mouse_moved(&self, x: i32, y: i32, effects: &mut Effects) {
        self.tell(&Input::MouseMoved { x, y }, effects);
    }

    /// A button of the mouse has been pressed or released.
    pub fn mouse_button(&self, button: MouseButton, down: bool, effects: &mut Effects) {
        self.tell(&Input::MouseButton { button, down }, effects);
    }

    /// How many bytes the device can take from a stream.
    pub fn stream_room(&self, stream: u32, effects: &mut Effects) -> u32 {
        match self.tell(&Input::StreamRoom { stream }, effects) {
            Some(Answer::Number(room)) => u32::try_from(room).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    /// A byte from a stream.
    pub fn stream_receive(&self, stream: u32, byte: u8, effects: &mut Effects) {
        self.tell(&Input::StreamReceive { stream, byte }, effects);
    }

    /// The operator has pressed the power button.
    pub fn button_pressed(&self, effects: &mut Effects) {
        self.tell(&Input::ButtonPressed, effects);
    }

    /// The machine is about to leave its suspended state.
    pub fn woken(&self, reason: WakeupReason, effects: &mut Effects) {
        self.tell(&Input::Woken { reason }, effects);
    }

    /// Saves the device's state; none if it is out of service.
    pub fn save(&self, scope: Scope, effects: &mut Effects) -> Option<Vec<Section>> {
        self.call(effects, |device, now| device.save(scope, now))
    }

    /// Saves the device's whole state; none if it is out of service. One that fails at
    /// that is out of service then.
    pub(super) fn save_whole(
        &self,
        plugged: &mut Plugged,
        now: u64,
        effects: &mut Effects,
    ) -> Result<Option<Vec<Section>>, Fault> {
        let Some(instance) = &mut plugged.instance else { return Ok(None) };
        instance.save(Scope::Whole, now).map(Some).inspect_err(|fault| {
            self.quarantine(plugged, fault.clone(), effects);
        })
    }

    /// One call that a companion hears too.
    pub(super) fn tell(&self, input: &Input<'_>, effects: &mut Effects) -> Option<Answer> {
        self.perform(&mut self.lock(), input, effects)
    }

    pub(super) fn call<R>(
        &self,
        effects: &mut Effects,
        call: impl FnOnce(&mut Instance, u64) -> Result<R, Fault>,
    ) -> Option<R> {
        self.call_in(&mut self.lock(), effects, call)
    }

    /// One call: takes the time under the lock, so that it never goes back for
    /// the device, and moves the effects out. A fault takes the device out of
    /// service.
    pub(super) fn call_in<R>(
        &self,
        plugged: &mut Plugged,
        effects: &mut Effects,
        call: impl FnOnce(&mut Instance, u64) -> Result<R, Fault>,
    ) -> Option<R> {
        plugged.counts.calls += 1;
        let instance = plugged.instance.as_mut()?;
        let start = plugged.counts.time.map(|_| Instant::now());
        let result = call(instance, self.clock.now());
        if let (Some(start), Some(time)) = (start, &mut plugged.counts.time) {
            *time += start.elapsed();
        }
        match result {
            Ok(result) => {
                let before = effects.len();
                instance.take_effects(effects);
                plugged.count_requests(self.id(), effects, before);
                Some(result)
            }
            Err(fault) => {
                self.quarantine(plugged, fault, effects);
                None
            }
        }
    }

    /// Takes the device out of service as if a call had failed.
    #[cfg(test)]
    pub(crate) fn fail(&self, effects: &mut Effects) {
        let (reason, backtrace) = ("a test".into(), String::new());
        self.quarantine(&mut self.lock(), Fault { export: "none", reason, backtrace }, effects);
    }

    /// Takes the device out of service, and has whoever applies the effects tell
    /// of it.
    pub(super) fn quarantine(&self, plugged: &mut Plugged, fault: Fault, effects: &mut Effects) {
        let Some(mut instance) = plugged.instance.take() else { return };
        let id = self.id();
        // Effects of the call are dropped, but not those of devices on its
        // buses, for which the call was complete.
        let mut dropped = Effects::new();
        instance.take_effects(&mut dropped);
        effects.extend(dropped.into_iter().filter(|recorded| recorded.slot != id));

        // The outputs include those of the call; whoever applies effects knows
        // what was really driven, so all that must be low is said to be.
        plugged.counts.add(&instance);
        plugged.counts.faults += 1;
        let number = plugged.counts.faults;
        let outputs = instance.outputs().out_of_service();
        let mut sequence = instance.sequence();
        for effect in outputs.released().chain([Effect::Faulted { number }]) {
            sequence += 1;
            effects.push(Recorded { slot: id, sequence, effect });
        }
        plugged.outputs = outputs;
        plugged.sequence = sequence;
        plugged.faults.push(FaultRecord {
            number,
            slot: self.name().clone(),
            device: plugged.image.title(),
            time: self.clock.now(),
            fault: fault.clone(),
            rolled_back_to: None,
        });
        plugged.fault = Some(fault);
    }
}

impl Plugged {
    /// Takes what the device has done.
    pub(super) fn take_effects(&mut self, effects: &mut Effects) {
        if let Some(instance) = &mut self.instance {
            instance.take_effects(effects);
        }
    }
}

/// Which part of an access a call is. A region that takes bytes only is called
/// four times for one access of four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first, or the only one: this is what is counted.
    First,
    /// Another one.
    Further,
}

impl Part {
    /// Returns this part; the one after it is a further one.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Further)
    }
}
