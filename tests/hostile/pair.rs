//! QEMU and this program's machine, given the same.

use storage::Policy;

use super::board::Board;
use super::disk::{SECTORS, numbered};
use super::floppy;
use super::machine::{Life, Machine};
use super::program::{Files, Program};

/// Both machines, with a disk and a floppy disk.
pub(crate) struct Pair {
    files: Files,
    qemu: Machine,
    ours: Machine,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (disk, floppy) = (numbered(SECTORS), floppy::numbered());
        let files = Files::new();
        files.write("disk", &disk);
        files.write("floppy", &floppy);
        let arguments = ["-drive", "file=disk,format=raw,if=ide"];
        let floppies = ["-drive", "file=floppy,format=raw,if=floppy"];
        let all = [arguments, floppies].concat();
        let qemu = Machine::start(Program::Qemu, &files, &all);
        let ours = Board::machine(disk, floppy, Policy::default());
        let mut pair = Self { files, qemu, ours };
        pair.alike("the start", |machine| {
            machine.enable_bus_master();
            machine.probe_disk()
        });
        pair
    }

    /// Does the same to both, and checks that both say the same, go on, and that the
    /// state they are in can be saved.
    pub(crate) fn alike(&mut self, what: &str, act: impl Fn(&mut Machine) -> Vec<String>) {
        let expected = act(&mut self.qemu);
        let found = act(&mut self.ours);
        let differences = || {
            let pairs = expected.iter().zip(&found).enumerate();
            let differ = pairs.filter(|(_, (expected, found))| expected != found);
            let lines = differ.map(|(number, (expected, found))| {
                format!("  {number}: QEMU says {expected}, Southbridge {found}\n")
            });
            lines.collect::<String>()
        };
        assert!(expected == found, "{what}:\n{}", differences());
        let board = self.board();
        board.check_health(what);
        board.check_state(what);
        for machine in [&mut self.qemu, &mut self.ours] {
            let (events, status) = machine.events_until("query-status");
            assert_eq!((events, &status["status"]), (vec![], &"running".into()), "{what}");
        }
    }

    /// Checks that the same is on both disks.
    pub(crate) fn check_disks(&mut self, what: &str) {
        let (qemu, ours) = (self.files.read("disk"), self.board().disk.now());
        let first = qemu.iter().zip(&ours).position(|(qemu, ours)| qemu != ours);
        assert_eq!((first, qemu.len()), (None, ours.len()), "{what}: the disks differ there");
    }

    fn board(&self) -> &Board {
        match &self.ours.life {
            Life::Board(board) => board,
            Life::Process(_) => panic!("it is in this process"),
        }
    }
}
