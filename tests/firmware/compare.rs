//! A machine that both programs run, whose guest must not see which.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::normal;
use super::run::{Ended, Program, Run, Started};

/// How long a run may take. Some machines have a KVM that emulates firmware
/// instruction by instruction, for which GRUB is 20 seconds of work.
const PATIENCE: Duration = Duration::from_secs(180);

/// Held by the test whose machine runs.
static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test's machine runs.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both programs' arguments. There is no system management mode: Southbridge has
/// none.
const ARGUMENTS: &str = "-accel kvm -machine pc-i440fx-7.2,smm=off -m 64 -nodefaults \
    -no-user-config -display none -bios /usr/share/seabios/bios-256k.bin \
    -chardev file,path=log,id=log -device isa-debugcon,iobase=0x402,chardev=log \
    -serial file:serial -qmp unix:monitor,server=on,wait=off";

/// What both programs are started with.
pub(crate) struct Machine {
    arguments: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl Machine {
    /// A machine without drives.
    pub(crate) fn new() -> Self {
        let arguments = ARGUMENTS.split_ascii_whitespace().map(str::to_owned).collect();
        Self { arguments, files: Vec::new() }
    }

    /// Adds arguments. Files are in the current directory.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Adds a file.
    pub(crate) fn file(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.files.push((name.to_owned(), bytes));
        self
    }

    /// Adds an IDE disk.
    pub(crate) fn disk(self, bytes: Vec<u8>) -> Self {
        let name = format!("disk{}", self.files.len());
        let drive = format!("file={name},format=raw,if=ide");
        self.file(&name, bytes).with(&["-drive", &drive])
    }

    /// Has a program run it, with further arguments.
    pub(crate) fn start(&self, program: Program, further: &[&str]) -> Started {
        let further = further.iter().map(|&argument| argument.to_owned());
        let arguments: Vec<_> = self.arguments.iter().cloned().chain(further).collect();
        Run { program, arguments: &arguments, files: &self.files, timeout: PATIENCE }.start()
    }

    /// Has both programs run it, one beside the other, each driven by `drive`,
    /// and checks that they end alike. What came of ours.
    pub(crate) fn runs_alike(self, drive: impl Fn(&mut Started) + Sync) -> Ended {
        // Two at once are enough for a small host: guests' clocks go on while they wait.
        let _turn = turn();
        let run = |program| {
            // QEMU's option ROM, which speeds up guests of another kind, would move what
            // comes after it.
            let plain: &[&str] = match program {
                Program::Qemu => &["-global", "apic-common.vapic=off"],
                Program::Southbridge => &[],
            };
            let mut started = self.start(program, plain);
            drive(&mut started);
            started.end()
        };
        let (ours, theirs) = thread::scope(|scope| {
            let theirs = scope.spawn(|| run(Program::Qemu));
            let ours = run(Program::Southbridge);
            (ours, theirs.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let ends = (ours.code, theirs.code);
        assert_eq!(ends, (Some(0), Some(0)), "how they end: {ours}\n{theirs}");
        let difference = |what, ours_said, theirs_said| {
            if let Some(difference) = first_difference(ours_said, theirs_said) {
                panic!("{what}: {difference}\n{ours}\n{theirs}");
            }
        };
        difference("debug console", normal::log(&ours.log), normal::log(&theirs.log));
        difference("serial port", normal::serial(&ours.serial), normal::serial(&theirs.serial));
        ours
    }
}

/// The first line that differs.
fn first_difference(ours: Vec<String>, theirs: Vec<String>) -> Option<String> {
    let lines = ours.len().max(theirs.len());
    let at = (0..lines).find(|&at| ours.get(at) != theirs.get(at))?;
    Some(format!("line {}: ours {:?}, QEMU's {:?}", at + 1, ours.get(at), theirs.get(at)))
}
