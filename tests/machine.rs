//! Whole machines without processors.

use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, DeviceRequest, Error, Machine, Plan, Unconnected};

#[test]
fn every_machine_type_is_built_from_the_components_in_the_program() {
    let library = Library::new(Engine::new(None).unwrap());
    let types = MachineTypes::builtin().unwrap();
    let parameters = Parameters::new(1, 16 << 20);
    for machine_type in types.iter() {
        let plan = Plan::new(machine_type, &[], &library, parameters).unwrap();
        let clock = Arc::new(Clock::manual());
        let power = Arc::new(|_| {});
        let board = Arc::new(Unconnected);
        let machine = Machine::build(&plan, clock, board, &Backends::default(), power)
            .unwrap_or_else(|error| panic!("{}: {error}", machine_type.name));
        let mut effects = Effects::new();
        machine.port_write(0xcf8, 4, 0x8000_0b00, &mut effects);
        assert_eq!(machine.port_read(0xcfc, 4, &mut effects), 0x7113_8086);
    }
}

/// What fw_cfg has in the directory of its files, by name.
fn firmware_files(machine: &Machine) -> Vec<(String, Vec<u8>)> {
    let mut effects = Effects::new();
    let mut select = |item: u64, length: u64| -> Vec<u8> {
        machine.port_write(0x510, 2, item, &mut effects);
        (0..length).map(|_| machine.port_read(0x511, 1, &mut effects) as u8).collect()
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    let count = number(&select(0x19, 4));
    let all = select(0x19, 4 + 64 * count);
    let files = all[4..].chunks_exact(64).map(|file| {
        let name = file[8..].split(|byte| *byte == 0).next().unwrap_or_default();
        let contents = select(number(&file[4..6]), number(&file[..4]));
        (String::from_utf8(name.to_vec()).unwrap(), contents)
    });
    files.collect()
}

/// A device that is granted files hands those of its directory to the guest, and no other.
#[test]
fn a_directory_is_a_devices_files() {
    let directory = tempfile::tempdir().unwrap();
    let given = directory.path().join("given");
    std::fs::create_dir(&given).unwrap();
    std::fs::write(given.join("greeting"), "good morning").unwrap();
    std::fs::write(directory.path().join("other"), "not given").unwrap();
    let library = Library::new(Engine::new(None).unwrap());
    let build = || {
        let text = format!(
            "[machine.greets]\ninherits = \"pc-i440fx-7.2\"\ndescription = \"With a greeting\"\n\
             [machine.greets.device.fw-cfg]\ndirectory = {:?}\n",
            given.display().to_string()
        );
        let mut types = MachineTypes::builtin().unwrap();
        types.load("greets.toml", &text).unwrap();
        let machine_type = types.get("greets").unwrap();
        let parameters = Parameters::new(1, 16 << 20);
        let plan = Plan::new(machine_type, &[], &library, parameters).unwrap();
        let backends = Backends {
            files: Arc::new([("opt/machine".into(), Arc::from(&b"the machine's"[..]))]),
            ..Backends::default()
        };
        let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
        Machine::build(&plan, clock, board, &backends, Arc::new(|_| {}))
    };
    let files = firmware_files(&build().unwrap());
    let found = files.iter().find(|(name, _)| name == "greeting").map(|(_, data)| data.clone());
    assert_eq!(found.as_deref(), Some(&b"good morning"[..]));
    assert!(!files.iter().any(|(name, _)| name == "opt/machine" || name == "other"));

    std::os::unix::fs::symlink("../other", given.join("link")).unwrap();
    let refused = build().map(drop).unwrap_err().to_string();
    assert!(refused.starts_with("greets.toml:5:"), "{refused}");
    assert!(refused.contains("cannot read link in the directory"), "{refused}");
}

/// A PC without the default serial port, or with it, and more serial ports with
/// these properties.
fn with_serial_ports(default: bool, ports: &[&[(&str, &str)]]) -> Result<Arc<Machine>, Error> {
    let library = Library::new(Engine::new(None).unwrap());
    let mut machine_type = MachineTypes::builtin().unwrap().get("pc-i440fx-7.2").unwrap().clone();
    if !default {
        machine_type.leave_out_defaults();
    }
    let request = |(number, properties): (usize, &&[(&str, &str)])| DeviceRequest {
        template: "isa-serial".into(),
        id: Some(format!("port{number}")),
        address: None,
        settings: properties.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
    };
    let requests: Vec<_> = ports.iter().enumerate().map(request).collect();
    let parameters = Parameters::new(1, 16 << 20);
    let plan = Plan::new(&machine_type, &requests, &library, parameters)?;
    let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
    Machine::build(&plan, clock, board, &Backends::default(), Arc::new(|_| {}))
}

/// Which of COM1 to COM4 answer, and what the configuration space says of them and
/// of the parallel port.
fn ports_of(machine: &Machine) -> ([bool; 4], u64, u64) {
    let mut effects = Effects::new();
    // The line status after a reset.
    let answers =
        [0x3fd, 0x2fd, 0x3ed, 0x2ed].map(|port| machine.port_read(port, 1, &mut effects) == 0x60);
    let mut configuration = |register: u64| {
        machine.port_write(0xcf8, 4, 0x8000_0b00 | (register & !3), &mut effects);
        machine.port_read(0xcfc + (register & 3) as u16, 1, &mut effects)
    };
    (answers, configuration(0x67), configuration(0x5f))
}

#[test]
fn serial_ports_take_the_first_free_place_or_the_one_they_are_told() {
    // As QEMU 7.2 answers with `-nodefaults` and `-device isa-serial,...`, or with
    // `-serial null` for the default one.
    let index = |number| [("index", number)];
    type Case<'a> = (bool, Vec<&'a [(&'a str, &'a str)]>, [bool; 4], u64);
    let (second, third) = (index("1"), index("2"));
    let cases: [Case<'_>; 8] = [
        (false, vec![], [false; 4], 0),
        (false, vec![&[]], [true, false, false, false], 0x08),
        (true, vec![&[]], [true, true, false, false], 0x98),
        (false, vec![&second], [false, true, false, false], 0x90),
        (false, vec![&third], [false, false, true, false], 0),
        (false, vec![&[]; 4], [true; 4], 0x98),
        (true, vec![&[]; 3], [true; 4], 0x98),
        (false, vec![&[("iobase", "0x2f8")]], [false, true, false, false], 0x90),
    ];
    for (default, ports, answering, com) in cases {
        let machine = with_serial_ports(default, &ports).unwrap();
        let expected = (answering, com, 0x10);
        assert_eq!(ports_of(&machine), expected, "{default}, {ports:?}");
    }
}

#[test]
fn a_serial_port_too_many_is_refused() {
    let refused = |default, ports: &[&[(&str, &str)]]| {
        with_serial_ports(default, ports).err().expect("there is no room").to_string()
    };
    let line = refused(true, &[&[] as &[_]; 4]);
    assert!(line.contains("all 4 choices of \"isa-serial\" are taken"), "{line}");
    let line = refused(false, &[&[("index", "4")]]);
    assert!(line.contains("\"isa-serial\" has no choice 4: 0 to 3 expected"), "{line}");
    let line = refused(false, &[&[("index", "x")]]);
    assert!(line.contains("--device: port0.index: \"x\" found, a number expected"), "{line}");
    let line = refused(true, &[&[("index", "0")]]);
    assert!(line.contains("port0") && line.contains("serial0"), "{line}");
}
