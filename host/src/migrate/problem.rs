//! Why a stream is not loaded into a machine.

use super::Difference;

/// Something in a stream that does not fit a machine. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", .offset.map(|at| format!("at offset {at:#x}: ")).unwrap_or_default())]
pub struct Problem {
    /// Where, in bytes from the start of the stream; none if it is something
    /// that is not there.
    pub offset: Option<u64>,
    /// What.
    pub fault: Fault,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The stream says it is of another machine.
    #[error("the state is of machine {stated}, this machine is {machine}")]
    OtherMachine {
        /// The machine in the stream.
        stated: String,
        /// The machine that is to load it.
        machine: String,
    },
    /// The stream holds a guest's memory and says no machine.
    #[error("there is no configuration section, which every migration stream of {machine} has")]
    NoConfiguration {
        /// The machine that is to load it.
        machine: String,
    },
    /// The sections end in another way.
    #[error(
        "the sections have {}footers, those of {machine} have {}", if *.found { "" } else { "no " },
        if *.found { "none" } else { "some" }
    )]
    Footers {
        /// Whether the stream's sections have footers.
        found: bool,
        /// The machine that is to load it.
        machine: String,
    },
    /// A section is not saved as the machine saves it.
    #[error("section {section} is not in {machine}'s format: it {difference}")]
    OtherFormat {
        /// The section's name, with its device path.
        section: String,
        /// The machine that is to load it.
        machine: String,
        /// What it carries and lacks.
        difference: Difference,
    },
    /// A section that is always saved is not there.
    #[error(
        "section {section} is missing, which device {slot} always saves: the state ends early, or \
         was saved without that device"
    )]
    Missing {
        /// The section's name, with its device path.
        section: String,
        /// The slot of the device.
        slot: String,
    },
    /// A section of a device that the machine may have and does not.
    #[error(
        "section {section} instance {instance} is of a device that is not there; {}",
        .device.as_ref().map_or("the machine has fewer of its kind".to_owned(), |name| {
            format!("add it with --device {name}")
        })
    )]
    NoDevice {
        /// The section's name, with its device path.
        section: String,
        /// Its instance.
        instance: u32,
        /// An optional device of the machine that saves such a section.
        device: Option<String>,
    },
    /// A device refuses its state.
    #[error(
        "section {section}{}: device {slot} refuses it: {reason}",
        if .field.is_empty() { String::new() } else { format!(", field {field}") }
    )]
    Refused {
        /// The slot of the device.
        slot: String,
        /// The section's name, with its device path.
        section: String,
        /// The field, with the structures around it; may be empty.
        field: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// A device cannot take any state.
    #[error("device {slot}: {reason}")]
    Device {
        /// The slot of the device.
        slot: String,
        /// Why.
        reason: String,
    },
    /// The state is of a machine with more or fewer processors.
    #[error("the state has {found} processors, this machine has {expected}; start it with as many")]
    Processors {
        /// How many the state has.
        found: usize,
        /// How many the machine has.
        expected: usize,
    },
    /// The machine's clock is not a time.
    #[error("section timer: cpu_clock_offset is {value}, expected 0 to 2^62 nanoseconds")]
    Clock {
        /// The value.
        value: i64,
    },
    /// What the machine did when it was saved is nothing that QEMU knows.
    #[error("section globalstate: the run state is none of QEMU's")]
    RunState,
    /// A block of memory is not as large as the machine's.
    #[error(
        "memory block {block:?} has {found:#x} bytes, this machine's has {expected:#x}; start it \
         with the memory and firmware of the machine that was saved"
    )]
    BlockSize {
        /// The block's name.
        block: String,
        /// Its size in the stream, in bytes.
        found: u64,
        /// The size of the machine's, in bytes.
        expected: u64,
    },
    /// A block of memory of a device that is not there is too large, or no whole number
    /// of pages.
    #[error(
        "memory block {block:?} of {size:#x} bytes is of a device that is not there; of such \
         blocks whole pages are kept, of all together up to {most:#x} bytes"
    )]
    Foreign {
        /// The block's name.
        block: String,
        /// Its size in bytes.
        size: u64,
        /// The most bytes of all such blocks.
        most: u64,
    },
    /// Blocks of memory of devices that are not there have too much in them.
    #[error(
        "memory block {block:?} is of a device that is not there; of the contents of such blocks \
         up to {most:#x} bytes are kept"
    )]
    ForeignContent {
        /// The block's name.
        block: String,
        /// The most bytes of all such blocks.
        most: u64,
    },
    /// Guest memory is not in the stream.
    #[error(
        "guest memory is shared and not in the stream; have the sender switch off capability \
         \"x-ignore-shared\""
    )]
    SharedMemory,
    /// A section cannot be read.
    #[error("{0}")]
    Unreadable(vmstate::Problem),
}

impl Problem {
    /// A section that says what the machine did, and says nothing known.
    pub(super) fn run_state(section: &vmstate::Section) -> Self {
        Self { offset: Some(section.offset), fault: Fault::RunState }
    }

    /// The same problem of a stream that begins at `base` of a file, with
    /// offsets into the file.
    #[must_use]
    pub fn in_file(self, base: u64) -> Self {
        let fault = match self.fault {
            Fault::OtherFormat { section, machine, difference } => {
                Fault::OtherFormat { section, machine, difference: difference.in_file(base) }
            }
            other => other,
        };
        Self { offset: self.offset.map(|offset| offset.saturating_add(base)), fault }
    }

    /// Whether the state is one of another machine's, rather than a bad one.
    #[must_use]
    pub fn is_other_format(&self) -> bool {
        matches!(
            self.fault,
            Fault::OtherMachine { .. } | Fault::Footers { .. } | Fault::OtherFormat { .. }
        )
    }
}
