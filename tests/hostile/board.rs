//! A machine in this process, whose disk and floppy disk are in memory and fail when
//! they are told to.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use southbridge::component::Effects;
use southbridge::control::qtest::{Qtest, QtestServer};
use southbridge::machine::{Backends, DriveKind, GivenDrive, HostDrive, Inserted, PowerListener};
use storage::{Cache, Faults, Faulty, Medium, Policy, Ram, RamView};
use tempfile::TempDir;
use vmstate::{Layouts, Stream};

use super::machine::{Life, Machine};
use crate::common::driven::{Driven, qtest_with};

const CHANGES: &str = r#"
[machine.recorded.device.ide.properties]
kind0 = "disk"
[machine.recorded.device.fdc.properties]
drive-type-a = "auto"
"#;

/// A machine and what is in its drives.
pub(crate) struct Board {
    driven: Driven,
    _server: QtestServer,
    _directory: TempDir,
    pub(crate) disk: RamView,
    pub(crate) faults: Faults,
    policy: Policy,
}

impl Board {
    /// A machine with a disk and a floppy disk of these contents.
    pub(crate) fn machine(disk: Vec<u8>, floppy: Vec<u8>, policy: Policy) -> Machine {
        let disk = Ram::new(disk);
        let view = disk.view();
        let disk = Faulty::new(disk);
        let faults = disk.faults();
        let backends = backends(medium(disk), medium(Ram::new(floppy)), policy);
        let mut board = None;
        let driven = Driven::of(
            |power| {
                let qtest = qtest(&backends, power);
                board = Some(qtest.clone());
                qtest
            },
            |_| {},
        );
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let path = directory.path().join("qtest");
        let qtest = board.expect("it was just built");
        let server = QtestServer::start(&path, qtest).expect("the socket is free");
        let stream = UnixStream::connect(&path).expect("somebody listens");
        let monitor = driven.peer();
        let (_server, _directory) = (server, directory);
        let board = Self { driven, _server, _directory, disk: view, faults, policy };
        Machine::new(stream, monitor, Life::Board(board))
    }

    /// Checks that the state of its devices, saved and loaded elsewhere, is saved
    /// there as the same.
    pub(crate) fn check_state(&self, what: &str) {
        let save = |machine: &southbridge::machine::Machine| {
            machine.save_stream().expect("no device is out of service").write(&[])
        };
        let saved = self.driven.guest.still(|machine| {
            machine.drain();
            save(machine)
        });
        let saved = saved.expect("there is a machine");
        let disk = medium(Ram::new(self.disk.now()));
        let floppy = medium(Ram::new(vec![0; super::floppy::SIZE]));
        let other = qtest(&backends(disk, floppy, self.policy), Arc::new(|_| {}));
        let stream = Stream::read(&saved, Layouts::builtin());
        let stream = stream.unwrap_or_else(|error| panic!("{what}: {error}"));
        let machine = other.machine();
        if let Err(problems) = machine.load_stream(&stream) {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{what}: {}", problems.join("; "));
        }
        machine.apply(&mut Effects::new());
        machine.drain();
        assert!(save(machine) == saved, "{what}: the state is another one when it is loaded");
    }

    /// Checks that no device has gone out of service.
    pub(crate) fn check_health(&self, what: &str) {
        for slot in self.driven.guest.machine().status() {
            assert!(slot.fault.is_none(), "{what}: {}: {:?}", slot.name, slot.fault);
        }
    }
}

fn medium(backend: impl storage::Backend + 'static) -> Medium {
    Medium { backend: Box::new(backend), read_only: false, cache: Cache::default() }
}

fn backends(disk: Medium, floppy: Medium, policy: Policy) -> Backends {
    let drive = |medium, policy, kind, label: &str, number| {
        let given =
            GivenDrive { kind, label: label.into(), device: None, number, ..GivenDrive::default() };
        HostDrive::new(Some(Inserted::unnamed(medium)), policy).given(given)
    };
    let disk = drive(disk, policy, DriveKind::Disk, "ide0-hd0", 0);
    let floppy = drive(floppy, Policy::REPORT, DriveKind::Floppy, "floppy0", 1);
    let drives = [("ide0".to_owned(), disk), ("floppy0".to_owned(), floppy)].into();
    Backends { drives, ..Backends::default() }
}

fn qtest(backends: &Backends, power: PowerListener) -> Arc<Qtest> {
    qtest_with("pc-i440fx-7.2", CHANGES, backends, power)
}
