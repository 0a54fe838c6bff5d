//! The WebAssembly engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{CodeCache, Error, Image};

/// How often the epoch moves on, by which deadlines are measured.
const TICK: Duration = Duration::from_millis(1);

/// Compiles components and counts the time their calls take.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    cache: Option<CodeCache>,
    /// Ends the ticker when the last engine goes.
    _ticker: Arc<()>,
}

impl Engine {
    /// An engine that keeps compiled code in `cache`, or does not keep it.
    ///
    /// # Errors
    /// The processor is not one the compiler supports, or no thread can be
    /// started.
    pub fn new(cache: Option<CodeCache>) -> Result<Self, Error> {
        let unusable = |error: wasmtime::Error| Error::Unusable(format!("{error:#}"));
        let engine = wasmtime::Engine::new(&configuration()).map_err(unusable)?;
        let alive = Arc::new(());
        let (weak, ticking) = (Arc::downgrade(&alive), engine.clone());
        std::thread::Builder::new()
            .name("epoch".into())
            .spawn(move || tick(&weak, &ticking))
            .map_err(|error| Error::Unusable(format!("cannot start a thread: {error}")))?;
        Ok(Self { engine, cache, _ticker: alive })
    }

    /// Compiles a component, or takes its code from the cache, and asks it what
    /// it is.
    ///
    /// # Errors
    /// The bytes are not a device for this host.
    pub fn load(&self, bytes: &[u8]) -> Result<Image, Error> {
        Image::load(self, bytes)
    }

    /// Prepares the calling thread for calls into components, so that the first
    /// one does not pay for it. Called once on each processor's thread.
    pub fn prepare_thread() {
        wasmtime::Engine::tls_eager_initialize();
    }

    pub(super) const fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    pub(super) const fn cache(&self) -> Option<&CodeCache> {
        self.cache.as_ref()
    }
}

/// A deadline in ticks, rounded up. One more, since the current tick has begun
/// already.
pub(super) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1)
}

fn configuration() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .wasm_component_model(true)
        // Bookkeeping for concurrent calls multiplies the cost of a call.
        .concurrency_support(false)
        .epoch_interruption(true)
        // The same bits on every machine: what a replay compares.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        // A device calls its child from inside its own call, so several of these
        // must fit on a processor's thread.
        .max_wasm_stack(256 << 10);
    config
}

fn tick(alive: &Weak<()>, engine: &wasmtime::Engine) {
    while alive.strong_count() > 0 {
        std::thread::sleep(TICK);
        engine.increment_epoch();
    }
}
