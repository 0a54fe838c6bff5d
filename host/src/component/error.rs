//! Why a component is refused, and how one fails.

use std::fmt;

use super::Interface;

/// Why a component cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not a WebAssembly component.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// The component cannot be compiled within the limits for that.
    #[error("cannot be compiled: {0}")]
    NotCompiled(String),
    /// The component does not export the contract.
    #[error(
        "not a device: it does not export {expected}; build it against the WIT package \
         southbridge:device"
    )]
    NotADevice {
        /// The interface that is missing.
        expected: String,
    },
    /// The component was built against another version of the contract.
    #[error("a device of another contract: it exports {found}, this host speaks {expected}")]
    OtherVersion {
        /// What the component exports.
        found: String,
        /// What this host calls.
        expected: String,
    },
    /// The component imports something outside the contract.
    #[error("imports {0}, which no host of this contract offers; a device may not use WASI")]
    UnknownImport(String),
    /// The component imports an interface of the contract it was not granted.
    #[error(
        "imports {0}, which is not granted here; grant it in the machine file, or with grant= of the \
         device's option, if it is meant"
    )]
    NotGranted(Interface),
    /// The component says something about itself that does not hold together.
    #[error("bad description: {0}")]
    BadDescription(String),
    /// The component cannot be compiled or instantiated.
    #[error("{0}")]
    Unusable(String),
    /// The device failed while it was asked what it is.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The device refuses its properties.
    #[error("refuses its properties: {0}")]
    Configuration(String),
}

/// A call that failed: the device is out of service.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The exported function that was called.
    pub export: &'static str,
    /// What happened, in one line.
    pub reason: String,
    /// The WebAssembly functions that were active, innermost first, one a line;
    /// may be empty.
    pub backtrace: String,
}

impl Fault {
    pub(super) fn new(export: &'static str, error: &wasmtime::Error) -> Self {
        let reason = match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::Interrupt) => "the call outlived its deadline".into(),
            Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").into(),
            None => error.root_cause().to_string(),
        };
        let backtrace = error.downcast_ref::<wasmtime::WasmBacktrace>();
        let backtrace = backtrace.map(ToString::to_string).unwrap_or_default();
        Self { export, reason: cut(reason), backtrace: cut(backtrace) }
    }

    /// The device's timers expire too often.
    pub(super) fn timer_storm(most: u32) -> Self {
        let reason = format!("its timers expire more than {most} times a second");
        Self { export: "timer-expired", reason, backtrace: String::new() }
    }

    /// The device interrupts too often.
    pub(super) fn interrupt_storm(
        export: &'static str,
        most: u32,
        error: Option<&wasmtime::Error>,
    ) -> Self {
        let backtrace = error.map(|error| Self::new(export, error).backtrace).unwrap_or_default();
        let reason = format!("it interrupts more than {most} times a second");
        Self { export, reason, backtrace }
    }

    /// What the device says of its state does not hold together.
    pub(super) fn bad_state_description(reason: &str) -> Self {
        let reason = format!("bad description of the state: {reason}");
        Self { export: "describe-state", reason, backtrace: String::new() }
    }

    /// The device wanted to do too much, whatever the call came to then.
    pub(super) fn flooded(export: &'static str, error: Option<&wasmtime::Error>) -> Self {
        let backtrace = error.map(|error| Self::new(export, error).backtrace).unwrap_or_default();
        let reason = "the call recorded more effects than a call may".into();
        Self { export, reason, backtrace }
    }
}

/// The beginning of a text that a component has a part in, such as the names of
/// its functions: faults are kept.
fn cut(mut text: String) -> String {
    const MOST: usize = 16 << 10;
    text.truncate(text.floor_char_boundary(MOST));
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.export, self.reason)
    }
}

impl std::error::Error for Fault {}
