//! Whole machines that go from one to the other and back, with their memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use southbridge::control::qtest::{Qtest, QtestServer};
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, Plan};
use southbridge::migrate::{
    Arrived, Arriving, Cancel, Leaving, Migration, RunStateName, Status, Uri,
};
use southbridge::vm::{Image, RamLayout, Rom};
use tempfile::TempDir;

use super::answers::{Answers, Part};
use super::machines::version;
use super::pokes::poke;
use super::process::pause;
use super::real::Qemu;
use super::southbridge::{Southbridge, library};
use super::wire::{PATIENCE, Wire};

/// QEMU's RAM in the tests, and its firmware's size.
const RAM: u64 = 16 << 20;
const FIRMWARE: usize = 256 << 10;

/// What is put into memory, and where.
const PATTERN: [(u64, &str); 4] = [
    (0x500, "0x0102030405060708"),
    (0x9_fff8, "0xfffefdfcfbfaf9f8"),
    (0x12_3456, "0x000000deadbeef00"),
    (RAM - 8, "0x5a5a5a5a5a5a5aa5"),
];

/// Southbridge with memory, and its qtest socket.
struct Lab {
    qtest: Arc<Qtest>,
    wire: Wire,
    _server: QtestServer,
    directory: TempDir,
}

impl Lab {
    fn new(name: &str, firmware: bool) -> Self {
        let types = MachineTypes::builtin().expect("the built-in machine files are right");
        let machine = types.get(name).expect("the machine type is there");
        let parameters = Parameters::new(1, RAM);
        let plan = Plan::new(machine, &[], library(), parameters).expect("it fits together");
        let ram = RamLayout {
            size: RAM,
            below_4g_limit: machine.memory.max_ram_below_4g,
            below_4g_split: machine.memory.split_at,
        };
        let rom = Rom::new(Image::new("rom", vec![0x11; FIRMWARE])).expect("the size is right");
        let power = Arc::new(|_| {});
        let qtest = Qtest::build(&plan, &ram, firmware.then_some(rom), &Backends::default(), power);
        let qtest = Arc::new(qtest.expect("the machine can be built"));
        let directory = tempfile::tempdir().expect("a directory can be made");
        let socket = directory.path().join("qtest");
        let server = QtestServer::start(&socket, qtest.clone()).expect("it listens");
        let wire = Wire::connect(&socket).expect("it accepts");
        Self { qtest, wire, _server: server, directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn ask(&mut self, request: &str) -> String {
        self.wire.send(request).expect("it listens");
        let reply = self.wire.receive().expect("it answers");
        reply.strip_prefix("OK").unwrap_or_else(|| panic!("{reply}")).trim().to_owned()
    }

    fn receive(&self, uri: &str) -> (Migration, std::sync::mpsc::Receiver<Arrived>) {
        let cancel = Cancel::new().expect("there are descriptors");
        let uri: Uri = uri.parse().expect("it is one");
        let origin = uri.origin(&mut |_| None, &cancel).expect("it can be opened");
        let (sender, arrived) = std::sync::mpsc::channel();
        let ended = move |result: Result<Arrived, _>| {
            if let Ok(arrived) = result {
                drop(sender.send(arrived));
            }
        };
        let arriving =
            Arriving { processors: None, ended: Box::new(ended), changed: Box::new(|_| {}) };
        let (machine, blocks) = (self.qtest.machine().clone(), self.qtest.blocks().clone());
        let migration = Migration::receive(origin, machine, blocks, arriving);
        (migration.expect("there are threads"), arrived)
    }

    fn send(&self, uri: &str) {
        let cancel = Cancel::new().expect("there are descriptors");
        let uri: Uri = uri.parse().expect("it is one");
        let target = uri.target(&mut |_| None, &cancel).expect("it can be opened");
        let leaving = Leaving {
            stop: Box::new(|| Ok(RunStateName::PRELAUNCH.into())),
            go_on: Box::new(|| {}),
            changed: Box::new(|_| {}),
        };
        let (machine, blocks) = (self.qtest.machine().clone(), self.qtest.blocks().clone());
        let migration = Migration::send(target, machine, blocks, leaving);
        ended(&migration.expect("there are threads"));
    }
}

fn ended(migration: &Migration) {
    assert_eq!(migration.wait(PATIENCE), Status::Completed, "{:?}", migration.info());
}

fn wait_for(path: &Path, done: impl Fn(&Path) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done(path) {
        assert!(Instant::now() < deadline, "waited for {} in vain", path.display());
        pause();
    }
}

/// Whether somebody listens at a socket, which has its file a moment before.
fn is_listened_at(socket: &Path) -> bool {
    /// Flags of a socket that accepts connections: proc_net_unix(5), `__SO_ACCEPTCON`.
    const ACCEPTS: &str = "00010000";
    let (sockets, path) = (std::fs::read_to_string("/proc/net/unix"), socket.to_string_lossy());
    let sockets = sockets.expect("there is a table of sockets");
    let mut fields = sockets.lines().map(|line| line.split_ascii_whitespace());
    fields.any(|mut fields| fields.nth(3) == Some(ACCEPTS) && fields.next_back() == Some(&*path))
}

/// From QEMU to Southbridge and back, by sockets and by commands. Firmware is QEMU's,
/// whether Southbridge has a place for it or keeps it.
#[test]
fn a_machine_with_its_memory_goes_there_and_back() {
    for (machine, firmware, by_socket) in [
        ("pc-i440fx-7.2", true, true),
        ("pc-i440fx-7.2", false, false),
        ("pc-i440fx-3.1", true, false),
        ("pc-i440fx-2.4", true, true),
        // Without configuration and footers.
        ("pc-i440fx-2.3", true, true),
        ("pc-i440fx-2.2", false, false),
    ] {
        let mut qemu = Qemu::new(machine);
        poke(&mut qemu, false);
        for (address, bytes) in PATTERN {
            qemu.ask(&format!("write {address:#x} 8 {bytes}"));
        }
        let mut lab = Lab::new(machine, firmware);
        let (socket, file) = (lab.path("socket"), lab.path("state"));
        let uris = |command: &str| match by_socket {
            true => format!("unix:{}", socket.display()),
            false => format!("exec:{command}'{}'", file.display()),
        };
        let arrived = if by_socket {
            let (migration, arrived) = lab.receive(&uris(""));
            qemu.send(&uris(""));
            ended(&migration);
            arrived
        } else {
            // QEMU does not wait for what a command does last.
            qemu.send(&uris(&format!("cat >'{0}.part' && mv '{0}.part' ", file.display())));
            wait_for(&file, Path::exists);
            let (migration, arrived) = lab.receive(&uris("cat "));
            ended(&migration);
            arrived
        };
        let arrived = arrived.try_recv().expect("it has arrived");
        // Of QEMU's blocks those of its ACPI tables are nobody's here.
        let kept: Vec<_> = arrived.kept_blocks.iter().map(|(name, _)| name.as_str()).collect();
        assert!(kept.contains(&"/rom@etc/acpi/tables"), "{kept:?}");
        assert_eq!(kept.contains(&"pc.bios"), !firmware, "{kept:?}");
        for (address, bytes) in PATTERN {
            assert_eq!(lab.ask(&format!("read {address:#x} 8")), bytes, "{machine}");
        }
        let reset_vector = "read 0xfffffff0 16";
        if firmware {
            assert_eq!(lab.ask(reset_vector), qemu.ask(reset_vector), "{machine}");
        }

        // The guest's memory changes here, and goes back.
        lab.ask("write 0x200000 4 0x600df00d");
        let mut back = if by_socket {
            let uri = uris("");
            let sending = thread::scope(|scope| {
                let uri = &uri;
                let lab = &lab;
                let socket = &socket;
                scope.spawn(move || {
                    wait_for(socket, is_listened_at);
                    lab.send(uri);
                });
                Qemu::receive(machine, uri)
            });
            sending.unwrap_or_else(|refused| panic!("{machine}: {refused:?}"))
        } else {
            lab.send(&uris("cat >"));
            let state = std::fs::read(&file).expect("it was written");
            let loaded = Qemu::load(machine, &state, &[]);
            loaded.unwrap_or_else(|refused| panic!("{machine}: {refused:?}"))
        };
        // Older machines do not say what they did.
        let status = if version(machine) >= (2, 4) { "prelaunch" } else { "paused" };
        assert_eq!(back.status(), status, "{machine}");
        for (address, bytes) in PATTERN.into_iter().chain([(0x20_0000, "0x600df00d00000000")]) {
            assert_eq!(back.ask(&format!("read {address:#x} 8")), bytes, "{machine}");
        }
        assert_eq!(back.ask(reset_vector), qemu.ask(reset_vector), "{machine}");
        let parts = Part::ALL;
        let (back, qemu) = (Answers::of(&mut back, false), Answers::of(&mut qemu, false));
        let here = Answers::of(&mut Southbridge::of(lab.qtest.machine().clone()), false);
        here.check(&back, &parts, &format!("{machine}, Southbridge and QEMU behind it"));
        qemu.check(&back, &Part::saved_by(machine), &format!("{machine}, QEMU before and after"));
    }
}

/// QEMU finds a machine whose memory is not its own.
#[test]
fn qemu_refuses_a_machine_of_another_size() {
    let lab = Lab::new("pc-i440fx-7.2", true);
    let file = lab.path("state");
    lab.send(&format!("file:{}", file.display()));
    let state = std::fs::read(&file).expect("it was written");
    let refused = Qemu::load("pc-i440fx-7.2", &state, &["-m", "32"]).err();
    let refused = refused.expect("its RAM is larger");
    assert!(refused.said.contains("pc.ram"), "{refused:?}");
}
