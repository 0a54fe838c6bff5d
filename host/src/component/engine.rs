//! The WebAssembly engine.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Enabled, PoolingAllocationConfig};

use super::compiler::{self, Compiler};
use super::ticker::{TICK, Ticker};
use super::{CodeCache, Error, Image, Limits, limits};

/// The most devices of an engine at a time, in all its machines. A machine has
/// some twenty, and as many more while it is loaded. Each has 4 GiB of addresses,
/// which take no memory before it is there.
const DEVICES: u32 = 2000;

/// Bytes of a device's memory that stay with its place in the pool for the next
/// one: more than a device of this project ever touches.
const KEPT: usize = 128 << 10;

/// Compiles components and counts the time their calls take.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    cache: Option<CodeCache>,
    compiler: Compiler,
    ticker: Arc<Ticker>,
}

impl Engine {
    /// An engine that keeps compiled code in `cache`, or does not keep it, and compiles
    /// in this process.
    ///
    /// # Errors
    /// The processor is not one the compiler supports, or no thread can be
    /// started.
    pub fn new(cache: Option<CodeCache>) -> Result<Self, Error> {
        Self::with_compiler(cache, Compiler::default())
    }

    /// The same, with components that are not the program's own compiled by `compiler`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_compiler(cache: Option<CodeCache>, compiler: Compiler) -> Result<Self, Error> {
        let unusable = |error: wasmtime::Error| Error::Unusable(format!("{error:#}"));
        let mut config = configuration();
        config.allocation_strategy(pool());
        // Where so many addresses are not to be had, each device gets its own.
        let engine = wasmtime::Engine::new(&config)
            .or_else(|error| {
                tracing::warn!(error = format!("{error:#}"), "no pool of memory for devices");
                wasmtime::Engine::new(&configuration())
            })
            .map_err(unusable)?;
        let ticker = Ticker::start(engine.clone())
            .map_err(|error| Error::Unusable(format!("cannot start a thread: {error}")))?;
        Ok(Self { engine, cache, compiler, ticker })
    }

    /// Compiles a component, or takes its code from the cache, and asks it what
    /// it is.
    ///
    /// # Errors
    /// The bytes are not a device for this host.
    pub fn load(&self, bytes: &[u8]) -> Result<Image, Error> {
        Image::load(self, bytes)
    }

    /// The same of a component of the program, whose hash is known: SHA-256, in
    /// hexadecimal. It is compiled in this process.
    ///
    /// # Errors
    /// The bytes are not a device for this host.
    pub(crate) fn load_own(&self, bytes: &[u8], hash: &str) -> Result<Image, Error> {
        Image::load_known(self, &Compiler::InProcess, bytes, hash)
    }

    /// Prepares the calling thread for calls into components, so that the first
    /// one does not pay for it. Called once on each processor's thread.
    pub fn prepare_thread() {
        wasmtime::Engine::tls_eager_initialize();
    }

    pub(super) const fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    pub(super) const fn ticker(&self) -> &Arc<Ticker> {
        &self.ticker
    }

    pub(super) const fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    pub(super) const fn cache(&self) -> Option<&CodeCache> {
        self.cache.as_ref()
    }
}

/// Compiles a component to code that this host's engines take, on this thread alone and
/// without the addresses that running it needs.
pub(super) fn precompile(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    compiler::check_preamble(bytes)?;
    let mut config = configuration();
    config.parallel_compilation(false);
    let engine =
        wasmtime::Engine::new(&config).map_err(|error| Error::Unusable(format!("{error:#}")))?;
    engine.precompile_component(bytes).map_err(|error| Error::NotAComponent(format!("{error:#}")))
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
        .max_wasm_stack(limits::STACK);
    config
}

/// Devices are made and dropped by the dozen when a state is loaded. In a pool
/// that is half the work: memory stays mapped, and only what a device has written
/// is put back.
fn pool() -> PoolingAllocationConfig {
    // Which pages those are the kernel tells from Linux 6.7 on. Without that all
    // the bytes kept would be written, and take memory.
    let (scan, kept) = match PoolingAllocationConfig::is_pagemap_scan_available() {
        true => (Enabled::Yes, KEPT),
        false => (Enabled::No, 0),
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(DEVICES)
        .total_core_instances(DEVICES * limits::INSTANCES)
        .total_memories(DEVICES * limits::MEMORIES)
        .total_tables(DEVICES * limits::TABLES)
        .max_tables_per_module(limits::TABLES)
        .table_elements(Limits::MOST_TABLE as usize)
        .linear_memory_keep_resident(kept)
        .table_keep_resident(kept)
        .pagemap_scan(scan);
    pool
}
