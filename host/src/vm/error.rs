//! What can go wrong below the devices.

use std::io;

use crate::vm::MAX_CPUS;

/// An error of this room. Each displays as one line that says what failed,
/// where, what was expected and, where that helps, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine has no KVM.
    #[error(
        "/dev/kvm does not exist: load kvm_intel or kvm_amd, or enable virtualization in the \
         firmware (nested virtualization in a virtual machine)"
    )]
    NoKvm,

    /// The user may not use KVM.
    #[error("/dev/kvm: permission denied; add the user to the group kvm and log in again")]
    KvmPermission,

    /// `/dev/kvm` cannot be opened for another reason.
    #[error("cannot open /dev/kvm: {0}")]
    OpenKvm(kvm_ioctls::Error),

    /// The kernel speaks another version of the KVM interface.
    #[error("/dev/kvm has API version {0}, expected 12")]
    ApiVersion(i32),

    /// The kernel's KVM lacks something this host cannot do without.
    #[error("the kernel's KVM lacks {0}; a newer kernel is needed")]
    MissingCapability(&'static str),

    /// KVM refused a request.
    #[error("KVM cannot {what}: {source}")]
    Kvm {
        /// What was asked of KVM.
        what: String,
        /// The kernel's answer.
        source: kvm_ioctls::Error,
    },

    /// A processor does not take a value, or does not tell it.
    #[error(
        "KVM does not have model-specific register {index:#x} of a processor hold {value:#x}: \
         the host's processors cannot do what the state needs"
    )]
    Msr {
        /// Which register.
        index: u32,
        /// What it was to hold.
        value: u64,
    },

    /// The number of processors is out of range.
    #[error("{0} processors: expected 1 to {MAX_CPUS}")]
    CpuCount(usize),

    /// Several processors without the interrupt controllers that start them.
    #[error("{0} processors without the kernel's interrupt controllers: only 1 can be started")]
    CpusWithoutController(usize),

    /// A state of another number of processors.
    #[error("the state is of {found} processors, the machine has {count}")]
    OtherCpuCount {
        /// How many the state has.
        found: usize,
        /// How many the machine has.
        count: usize,
    },

    /// The memory size is 0.
    #[error("memory size 0: expected at least 1 MiB")]
    NoRam,

    /// The memory size is not a whole number of MiB.
    #[error("memory size of {0} bytes: expected a multiple of 1 MiB (1048576)")]
    RamNotInMebibytes(u64),

    /// The host has less memory than was asked for.
    #[error("memory size of {asked} MiB: this host has {available} MiB of RAM and swap")]
    RamBeyondHost {
        /// What was asked for, in MiB.
        asked: u64,
        /// What the host has, in MiB.
        available: u64,
    },

    /// The host's memory size cannot be read.
    #[error("cannot read the host's memory size from /proc/meminfo: {0}")]
    HostRam(io::Error),

    /// The limits of RAM below 4 GiB make no sense.
    #[error("RAM below 4 GiB limited to {limit:#x}, split at {split:#x}: {expected}")]
    RamLayout {
        /// The limit below which RAM is not split, in bytes.
        limit: u64,
        /// The size of the part below 4 GiB of RAM that is split, in bytes.
        split: u64,
        /// What was expected.
        expected: &'static str,
    },

    /// RAM cannot be mapped into this process.
    #[error("cannot map {size:#x} bytes of memory: {reason}")]
    MapRam {
        /// What was to be mapped, in bytes.
        size: u64,
        /// Why it failed.
        reason: String,
    },

    /// A RAM window is misplaced.
    #[error("RAM window {index} at {base:#x}, {size:#x} bytes: expected {expected}")]
    BadWindow {
        /// Its position in the list of windows.
        index: usize,
        /// Its first address.
        base: u64,
        /// Its length in bytes.
        size: u64,
        /// What was expected.
        expected: &'static str,
    },

    /// No RAM window has this number.
    #[error("no RAM window {index}: the machine has {count}")]
    NoSuchWindow {
        /// The number that was given.
        index: usize,
        /// How many windows there are.
        count: usize,
    },

    /// No interrupt line has this number.
    #[error("no interrupt line {0}: expected 0 to 23")]
    NoSuchLine(u32),

    /// No processor has this number.
    #[error("no processor {cpu}: the machine has {count}")]
    NoSuchCpu {
        /// The number that was given.
        cpu: usize,
        /// How many processors there are.
        count: usize,
    },

    /// A request that needs a paused machine came while it runs or after it
    /// was stopped.
    #[error("the machine is not paused")]
    NotPaused,

    /// A vCPU's thread cannot be started.
    #[error("cannot start the thread of processor {cpu}: {source}")]
    Thread {
        /// The processor.
        cpu: usize,
        /// Why.
        source: io::Error,
    },

    /// A file cannot be read.
    #[error("cannot read {file}: {source}")]
    ReadImage {
        /// The file's name.
        file: String,
        /// Why.
        source: io::Error,
    },

    /// A file is not what it should be.
    #[error("{file}: {problem}")]
    Image {
        /// The file's name.
        file: String,
        /// What is wrong, where in the file, and what was expected.
        problem: String,
    },

    /// A file that the machine has for firmware is not what it should be.
    #[error("{file}, which the machine has for firmware: {problem}")]
    FirmwareFile {
        /// The file's name.
        file: String,
        /// What is wrong, where in the file, and what was expected.
        problem: String,
    },

    /// An image format's name is unknown.
    #[error("unknown image format {0:?}: expected auto, flat, elf, multiboot or bzimage")]
    UnknownFormat(String),
}

impl Error {
    /// For `map_err` on a request to KVM, with what was asked.
    pub(super) fn kvm(what: impl Into<String>) -> impl FnOnce(kvm_ioctls::Error) -> Self {
        let what = what.into();
        move |source| Self::Kvm { what, source }
    }
}
