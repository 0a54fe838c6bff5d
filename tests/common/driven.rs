//! A guest without processors, whose QMP clients find at a socket.

#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use southbridge::control::ControlServer;
use southbridge::control::qmp::{Monitor, Qmp, Setup, SocketInput, SocketOutput, Style};
use southbridge::control::qtest::{Error, Qtest};
use southbridge::guest::{Cause, Guest, Outcome, Policy};
use southbridge::vm::{Image, Rom};
use tempfile::TempDir;

use super::plan::{library, plan};

/// A guest that is run, with qtest in its processors' place.
pub(crate) struct Driven {
    pub(crate) guest: Arc<Guest>,
    pub(crate) qtest: Arc<Qtest>,
    pub(crate) qmp: Qmp,
    runner: Option<JoinHandle<Outcome>>,
}

impl Driven {
    /// A machine as the recorder ran it: it stays when it switches itself off, and
    /// its firmware is 64 KiB of zeros.
    pub(crate) fn new(machine_type: &str) -> Self {
        Self::with(machine_type, |_| {})
    }

    /// One whose QMP is set up differently.
    pub(crate) fn with(machine_type: &str, change: impl FnOnce(&mut Setup)) -> Self {
        Self::build(machine_type, "", change)
    }

    /// One with other devices: `changes` are those of a machine file.
    pub(crate) fn changed(machine_type: &str, changes: &str) -> Self {
        Self::build(machine_type, changes, |_| {})
    }

    fn build(machine_type: &str, changes: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let (plan, ram) = plan(machine_type, changes);
        let rom = Rom::new(Image::new("zeros", vec![0; 64 << 10])).expect("its size is right");
        let policy = Policy { stays_when_off: true, ..Policy::default() };
        let mut built = None;
        let (guest, inbox) = Guest::with(policy, |post| {
            let qtest = Qtest::build(&plan, &ram, Some(rom), &BTreeMap::new(), post.power())?;
            let qtest = Arc::new(qtest);
            built = Some(qtest.clone());
            Ok::<_, Error>(qtest)
        })
        .expect("the machine can be built");
        let mut setup = Setup::new(guest.clone(), library());
        change(&mut setup);
        let qmp = Qmp::new(setup);
        let running = guest.clone();
        let runner = std::thread::spawn(move || running.run(inbox));
        // Its first event is told before anybody listens.
        guest.settle();
        Self { guest, qtest: built.expect("it was built"), qmp, runner: Some(runner) }
    }

    /// Serves QMP at a socket.
    pub(crate) fn listen(&self) -> Listening {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let path = directory.path().join("qmp");
        let server = ControlServer::start(&path, &self.qmp).expect("the socket is free");
        Listening { server, path, directory }
    }

    /// How the guest ended. Waits for that.
    pub(crate) fn outcome(&mut self) -> Outcome {
        let runner = self.runner.take().expect("it is asked once");
        runner.join().expect("the guest does not panic")
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.guest.quit(Cause::Quit);
        if let Some(runner) = self.runner.take() {
            let _ = runner.join();
        }
    }
}

/// A control socket.
pub(crate) struct Listening {
    pub(crate) server: ControlServer,
    pub(crate) path: PathBuf,
    pub(crate) directory: TempDir,
}

/// Serves one client of a monitor at the other end of a socket.
pub(crate) fn serve(monitor: &Monitor, stream: std::os::unix::net::UnixStream) {
    let output = SocketOutput::new(stream.try_clone().expect("there are descriptors"));
    monitor.serve(SocketInput::new(stream), output.clone()).expect("it is a socket");
    output.finish();
}

/// As most clients want it.
pub(crate) const STYLE: Style = Style::Line;
