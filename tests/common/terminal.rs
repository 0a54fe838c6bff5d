//! A person's terminal, on which a program runs.

#![allow(dead_code, reason = "each test uses a part")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal of 100 columns and 40 rows. The program ends with its owner.
pub(crate) struct Terminal {
    keyboard: File,
    terminal: OwnedFd,
    settings: String,
    child: Child,
    screen: Receiver<Vec<u8>>,
    /// What the program has sent to the terminal.
    pub(crate) said: String,
    /// How much of that was waited for.
    seen: usize,
}

impl Terminal {
    /// Starts a program there. What it says of errors goes to `errors`, or to the
    /// terminal.
    pub(crate) fn start(command: &Command, errors: Option<File>) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("there are terminals");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let terminal = ioctl_tiocgptpeer(&master, flags).expect("it is ours");
        let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("it is a terminal");
        let settings = settings(&terminal);
        let another = || Stdio::from(terminal.try_clone().expect("there are descriptors"));
        // As a shell does it: the terminal is the program's own.
        let mut started = Command::new("setsid");
        started.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => started.env(name, value),
                None => started.env_remove(name),
            };
        }
        started.env("TERM", "xterm").stdin(another()).stdout(another());
        started.stderr(errors.map_or_else(another, Stdio::from));
        let child = started.spawn().unwrap_or_else(|error| panic!("{started:?}: {error}"));
        let (sender, screen) = channel();
        let keyboard = File::from(master);
        let mut output = keyboard.try_clone().expect("there are descriptors");
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // At the end of the terminal there is an error.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keyboard, terminal, settings, child, screen, said: String::new(), seen: 0 }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is ours");
    }

    /// Waits until the program has sent a text that was not waited for yet.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.said[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            match self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.said += &String::from_utf8_lossy(&bytes),
                Err(_) => panic!("waited for {text:?} in vain: {:?}", self.said),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is ours");
    }

    /// Whether the settings of the terminal are those from before the program.
    pub(crate) fn is_restored(&self) -> bool {
        settings(&self.terminal) == self.settings
    }

    /// Waits for the program's end; its exit status, none if a signal ended it.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the process is ours") {
                break status;
            }
            assert!(Instant::now() < end, "the program does not end: {:?}", self.said);
            thread::sleep(Duration::from_millis(5));
        };
        // What it said last may still be on its way.
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(200)) {
            self.said += &String::from_utf8_lossy(&bytes);
        }
        status.code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(terminal: &OwnedFd) -> String {
    format!("{:?}", tcgetattr(terminal.as_fd()).expect("it is a terminal"))
}
