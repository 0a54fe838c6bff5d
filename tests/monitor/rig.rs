//! The machines of the recordings, without processors.

use std::sync::{Arc, OnceLock};

use southbridge::component::Engine;
use southbridge::control::monitor::human::{About, COMMANDS, HumanCommand};
use southbridge::control::qtest::Qtest;
use southbridge::guest::{Guest, Policy};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, DeviceRequest, Plan};
use southbridge::vm::RamLayout;

use crate::common::data;

/// The recordings' machines had as much.
const RAM: u64 = 16 << 20;

/// A machine, and the way to its devices.
pub(crate) struct Rig {
    pub(crate) guest: Arc<Guest>,
    qtest: Arc<Qtest>,
}

impl Rig {
    /// A machine of a type with nothing more.
    pub(crate) fn plain(machine_type: &str) -> Self {
        Self::with_cpus(machine_type, 1)
    }

    /// The same, said to have so many processors.
    pub(crate) fn with_cpus(machine_type: &str, cpus: u32) -> Self {
        Self::new(machine_type, &[], cpus)
    }

    /// The machine of the recordings with a second serial port, which has an id, and
    /// a device that ends the program, which has none.
    pub(crate) fn with_devices() -> Self {
        let request = |template: &str, id: Option<&str>, properties: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            DeviceRequest {
                template: template.into(),
                id: id.map(Into::into),
                address: None,
                settings: properties.iter().map(own).collect(),
            }
        };
        let devices = [
            request("isa-serial", Some("com2"), &[("iobase", "0x2f8")]),
            request("isa-debug-exit", None, &[("iobase", "0xf4"), ("iosize", "4")]),
        ];
        Self::new("pc-i440fx-7.2", &devices, 1)
    }

    fn new(machine_type: &str, devices: &[DeviceRequest], cpus: u32) -> Self {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| Library::new(Engine::new(None).unwrap()));
        let mut machine_type = MachineTypes::builtin().unwrap().get(machine_type).unwrap().clone();
        // As with QEMU's -nodefaults.
        machine_type.leave_out_defaults();
        let parameters = Parameters::new(cpus, RAM);
        let plan = Plan::new(&machine_type, devices, library, parameters).unwrap();
        let memory = &machine_type.memory;
        let ram = RamLayout {
            size: RAM,
            below_4g_limit: memory.max_ram_below_4g,
            below_4g_split: memory.split_at,
        };
        let mut built = None;
        let (guest, _) = Guest::with(Policy::default(), |post| {
            let qtest =
                Arc::new(Qtest::build(&plan, &ram, None, &Backends::default(), post.power(None))?);
            built = Some(qtest.clone());
            Ok::<_, southbridge::control::qtest::Error>(qtest)
        })
        .unwrap();
        Self { guest, qtest: built.unwrap() }
    }

    /// Sends requests, and returns the replies.
    pub(crate) fn qtest(&self, requests: &str) -> String {
        let mut replies = Vec::new();
        self.qtest.serve(requests.as_bytes(), &mut replies).unwrap();
        String::from_utf8(replies).unwrap()
    }

    /// What a line makes the monitor print.
    pub(crate) fn human(&self, line: &str) -> String {
        let about = About {
            guest: &self.guest,
            version: "7.2.0southbridge",
            name: Some("guest"),
            uuid: Some("00112233-4455-6677-8899-aabbccddeeff"),
            chardevs: &[],
        };
        let (command, rest) = find(line).unwrap_or_else(|| panic!("no command in {line:?}"));
        command.execute(&about, rest)
    }
}

/// The command of a line, and the rest of the line.
pub(crate) fn find(line: &str) -> Option<(&'static HumanCommand, &str)> {
    let after = |name: &str| {
        name.split(' ').try_fold(line, |rest, word| {
            let rest = rest.trim_start().strip_prefix(word)?;
            (rest.is_empty() || rest.starts_with(' ')).then_some(rest)
        })
    };
    COMMANDS.iter().find_map(|command| Some((command, after(command.name)?)))
}

/// Compares a text with the one of that name in the test data, or with
/// `SOUTHBRIDGE_RECORD=1` makes it that one.
pub(crate) fn compare_with_own(text: &str, file: &str) {
    let name = format!("monitor/southbridge/{file}");
    if std::env::var_os("SOUTHBRIDGE_RECORD").is_some_and(|value| value == "1") {
        std::fs::write(data::path(&name), text).unwrap();
    }
    assert_eq!(text, data::text(&name), "{file}");
}
