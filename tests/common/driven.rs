//! A guest without processors, whose QMP clients find at a socket.

#![allow(dead_code, reason = "each test uses a part")]

use std::convert::Infallible;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use southbridge::chardev::Connection;
use southbridge::control::ControlServer;
use southbridge::control::qmp::{Monitor, Qmp, Setup, Style};
use southbridge::control::qtest::Qtest;
use southbridge::guest::{Cause, Guest, Outcome, Policy, Processors, Start};
use southbridge::machine::{Backends, PowerListener};
use southbridge::vm::{Image, Rom};
use tempfile::TempDir;

use super::plan::{library, plan};
use super::qmp_peer::Peer;

/// A guest that is run.
pub(crate) struct Driven {
    pub(crate) guest: Arc<Guest>,
    pub(crate) qmp: Qmp,
    runner: Option<JoinHandle<Outcome>>,
}

/// A machine as the recorder ran it, which clients drive by qtest: its firmware is 64
/// KiB of zeros.
pub(crate) fn qtest(machine_type: &str, power: PowerListener) -> Arc<Qtest> {
    qtest_of(machine_type, "", power)
}

/// The same with `changes` as in a machine file.
pub(crate) fn qtest_of(machine_type: &str, changes: &str, power: PowerListener) -> Arc<Qtest> {
    qtest_with(machine_type, changes, &Backends::default(), power)
}

/// The same with something behind its devices.
pub(crate) fn qtest_with(
    machine_type: &str,
    changes: &str,
    backends: &Backends,
    power: PowerListener,
) -> Arc<Qtest> {
    let (plan, ram) = plan(machine_type, changes);
    let rom = Rom::new(Image::new("zeros", vec![0; 64 << 10])).expect("its size is right");
    let qtest = Qtest::build(&plan, &ram, Some(rom), backends, power);
    Arc::new(qtest.expect("the machine can be built"))
}

impl Driven {
    /// A machine as the recorder ran it, with qtest in its processors' place.
    pub(crate) fn new(machine_type: &str) -> Self {
        Self::with(machine_type, |_| {})
    }

    /// One whose QMP is set up differently.
    pub(crate) fn with(machine_type: &str, change: impl FnOnce(&mut Setup)) -> Self {
        Self::of(|power| qtest(machine_type, power), change)
    }

    /// A guest with other processors. It stays when it switches itself off.
    pub(crate) fn of<P: Processors + 'static>(
        build: impl FnOnce(PowerListener) -> P,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        Self::starting(Start::Running, build, change)
    }

    /// One that may wait to be let run.
    pub(crate) fn starting<P: Processors + 'static>(
        start: Start,
        build: impl FnOnce(PowerListener) -> P,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let policy = Policy { start, stays_when_off: true, ..Policy::default() };
        let built = Guest::with(policy, |post| Ok::<_, Infallible>(build(post.power(None))));
        let Ok((guest, inbox)) = built;
        let mut setup = Setup::new(guest.clone(), library());
        change(&mut setup);
        let qmp = Qmp::new(setup);
        let running = guest.clone();
        let runner = Some(std::thread::spawn(move || running.run(inbox)));
        // Its first event is told before anybody listens.
        guest.settle();
        Self { guest, qmp, runner }
    }

    /// A client that has negotiated nothing.
    pub(crate) fn peer(&self) -> Peer {
        let (client, server) = UnixStream::pair().expect("there are descriptors");
        let monitor = self.qmp.monitor(Style::Line);
        std::thread::spawn(move || serve(&monitor, server));
        let mut peer = Peer::new(client);
        peer.receive();
        peer.execute("qmp_capabilities");
        peer
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
pub(crate) fn serve(monitor: &Monitor, stream: UnixStream) {
    let connection = Connection::of_stream("test", stream).expect("there are descriptors");
    let (reader, output) = connection.split();
    monitor.serve(reader, output.clone()).expect("it is a socket");
    output.finish();
}
