//! A machine that clients drive.

use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

use southbridge::component::Engine;
use southbridge::control::qmp::{Qmp, Setup};
use southbridge::control::qtest::{Error, Qtest};
use southbridge::guest::{Guest, Outcome, Policy};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, Plan};
use southbridge::vm::RamLayout;

static LIBRARY: LazyLock<Arc<Library>> =
    LazyLock::new(|| Arc::new(Library::new(Engine::new(None).expect("an engine"))));

/// A guest that runs, with qtest in its processors' place.
pub struct Driven {
    /// Where its QMP clients find it.
    pub qmp: Qmp,
    /// Where its qtest clients find it.
    pub qtest: Arc<Qtest>,
    guest: Arc<Guest>,
    _runner: JoinHandle<Outcome>,
}

impl Driven {
    /// A `pc` with 16 MiB.
    ///
    /// # Panics
    /// The built-in machine files are wrong, or the host lacks memory.
    #[must_use]
    pub fn new() -> Self {
        const RAM: u64 = 16 << 20;
        let types = MachineTypes::builtin().expect("machine files of ours");
        let machine_type = types.get("pc").expect("it is built in");
        let parameters = Parameters::new(1, RAM);
        let plan = Plan::new(machine_type, &[], &LIBRARY, parameters).expect("it fits together");
        let memory = &machine_type.memory;
        let ram = RamLayout {
            size: RAM,
            below_4g_limit: memory.max_ram_below_4g,
            below_4g_split: memory.split_at,
        };
        let policy = Policy { stays_when_off: true, ..Policy::default() };
        let mut built = None;
        let (guest, inbox) = Guest::with(policy, |post| {
            let qtest = Qtest::build(&plan, &ram, None, &Backends::default(), post.power())?;
            Ok::<_, Error>(built.insert(Arc::new(qtest)).clone())
        })
        .expect("the machine can be built");
        let qmp = Qmp::new(Setup::new(guest.clone(), LIBRARY.clone()));
        let running = guest.clone();
        let _runner = std::thread::spawn(move || running.run(inbox));
        Self { qmp, qtest: built.expect("it was built"), guest, _runner }
    }

    /// Whether it still runs, or could.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.guest.settle()
    }
}

impl Default for Driven {
    fn default() -> Self {
        Self::new()
    }
}
