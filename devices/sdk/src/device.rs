//! What a device implements.

use crate::state::Sections;
use crate::wit::{Description, Failure, Frame, Medium, MouseButton, WakeupReason};
use crate::{Context, Properties};

/// A device: a pure state machine behind the contract's `device` interface,
/// whose documentation holds here too.
///
/// A device that is on an I2C bus implements [`I2cTarget`] as well, one with
/// character input [`StreamInput`], one that takes part in power management
/// [`PowerEvents`], one with drives [`StorageEvents`], and so on.
pub trait Device: Sized {
    /// What the device is: `describe`.
    fn describe() -> Description;

    /// Builds the device from its properties and maps what is at a fixed
    /// address: `configure`.
    ///
    /// # Errors
    /// One line that names the property, its value and what was expected.
    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String>;

    /// Brings the device to its state after a system reset and sets its lines,
    /// mappings and timers accordingly: `reset`.
    fn reset(&mut self, cx: &mut Context<'_>);

    /// Answers a read: `io-read`.
    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64;

    /// Takes a write: `io-write`.
    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64);

    /// An input line has changed: `line-changed`. The default suits a device
    /// without inputs.
    fn line_changed(&mut self, _cx: &mut Context<'_>, _line: u32, _level: bool) {}

    /// A timer has expired: `timer-expired`. The default suits a device without
    /// timers.
    fn timer_expired(&mut self, _cx: &mut Context<'_>, _timer: u32) {}

    /// Declares the saved state, section by section. Saving, loading and
    /// describing all walk this one declaration.
    fn state(&mut self, sections: &mut Sections<'_>);

    /// Called when all sections have been loaded: checks what no single field
    /// can tell, and sets lines, mappings and timers as the state says.
    ///
    /// # Errors
    /// One line that says which values do not go together.
    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String>;
}

/// The contract's `i2c-target`.
pub trait I2cTarget {
    /// Start, or repeated start; returns whether the device acknowledges.
    fn start(&mut self, cx: &mut Context<'_>, read: bool) -> bool;
    /// A byte from the controller; returns whether the device acknowledges.
    fn send(&mut self, cx: &mut Context<'_>, byte: u8) -> bool;
    /// A byte to the controller.
    fn receive(&mut self, cx: &mut Context<'_>) -> u8;
    /// The controller did not acknowledge the last byte it received.
    fn nack(&mut self, cx: &mut Context<'_>);
    /// Stop.
    fn stop(&mut self, cx: &mut Context<'_>);
}

/// The contract's `stream-input`.
pub trait StreamInput {
    /// How many bytes the device can take now.
    fn room(&mut self, stream: u32) -> u32;
    /// A byte has arrived.
    fn receive(&mut self, cx: &mut Context<'_>, stream: u32, byte: u8);
}

/// The contract's `power-events`.
pub trait PowerEvents {
    /// The operator has pressed the power button.
    fn button_pressed(&mut self, cx: &mut Context<'_>);
    /// The machine is about to leave its suspended state.
    fn woken(&mut self, cx: &mut Context<'_>, reason: WakeupReason);
}

/// The contract's `storage-events`.
pub trait StorageEvents {
    /// A medium has come, gone, or changed.
    fn medium_changed(&mut self, cx: &mut Context<'_>, drive: u32, medium: Option<Medium>);
    /// A request has ended.
    fn completed(
        &mut self,
        cx: &mut Context<'_>,
        drive: u32,
        tag: u32,
        outcome: Result<Vec<u8>, Failure>,
    );
}

/// The contract's `interrupt-controller`.
pub trait InterruptController {
    /// A processor acknowledges the interrupt output; returns the vector.
    fn acknowledge(&mut self, cx: &mut Context<'_>) -> u8;
}

/// The contract's `end-of-interrupt`.
pub trait EndOfInterrupt {
    /// A processor has ended an interrupt with this vector.
    fn ended(&mut self, cx: &mut Context<'_>, vector: u8);
}

/// The contract's `firmware-files`.
pub trait FirmwareFiles {
    /// The contents of a file of at most `most` bytes.
    fn read(&mut self, cx: &mut Context<'_>, name: &str, most: u32) -> Option<Vec<u8>>;
    /// Overwrites a part of a file; returns whether it did. The default suits a
    /// device whose files are all read-only.
    fn write(&mut self, _cx: &mut Context<'_>, _name: &str, _offset: u32, _data: &[u8]) -> bool {
        false
    }
}

/// The contract's `display`. Neither changes anything.
pub trait Display {
    /// What is on the screen now.
    fn picture(&mut self, cx: &mut Context<'_>) -> Frame;
    /// The characters on the screen in text modes.
    fn text(&mut self, cx: &mut Context<'_>) -> Option<Vec<String>>;
}

/// The contract's `human-input`.
pub trait HumanInput {
    /// A key has been pressed or released.
    fn key(&mut self, cx: &mut Context<'_>, code: u16, down: bool);
    /// The mouse has moved to the right and down.
    fn moved(&mut self, cx: &mut Context<'_>, x: i32, y: i32);
    /// A button of the mouse has been pressed or released.
    fn button(&mut self, cx: &mut Context<'_>, button: MouseButton, down: bool);
}

/// The contract's `isa-dma-target`.
pub trait IsaDmaTarget {
    /// The controller takes up to `length` bytes.
    fn take(&mut self, cx: &mut Context<'_>, length: u32) -> Vec<u8>;
    /// The controller gives bytes; returns how many the device took.
    fn give(&mut self, cx: &mut Context<'_>, data: &[u8]) -> u32;
    /// The channel has reached its terminal count.
    fn terminal_count(&mut self, cx: &mut Context<'_>);
}
