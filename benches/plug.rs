//! Plugging a device in, from the bytes of its component to its configured
//! state:
//!
//! - `compiled`: nothing is known of the component;
//! - `cached`: its code is in the cache, as from the second start on;
//! - `loaded`: its image is at hand, as for a second device of the kind.

mod common {
    pub(crate) mod plug;
}

use std::sync::Arc;

use criterion::{Criterion, SamplingMode};
use southbridge::builtin;
use southbridge::clock::Clock;
use southbridge::component::{CodeCache, Engine};

use common::plug::plug;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    for name in ["piix4-pm", "serial"] {
        time(&mut criterion, name);
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
    let cache = CodeCache::open(&directory.path().join("code")).expect("the directory is ours");
    let caching = Engine::new(Some(cache)).expect("the compiler knows this processor");
    let image = load(&caching);
    group.bench_function("cached", |bencher| {
        bencher.iter_with_large_drop(|| plug(&load(&caching), &clock));
    });
    group.bench_function("loaded", |bencher| {
        bencher.iter_with_large_drop(|| plug(&image, &clock));
    });
    group.finish();
}
