//! Southbridge, without processors.

use std::sync::{Arc, OnceLock};

use southbridge::component::{Effects, Engine};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Machine, Plan};
use southbridge::migrate::convert;
use vmstate::{Layouts, Stream};

use super::ports::Ports;

/// A machine whose clock stands still.
pub(crate) struct Southbridge {
    machine: Arc<Machine>,
    effects: Effects,
}

impl Southbridge {
    /// A machine just switched on.
    pub(crate) fn new(machine_type: &str) -> Self {
        let types = MachineTypes::builtin().expect("the built-in machine files are right");
        let machine_type = types.get(machine_type).expect("the machine type is there");
        let parameters = Parameters::new(1, 16 << 20);
        let plan = Plan::new(machine_type, &[], library(), parameters).expect("it fits together");
        let machine = Machine::build_alone(&plan);
        Self { machine: machine.expect("the machine can be built"), effects: Effects::new() }
    }

    /// A machine that somebody else has made.
    pub(crate) fn of(machine: Arc<Machine>) -> Self {
        Self { machine, effects: Effects::new() }
    }

    /// The same machine with a state in it.
    pub(crate) fn load(machine_type: &str, state: &[u8]) -> Self {
        let southbridge = Self::new(machine_type);
        let stream = Stream::read(state, Layouts::builtin());
        let stream = stream.unwrap_or_else(|error| panic!("{machine_type}: {error}"));
        if let Err(problems) = southbridge.machine.load_stream(&stream) {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{machine_type}: {}", problems.join("; "));
        }
        southbridge
    }

    /// The state of all devices.
    pub(crate) fn save(&self) -> Vec<u8> {
        self.machine.save_stream().expect("no device is out of service").write(&[])
    }

    /// Lets time pass: nanoseconds.
    pub(crate) fn advance(&mut self, nanoseconds: u64) {
        self.machine.advance(nanoseconds, &mut self.effects);
    }
}

impl Ports for Southbridge {
    fn read(&mut self, port: u16, size: u8) -> u64 {
        self.machine.port_read(port, size, &mut self.effects)
    }

    fn write(&mut self, port: u16, size: u8, value: u64) {
        self.machine.port_write(port, size, value, &mut self.effects);
    }
}

/// A state of one machine type as one of another, without guest memory: what the
/// command `state convert` does.
pub(crate) fn converted(from: &str, to: &str, state: &[u8]) -> Vec<u8> {
    let types = MachineTypes::builtin().expect("the built-in machine files are right");
    let machine = |name| types.get(name).expect("the machine type is there");
    let stream = Stream::read(state, Layouts::builtin());
    let stream = stream.unwrap_or_else(|error| panic!("{from}: {error}"));
    let converted = convert(&stream, machine(from), machine(to), library(), None);
    converted.unwrap_or_else(|error| panic!("{from} to {to}: {error}")).stream.write(&[])
}

/// The components in the program, each compiled once in a test program.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(Engine::new(None).expect("the engine starts")))
}
