//! A running device.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::device_component::DeviceComponent;
use super::engine::ticks;
use super::limits as most;
use super::message::Message;
use super::outside::{Afterwards, Asked, Outside, Told};
use super::parts::Parts;
use super::state_description;
use super::ticker::Ticker;
use super::{
    Description, Effect, Effects, Error, Failure, Fault, Frame, Image, Interface, Limits, Medium,
    MouseButton, Outputs, Property, Refusal, Resources, Scope, Section, SlotId, StateDescription,
    WakeupReason,
};

/// Where an instance runs: what its slot gives it.
#[derive(Clone)]
pub struct Environment {
    /// The slot, for its effects.
    pub slot: SlotId,
    /// The slot's name, for messages.
    pub name: Arc<str>,
    /// The interfaces the machine file grants, besides the free ones.
    pub grants: BTreeSet<Interface>,
    /// A value for every property the device declares, in its order.
    pub properties: Vec<Property>,
    /// What its imports reach.
    pub resources: Resources,
    /// Its limits.
    pub limits: Limits,
}

/// A device in a store of its own. After a [`Fault`] it must not be called
/// again.
pub struct Instance {
    store: Store<Outside>,
    device: DeviceComponent,
    parts: Parts,
    /// How many ticks a call may take.
    deadline: u64,
    ticker: Arc<Ticker>,
}

/// Calls an export of the interface `$part` under a deadline.
macro_rules! call {
    ($self:ident, $part:expr, $name:literal, $method:ident ( $($argument:expr),* )) => {{
        $self.ticker.call_begins();
        $self.store.set_epoch_deadline($self.deadline);
        let result = $part.$method(&mut $self.store $(, $argument)*);
        $self.finish($name, result)
    }};
}

/// Calls an export of an optional part; what a device without it answers is
/// `$absent`.
macro_rules! call_part {
    ($self:ident, $part:ident . $interface:ident, $absent:expr, $name:literal,
     $method:ident ( $($argument:expr),* )) => {
        match &$self.parts.$part {
            Some(part) => call!($self, part.$interface(), $name, $method($($argument),*)),
            None => Ok($absent),
        }
    };
}

impl Instance {
    /// Asks a component what it is, in a store that is dropped afterwards.
    pub(super) fn describe(
        linked: &InstancePre<Outside>,
        ticker: &Ticker,
    ) -> Result<Description, Error> {
        let limits = Limits::default();
        let name = Arc::from("(not plugged)");
        let (resources, outputs) = (Resources::none(), Outputs::default());
        let outside = Outside::new(SlotId(0), name, &limits, outputs, Vec::new(), resources);
        let (mut store, instance) = start(linked, outside, &limits, ticker)?;
        let device = DeviceComponent::new(&mut store, &instance).map_err(unusable)?;
        let description = device.southbridge_device_device().call_describe(&mut store);
        Ok(description.map_err(|error| Fault::new("describe", &error))?)
    }

    pub(super) fn new(image: &Image, environment: &Environment) -> Result<Self, Error> {
        let Environment { slot, name, grants: _, properties, resources, limits } = environment;
        let outputs = Outputs::new(image.description());
        let buses = image.description().buses.iter().map(|bus| bus.kind).collect();
        let resources = resources.clone();
        let outside = Outside::new(*slot, name.clone(), limits, outputs, buses, resources);
        let ticker = image.ticker().clone();
        let (mut store, instance) = start(image.linked(), outside, limits, &ticker)?;
        let device = DeviceComponent::new(&mut store, &instance).map_err(unusable)?;
        let parts = Parts::new(&mut store, &instance, image.exports()).map_err(unusable)?;
        let mut this = Self { device, parts, store, deadline: ticks(limits.deadline), ticker };
        let device = this.device.southbridge_device_device();
        call!(this, device, "configure", call_configure(properties))?
            .map_err(|reason| Error::Configuration(Message(&reason).to_string()))?;
        Ok(this)
    }

    /// `device.describe-state`
    pub fn describe_state(&mut self) -> Result<StateDescription, Fault> {
        let device = self.device.southbridge_device_device();
        let state = call!(self, device, "describe-state", call_describe_state())?;
        state_description::check(&state).map_err(|reason| Fault::bad_state_description(&reason))?;
        Ok(state)
    }

    /// `device.reset`
    pub fn reset(&mut self, now: u64) -> Result<(), Fault> {
        let device = self.device.southbridge_device_device();
        call!(self, device, "reset", call_reset(now))
    }

    /// `device.io-read`
    pub fn io_read(&mut self, region: u32, offset: u64, size: u8, now: u64) -> Result<u64, Fault> {
        let device = self.device.southbridge_device_device();
        call!(self, device, "io-read", call_io_read(region, offset, size, now))
    }

    /// `device.io-write`
    pub fn io_write(
        &mut self,
        region: u32,
        offset: u64,
        size: u8,
        value: u64,
        now: u64,
    ) -> Result<(), Fault> {
        let device = self.device.southbridge_device_device();
        call!(self, device, "io-write", call_io_write(region, offset, size, value, now))
    }

    /// `device.line-changed`
    pub fn line_changed(&mut self, line: u32, level: bool, now: u64) -> Result<(), Fault> {
        let device = self.device.southbridge_device_device();
        call!(self, device, "line-changed", call_line_changed(line, level, now))
    }

    /// `device.timer-expired`
    pub fn timer_expired(&mut self, timer: u32, now: u64) -> Result<(), Fault> {
        let outside = self.store.data_mut();
        outside.outputs.expired(timer);
        if !outside.expiries.allow(now) {
            return Err(Fault::timer_storm(outside.expiries.most()));
        }
        let device = self.device.southbridge_device_device();
        call!(self, device, "timer-expired", call_timer_expired(timer, now))
    }

    /// `device.save`
    pub fn save(&mut self, scope: Scope, now: u64) -> Result<Vec<Section>, Fault> {
        let device = self.device.southbridge_device_device();
        call!(self, device, "save", call_save(scope, now))
    }

    /// `device.load`. The inner error is the device's refusal of the state.
    pub fn load(
        &mut self,
        scope: Scope,
        sections: &[Section],
        now: u64,
    ) -> Result<Result<(), Refusal>, Fault> {
        let device = self.device.southbridge_device_device();
        let answer = call!(self, device, "load", call_load(scope, sections, now))?;
        let line = |text: &String| Message(text).to_string();
        Ok(answer.map_err(|Refusal { section, field, offset, reason }| Refusal {
            section: line(&section),
            field: line(&field),
            offset,
            reason: line(&reason),
        }))
    }

    /// `i2c-target.start`; a device that is no target does not acknowledge.
    pub fn i2c_start(&mut self, read: bool, now: u64) -> Result<bool, Fault> {
        call_part!(
            self,
            i2c.southbridge_device_i2c_target,
            false,
            "i2c-target.start",
            call_start(read, now)
        )
    }

    /// `i2c-target.send`
    pub fn i2c_send(&mut self, byte: u8, now: u64) -> Result<bool, Fault> {
        call_part!(
            self,
            i2c.southbridge_device_i2c_target,
            false,
            "i2c-target.send",
            call_send(byte, now)
        )
    }

    /// `i2c-target.receive`
    pub fn i2c_receive(&mut self, now: u64) -> Result<u8, Fault> {
        call_part!(
            self,
            i2c.southbridge_device_i2c_target,
            0xff,
            "i2c-target.receive",
            call_receive(now)
        )
    }

    /// `i2c-target.nack`
    pub fn i2c_nack(&mut self, now: u64) -> Result<(), Fault> {
        call_part!(self, i2c.southbridge_device_i2c_target, (), "i2c-target.nack", call_nack(now))
    }

    /// `i2c-target.stop`
    pub fn i2c_stop(&mut self, now: u64) -> Result<(), Fault> {
        call_part!(self, i2c.southbridge_device_i2c_target, (), "i2c-target.stop", call_stop(now))
    }

    /// `stream-input.room`; a device without input has none.
    pub fn stream_room(&mut self, stream: u32) -> Result<u32, Fault> {
        call_part!(
            self,
            stream.southbridge_device_stream_input,
            0,
            "stream-input.room",
            call_room(stream)
        )
    }

    /// `stream-input.receive`
    pub fn stream_receive(&mut self, stream: u32, byte: u8, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            stream.southbridge_device_stream_input,
            (),
            "stream-input.receive",
            call_receive(stream, byte, now)
        )
    }

    /// `power-events.button-pressed`; a device that does not listen does
    /// nothing.
    pub fn button_pressed(&mut self, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            power.southbridge_device_power_events,
            (),
            "power-events.button-pressed",
            call_button_pressed(now)
        )
    }

    /// `power-events.woken`
    pub fn woken(&mut self, reason: WakeupReason, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            power.southbridge_device_power_events,
            (),
            "power-events.woken",
            call_woken(reason, now)
        )
    }

    /// `isa-dma-target.take`; a device that is none gives nothing.
    pub fn dma_take(&mut self, length: u32, now: u64) -> Result<Vec<u8>, Fault> {
        call_part!(
            self,
            isa_dma.southbridge_device_isa_dma_target,
            Vec::new(),
            "isa-dma-target.take",
            call_take(length, now)
        )
    }

    /// `isa-dma-target.give`
    pub fn dma_give(&mut self, data: &[u8], now: u64) -> Result<u32, Fault> {
        call_part!(
            self,
            isa_dma.southbridge_device_isa_dma_target,
            0,
            "isa-dma-target.give",
            call_give(data, now)
        )
    }

    /// `isa-dma-target.terminal-count`
    pub fn dma_terminal_count(&mut self, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            isa_dma.southbridge_device_isa_dma_target,
            (),
            "isa-dma-target.terminal-count",
            call_terminal_count(now)
        )
    }

    /// `storage-events.medium-changed`
    pub fn medium_changed(
        &mut self,
        drive: u32,
        medium: Option<Medium>,
        now: u64,
    ) -> Result<(), Fault> {
        call_part!(
            self,
            storage.southbridge_device_storage_events,
            (),
            "storage-events.medium-changed",
            call_medium_changed(drive, medium, now)
        )
    }

    /// `storage-events.completed`
    pub fn completed(
        &mut self,
        drive: u32,
        tag: u32,
        outcome: &Result<Vec<u8>, Failure>,
        now: u64,
    ) -> Result<(), Fault> {
        let outcome = outcome.as_deref().map_err(|failure| *failure);
        call_part!(
            self,
            storage.southbridge_device_storage_events,
            (),
            "storage-events.completed",
            call_completed(drive, tag, outcome, now)
        )
    }

    /// `interrupt-controller.acknowledge`; none if the device is no such
    /// controller.
    pub fn acknowledge(&mut self, now: u64) -> Result<Option<u8>, Fault> {
        let controller = self.parts.interrupts.as_ref();
        let Some(controller) = controller else { return Ok(None) };
        let controller = controller.southbridge_device_interrupt_controller();
        call!(self, controller, "interrupt-controller.acknowledge", call_acknowledge(now)).map(Some)
    }

    /// `end-of-interrupt.ended`
    pub fn interrupt_ended(&mut self, vector: u8, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            ends.southbridge_device_end_of_interrupt,
            (),
            "end-of-interrupt.ended",
            call_ended(vector, now)
        )
    }

    /// `firmware-files.read`; a device that has no files has none of that name.
    pub fn read_firmware_file(
        &mut self,
        name: &str,
        most: u32,
        now: u64,
    ) -> Result<Option<Vec<u8>>, Fault> {
        call_part!(
            self,
            firmware.southbridge_device_firmware_files,
            None,
            "firmware-files.read",
            call_read(name, most, now)
        )
    }

    /// `firmware-files.write`
    pub fn write_firmware_file(
        &mut self,
        name: &str,
        offset: u32,
        data: &[u8],
        now: u64,
    ) -> Result<bool, Fault> {
        call_part!(
            self,
            firmware.southbridge_device_firmware_files,
            false,
            "firmware-files.write",
            call_write(name, offset, data, now)
        )
    }

    /// `display.picture`; none if the device shows none.
    pub fn picture(&mut self, now: u64) -> Result<Option<Frame>, Fault> {
        let Some(display) = self.parts.display.as_ref() else { return Ok(None) };
        let display = display.southbridge_device_display();
        call!(self, display, "display.picture", call_picture(now)).map(Some)
    }

    /// `display.text`
    pub fn screen_text(&mut self, now: u64) -> Result<Option<Vec<String>>, Fault> {
        call_part!(self, display.southbridge_device_display, None, "display.text", call_text(now))
    }

    /// `human-input.key`
    pub fn key(&mut self, code: u16, down: bool, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            input.southbridge_device_human_input,
            (),
            "human-input.key",
            call_key(code, down, now)
        )
    }

    /// `human-input.moved`
    pub fn mouse_moved(&mut self, x: i32, y: i32, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            input.southbridge_device_human_input,
            (),
            "human-input.moved",
            call_moved(x, y, now)
        )
    }

    /// `human-input.button`
    pub fn mouse_button(&mut self, which: MouseButton, down: bool, now: u64) -> Result<(), Fault> {
        call_part!(
            self,
            input.southbridge_device_human_input,
            (),
            "human-input.button",
            call_button(which, down, now)
        )
    }

    /// What a call has come to.
    fn finish<R>(&self, export: &'static str, result: wasmtime::Result<R>) -> Result<R, Fault> {
        let outside = self.store.data();
        if outside.stormed {
            let most = outside.interrupts.most();
            return Err(Fault::interrupt_storm(export, most, result.err().as_ref()));
        }
        if outside.flooded {
            return Err(Fault::flooded(export, result.err().as_ref()));
        }
        result.map_err(|error| Fault::new(export, &error))
    }

    /// Moves the effects recorded since the last time to the end of `effects`.
    pub fn take_effects(&mut self, effects: &mut Effects) {
        self.store.data_mut().take_effects(effects);
    }

    /// What the device drives now.
    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        &self.store.data().outputs
    }

    /// The number of its last effect.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.store.data().sequence
    }

    /// How many effects named something the device did not declare.
    #[must_use]
    pub fn violations(&self) -> u64 {
        self.store.data().violations
    }

    /// What the first effect named that named something undeclared.
    #[must_use]
    pub fn undeclared(&self) -> Option<&str> {
        self.store.data().undeclared.as_deref()
    }

    /// How many messages to the log were dropped, because there were too many.
    #[must_use]
    pub fn messages_dropped(&self) -> u64 {
        self.store.data().messages_dropped()
    }

    /// Drops the effects recorded so far: what a device records while it is loaded is
    /// compared with its predecessor's outputs instead. Those that go to drives are no
    /// outputs, and are returned.
    pub fn take_over(&mut self) -> Vec<Effect> {
        let recorded = self.store.data_mut().effects.drain(..).map(|recorded| recorded.effect);
        recorded.filter(Effect::is_of_drive).collect()
    }

    /// From now on, what the device is answered when it asks something is kept, or is
    /// not.
    pub fn keep_tape(&mut self, keep: bool) {
        self.store.data_mut().keep_tape(keep);
    }

    /// Takes what it was answered since the last time.
    pub fn take_tape(&mut self) -> Vec<Told> {
        self.store.data_mut().take_tape()
    }

    /// From now on, the device is answered what another was, as long as it asks the
    /// same.
    pub fn play_tape(&mut self, tape: Vec<Told>, then: Afterwards) {
        self.store.data_mut().play_tape(tape, then);
    }

    /// From now on, the world answers. Says in what the device has not asked the same.
    pub fn end_tape(&mut self) -> Option<Asked> {
        self.store.data_mut().end_tape()
    }

    /// Says what time it is for what the device does from now on.
    pub fn set_time(&mut self, now: u64) {
        self.store.data_mut().now = now;
    }

    /// Goes on counting effects from `sequence`.
    pub fn count_from(&mut self, sequence: u64) {
        self.store.data_mut().sequence = sequence;
    }
}

fn start(
    linked: &InstancePre<Outside>,
    outside: Outside,
    limits: &Limits,
    ticker: &Ticker,
) -> Result<(Store<Outside>, wasmtime::component::Instance), Error> {
    let mut store = Store::new(linked.engine(), outside);
    store.set_hostcall_fuel(most::ANSWER);
    store.limiter(|outside| &mut outside.limits);
    let ticks = ticks(limits.deadline);
    ticker.allow(ticks);
    ticker.call_begins();
    store.set_epoch_deadline(ticks);
    let instance = linked.instantiate(&mut store).map_err(unusable)?;
    Ok((store, instance))
}

fn unusable(error: wasmtime::Error) -> Error {
    Error::Unusable(format!("cannot be instantiated: {}", error.root_cause()))
}
