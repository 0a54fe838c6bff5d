//! The state of a whole machine, QEMU's stream, without guest memory:
//!
//! - `save`: all devices asked, and their sections made a stream;
//! - `write`: the stream's bytes;
//! - `read`: the bytes read, with the layouts built in;
//! - `load`: new instances of all devices take their sections and replace the
//!   old ones;
//! - `convert`: what `state convert` does but for files.

use criterion::Criterion;
use southbridge::component::Engine;
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Machine, Plan};
use southbridge::migrate::convert;
use vmstate::{Layouts, Stream};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    for (name, other) in [("xenfv-4.2", "xenfv-3.1"), ("pc-i440fx-7.2", "pc-i440fx-3.1")] {
        time(&mut criterion, &library, name, other);
    }
    criterion.final_summary();
}

fn time(criterion: &mut Criterion, library: &Library, name: &str, other: &str) {
    let types = MachineTypes::builtin().expect("the files in the program are sound");
    let machine_type = |name| types.get(name).expect("it is in the program");
    let parameters = Parameters::new(1, 16 << 20);
    let plan = Plan::new(machine_type(name), &[], library, parameters).expect("it fits together");
    let machine = Machine::build_alone(&plan).expect("the machine can be built");
    let save = || machine.save_stream().expect("no device is out of service");
    let bytes = save().write(&[]);
    let read = || Stream::read(&bytes, Layouts::builtin()).expect("it was written here");

    let mut group = criterion.benchmark_group(name);
    group.bench_function("save", |bencher| bencher.iter(save));
    let stream = save();
    group.bench_function("write", |bencher| bencher.iter(|| stream.write(&[])));
    group.bench_function("read", |bencher| bencher.iter(read));
    let stream = read();
    group.bench_function("load", |bencher| {
        bencher.iter(|| machine.load_stream(&stream).expect("it is this machine's"));
    });
    let (from, to) = (machine_type(name), machine_type(other));
    group.bench_function("convert", |bencher| {
        bencher.iter(|| convert(&stream, from, to, library, None).expect("it can be converted"));
    });
    group.finish();
}
