//! Plugging a device in, from the bytes of its component to its configured
//! state:
//!
//! - `compiled`: nothing is known of the component;
//! - `cached`: its code is in the cache, as from the second start on;
//! - `loaded`: its image is at hand, as for a second device of the kind.
//!
//! And `start`: all that a process does from the code in the cache to a machine
//! of all its default devices, with an engine and machine files of its own.

mod common {
    pub(crate) mod plug;
}

use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, SamplingMode};
use southbridge::builtin;
use southbridge::clock::Clock;
use southbridge::component::{CodeCache, Engine};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, Machine, Plan, Unconnected};

use common::plug::plug;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    for name in ["piix4-pm", "serial"] {
        time(&mut criterion, name);
    }
    for name in ["xenfv-4.2", "pc-i440fx-7.2"] {
        time_start(&mut criterion, name);
    }
    criterion.final_summary();
}

fn time(criterion: &mut Criterion, name: &str) {
    let bytes = builtin::component(name).expect("it is in the program");
    let clock = Arc::new(Clock::manual());
    let load = |engine: &Engine| engine.load(bytes).expect("the device is sound");
    let mut group = criterion.benchmark_group(name);

    let compiling = Engine::new(None).expect("the compiler knows this processor");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("compiled", |bencher| {
        bencher.iter_with_large_drop(|| plug(&load(&compiling), &clock));
    });

    let directory = tempfile::tempdir().expect("there is room for a directory");
    let caching = caching(directory.path());
    let image = load(&caching);
    group.bench_function("cached", |bencher| {
        bencher.iter_with_large_drop(|| plug(&load(&caching), &clock));
    });
    group.bench_function("loaded", |bencher| {
        bencher.iter_with_large_drop(|| plug(&image, &clock));
    });
    group.finish();
}

fn time_start(criterion: &mut Criterion, name: &str) {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let start = || {
        let library = Library::new(caching(directory.path()));
        let types = MachineTypes::builtin().expect("the files in the program are sound");
        let machine_type = types.get(name).expect("it is in the program");
        let parameters = Parameters::new(1, 16 << 20);
        let plan = Plan::new(machine_type, &[], &library, parameters).expect("it fits together");
        let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
        let machine = Machine::build(&plan, clock, board, &Backends::default(), Arc::new(|_| {}))
            .expect("the machine can be built");
        (library, types, machine)
    };
    // Fills the cache.
    drop(start());
    criterion.bench_function(&format!("{name}/start"), |bencher| {
        bencher.iter_batched(|| (), |()| start(), BatchSize::PerIteration);
    });
}

/// An engine that keeps its code below a directory.
fn caching(directory: &Path) -> Engine {
    let cache = CodeCache::open(&directory.join("code")).expect("the directory is ours");
    Engine::new(Some(cache)).expect("the compiler knows this processor")
}
