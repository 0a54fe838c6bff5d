//! Who compiles components that are not the program's own.
//!
//! The compiler is not made for those who want to harm it: a component can be written so
//! that compiling it takes minutes, or all of the host's memory. So the program has a
//! child process do it, which is the same program and sets limits for itself before it
//! reads the first byte.

mod child;
mod parent;

use std::path::PathBuf;
use std::time::Duration;

use wasmtime::component::Component;

use super::{Engine, Error, cache};

pub(crate) use child::{Compilation, compile_for_parent};
pub(crate) use parent::REFUSED;

/// Most bytes of a component; a device has some ten thousand.
pub(crate) const LARGEST: u64 = 64 << 20;

/// Who compiles components that are not the program's own.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// The calling thread, without limits: for components one trusts.
    #[default]
    InProcess,
    /// A child process.
    Child {
        /// The program, which knows the command `compile-component`.
        program: PathBuf,
        /// Its limits.
        limits: CompilerLimits,
    },
}

/// How much the compilation of a component may use.
#[derive(Clone, Copy, Debug)]
pub struct CompilerLimits {
    /// MiB of addresses, the compiler itself included.
    pub memory_mib: u32,
    /// Seconds of a processor.
    pub processor_seconds: u32,
    /// Time on the clock, also of a host that has much else to do.
    pub patience: Duration,
}

impl Default for CompilerLimits {
    fn default() -> Self {
        // A device of this project takes less than a second and 200 MiB.
        Self { memory_mib: 2048, processor_seconds: 60, patience: Duration::from_secs(180) }
    }
}

impl Compiler {
    /// A child process of the program that is running, with the usual limits.
    #[must_use]
    pub fn child_of_this_program() -> Self {
        // Also if its file has been replaced meanwhile, this is the one that runs.
        Self::Child { program: "/proc/self/exe".into(), limits: CompilerLimits::default() }
    }

    /// Compiles a component, and keeps its code in the engine's cache under `key`.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        key: &str,
    ) -> Result<Component, Error> {
        check_preamble(bytes)?;
        match self {
            Self::InProcess => {
                let component = Component::from_binary(engine.wasmtime(), bytes)
                    .map_err(|error| Error::NotAComponent(format!("{error:#}")))?;
                if let Some(cache) = engine.cache() {
                    cache.store(key, &component);
                }
                Ok(component)
            }
            Self::Child { program, limits } => {
                let code = parent::compile(program, limits, bytes)?;
                let component = cache::code_of_child(engine.wasmtime(), &code)
                    .map_err(|error| Error::NotCompiled(format!("bad code: {error:#}")))?;
                if let Some(cache) = engine.cache() {
                    cache.store_code(key, &code);
                }
                Ok(component)
            }
        }
    }
}

/// Tells a core module and anything else from a component before the compiler
/// does, in words of its own (Component Model, binary format: preamble).
pub(super) fn check_preamble(bytes: &[u8]) -> Result<(), Error> {
    let refuse = |reason: &str| Err(Error::NotAComponent(reason.into()));
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => {
            refuse("a core module; make a component of it with `wasm-tools component new`")
        }
        [0, b'a', b's', b'm', ..] => refuse("a WebAssembly file of an unknown kind"),
        [] => refuse("the file is empty"),
        _ => refuse("the file does not begin with \\0asm"),
    }
}
