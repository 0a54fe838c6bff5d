//! The parts of the contract that not every device exports.

use std::collections::BTreeSet;

use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings::display_part::DisplayPart;
use super::bindings::end_of_interrupt_part::EndOfInterruptPart;
use super::bindings::firmware_files_part::FirmwareFilesPart;
use super::bindings::human_input_part::HumanInputPart;
use super::bindings::i2c_target_part::I2cTargetPart;
use super::bindings::interrupt_controller_part::InterruptControllerPart;
use super::bindings::isa_dma_target_part::IsaDmaTargetPart;
use super::bindings::power_events_part::PowerEventsPart;
use super::bindings::storage_events_part::StorageEventsPart;
use super::bindings::stream_input_part::StreamInputPart;
use super::outside::Outside;

/// Those that a device exports.
pub(super) struct Parts {
    pub(super) i2c: Option<I2cTargetPart>,
    pub(super) isa_dma: Option<IsaDmaTargetPart>,
    pub(super) stream: Option<StreamInputPart>,
    pub(super) power: Option<PowerEventsPart>,
    pub(super) storage: Option<StorageEventsPart>,
    pub(super) interrupts: Option<InterruptControllerPart>,
    pub(super) ends: Option<EndOfInterruptPart>,
    pub(super) firmware: Option<FirmwareFilesPart>,
    pub(super) display: Option<DisplayPart>,
    pub(super) input: Option<HumanInputPart>,
}

impl Parts {
    /// Finds those parts in an instance that its component says it exports.
    pub(super) fn new(
        store: &mut Store<Outside>,
        instance: &Instance,
        exports: &BTreeSet<String>,
    ) -> wasmtime::Result<Self> {
        macro_rules! part {
            ($name:literal, $part:ident) => {
                exports.contains($name).then(|| $part::new(&mut *store, instance)).transpose()?
            };
        }
        Ok(Self {
            i2c: part!("i2c-target", I2cTargetPart),
            isa_dma: part!("isa-dma-target", IsaDmaTargetPart),
            stream: part!("stream-input", StreamInputPart),
            power: part!("power-events", PowerEventsPart),
            storage: part!("storage-events", StorageEventsPart),
            interrupts: part!("interrupt-controller", InterruptControllerPart),
            ends: part!("end-of-interrupt", EndOfInterruptPart),
            firmware: part!("firmware-files", FirmwareFilesPart),
            display: part!("display", DisplayPart),
            input: part!("human-input", HumanInputPart),
        })
    }
}
