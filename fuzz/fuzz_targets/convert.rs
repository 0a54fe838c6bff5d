//! Any stream as the state of one machine type, converted to another: refused, or
//! what comes out is a state of the other type, which converts back. Two bytes
//! choose the machine types.
//!
//! Here the devices are the components a machine runs, in their sandboxes.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use southbridge::component::Engine;
use southbridge::library::Library;
use southbridge::machine::file::MachineTypes;
use southbridge::migrate::{NotConverted, convert};
use vmstate::{Layouts, Stream};

/// The machine types by number.
const MACHINES: [&str; 6] =
    ["xenfv-3.1", "xenfv-4.2", "pc-i440fx-3.1", "pc-i440fx-4.2", "pc-i440fx-7.2", "pc-i440fx-10.0"];

static TYPES: LazyLock<MachineTypes> =
    LazyLock::new(|| MachineTypes::builtin().expect("machine files of ours"));
static LIBRARY: LazyLock<Library> =
    LazyLock::new(|| Library::new(Engine::new(None).expect("an engine")));

fuzz_target!(|input: &[u8]| {
    let [from, to, bytes @ ..] = input else { return };
    let Ok(stream) = Stream::read(bytes, Layouts::builtin()) else { return };
    let machine = |number: u8| {
        let name = MACHINES[usize::from(number) % MACHINES.len()];
        TYPES.get(name).expect("it is built in")
    };
    let (from, to) = (machine(*from), machine(*to));
    match convert(&stream, from, to, &LIBRARY, None) {
        Ok(converted) => {
            let back = convert(&converted.stream, to, from, &LIBRARY, None);
            back.unwrap_or_else(|error| panic!("{} does not go back: {error}", to.name));
        }
        // The stream is wrong, or the machine types are; nothing else may be.
        Err(NotConverted::Family { .. } | NotConverted::Unfit { .. }) => {}
        Err(NotConverted::Block { .. }) => assert!(!stream.live.blocks.is_empty()),
        Err(error) => panic!("{} to {}: {error}", from.name, to.name),
    }
});
