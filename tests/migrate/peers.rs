//! Migrations to and from what URIs say, and their status.

use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use southbridge::migrate::{Arrived, Arriving, Cancel, Failure, Leaving, Migration, RunStateName};
use southbridge::migrate::{Status, Uri};
use tempfile::TempDir;

use super::whole::Whole;

const NAME: &str = "pc-i440fx-7.2";

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn whole() -> Whole {
    Whole::new(NAME, 0)
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

/// A migration, and what was heard of it.
struct Running {
    migration: Migration,
    heard: Arc<Mutex<Vec<String>>>,
    ended: Option<Receiver<Result<Arrived, Failure>>>,
}

impl Running {
    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn end(&self) -> Status {
        let status = self.migration.wait(PATIENCE);
        assert!(status.is_final(), "it does not end: {status:?}");
        status
    }

    fn fails(&self) -> String {
        assert_eq!(self.end(), Status::Failed);
        let error = self.migration.info().error_desc.unwrap();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    fn until(&self, status: Status) {
        let deadline = Instant::now() + PATIENCE;
        while self.migration.status() != status {
            assert!(Instant::now() < deadline, "{:?}", self.heard());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Sends a machine to a URI; `fd` is the descriptor called `peer`.
fn send(whole: &Whole, to: &str, fd: Option<OwnedFd>) -> Running {
    let (mut fd, cancel) = (fd, Cancel::new().unwrap());
    let target = uri(to).target(&mut |name| fd.take().filter(|_| name == "peer"), &cancel).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let say = |what: &'static str| {
        let heard = heard.clone();
        move || heard.lock().unwrap().push(what.to_owned())
    };
    let (stopped, go_on, statuses) = (say("stop"), say("go on"), heard.clone());
    let leaving = Leaving {
        stop: Box::new(move || {
            stopped();
            Ok(RunStateName::RUNNING.into())
        }),
        go_on: Box::new(go_on),
        changed: Box::new(move |status| statuses.lock().unwrap().push(status.name().to_owned())),
    };
    let migration =
        Migration::send(target, whole.machine.clone(), whole.blocks.clone(), leaving).unwrap();
    Running { migration, heard, ended: None }
}

fn receive(whole: &Whole, from: &str, fd: Option<OwnedFd>) -> (Running, Option<u16>) {
    let (mut fd, cancel) = (fd, Cancel::new().unwrap());
    let origin = uri(from).origin(&mut |name| fd.take().filter(|_| name == "peer"), &cancel);
    let origin = origin.unwrap_or_else(|error| panic!("{error}"));
    let port = origin.tcp_address().map(|address| address.port());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let statuses = heard.clone();
    let (sender, ended) = channel();
    let arriving = Arriving {
        processors: None,
        ended: Box::new(move |result| drop(sender.send(result))),
        changed: Box::new(move |status| statuses.lock().unwrap().push(status.name().to_owned())),
    };
    let migration =
        Migration::receive(origin, whole.machine.clone(), whole.blocks.clone(), arriving).unwrap();
    (Running { migration, heard, ended: Some(ended) }, port)
}

/// Checks that a machine went from one to the other.
fn arrived(here: &Whole, there: &Whole, sending: &Running, receiving: &Running) {
    let error = || (sending.migration.info().error_desc, receiving.migration.info().error_desc);
    assert_eq!(
        (sending.end(), receiving.end()),
        (Status::Completed, Status::Completed),
        "{:?}",
        error()
    );
    assert_eq!(sending.heard(), ["setup", "stop", "active", "completed"]);
    assert_eq!(receiving.heard(), ["setup", "active", "completed"]);
    let arrived = receiving.ended.as_ref().unwrap().try_recv().unwrap().unwrap();
    assert_eq!(arrived.run_state, Some(RunStateName::RUNNING));
    assert!(there.content() == here.content());
    assert_eq!(there.apms(), 0x5a);
}

#[test]
fn by_sockets() {
    let files = Files::new();
    let here = whole();
    here.use_it();
    let there = whole();
    let at = format!("unix:{}", files.text("socket"));
    let (receiving, _) = receive(&there, &at, None);
    arrived(&here, &there, &send(&here, &at, None), &receiving);
    assert!(!files.path("socket").exists());

    for host in ["127.0.0.1", "localhost", ""] {
        let there = whole();
        let (receiving, port) = receive(&there, &format!("tcp:{host}:0"), None);
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        let sending = send(&here, &format!("tcp:{host}:{}", port.unwrap()), None);
        arrived(&here, &there, &sending, &receiving);
    }

    let there = whole();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (receiving, _) = receive(&there, "fd:peer", Some(theirs.into()));
    arrived(&here, &there, &send(&here, "fd:peer", Some(ours.into())), &receiving);
}

#[test]
fn by_files_and_commands() {
    let files = Files::new();
    let here = whole();
    here.use_it();
    let (file, pipe) = (files.text("state"), files.text("piped"));
    fs::write(&file, "a header, and what was behind it").unwrap();
    for (to, from) in [
        (format!("exec:cat >'{pipe}'"), format!("exec:cat '{pipe}'")),
        (format!("file:{file},offset=8"), format!("file:{file},offset=8")),
        (format!("file:{file}"), format!("exec:cat '{file}'; echo and more")),
        (format!("exec:gzip -1 >'{pipe}'"), format!("exec:gzip -dc <'{pipe}'")),
    ] {
        let there = whole();
        let sending = send(&here, &to, None);
        assert_eq!(sending.end(), Status::Completed, "{to}");
        let (receiving, _) = receive(&there, &from, None);
        arrived(&here, &there, &sending, &receiving);
        if to.ends_with("offset=8") {
            assert!(fs::read(&file).unwrap().starts_with(b"a headerQEVM"));
        }
    }
    let there = whole();
    let state = fs::File::open(&file).unwrap();
    let (receiving, _) = receive(&there, "fd:peer", Some(state.into()));
    assert_eq!(receiving.end(), Status::Completed);
    assert!(there.content() == here.content());
}

#[test]
fn numbers_as_query_migrate_says_them() {
    let here = whole();
    here.use_it();
    let sending = send(&here, "exec:cat >/dev/null", None);
    assert_eq!(sending.end(), Status::Completed);
    let info = serde_json::to_value(sending.migration.info()).unwrap();
    let size = here.save(RunStateName::RUNNING).len() as u64;
    assert_eq!(info["status"], "completed");
    assert_eq!(info["ram"]["transferred"], size);
    assert_eq!(info["ram"]["remaining"], 0);
    let (normal, duplicate) = (&info["ram"]["normal"], &info["ram"]["duplicate"]);
    let pages = normal.as_u64().unwrap() + duplicate.as_u64().unwrap();
    assert_eq!(info["ram"]["total"], pages << 12);
    assert_eq!(info["ram"]["normal-bytes"], normal.as_u64().unwrap() << 12);
    assert_eq!(info["ram"]["page-size"], 4096);
    for member in ["total-time", "downtime", "setup-time"] {
        assert!(info[member].is_u64(), "{member}: {info}");
    }
    assert!(info.get("error-desc").is_none() && info.get("expected-downtime").is_none());
    // Nothing comes of it any more.
    sending.migration.cancel();
    assert_eq!(sending.migration.status(), Status::Completed);
}

#[test]
fn what_a_command_says_of_itself_counts() {
    let here = whole();
    let sending = send(&here, "exec:cat >/dev/null; exit 3", None);
    assert!(sending.fails().contains("the command ended with exit status 3"));
    assert_eq!(sending.heard(), ["setup", "stop", "active", "failed", "go on"]);
    // It ends before all is written.
    here.use_it();
    let sending = send(&here, "exec:exit 4", None);
    assert!(sending.fails().contains("the command ended with exit status 4"));
    let sending = send(&here, "exec:kill -9 $$", None);
    assert!(sending.fails().contains("the command was ended by signal 9"));

    let files = Files::new();
    fs::write(files.path("state"), here.save(RunStateName::PAUSED)).unwrap();
    let there = whole();
    let before = there.machine.save_stream().unwrap();
    let (receiving, _) =
        receive(&there, &format!("exec:cat '{}'; exit 5", files.text("state")), None);
    assert!(receiving.fails().contains("the command ended with exit status 5"));
    let failure = receiving.ended.as_ref().unwrap().try_recv().unwrap().unwrap_err();
    assert!(failure.memory_is_spoilt);
    assert_eq!(there.machine.save_stream().unwrap(), before);
    assert_eq!(receiving.heard(), ["setup", "active", "failed"]);
}

#[test]
fn what_cannot_be_opened_is_said_at_once() {
    let files = Files::new();
    let cancel = Cancel::new().unwrap();
    fs::write(files.path("file"), "").unwrap();
    let _listener = UnixListener::bind(files.path("used")).unwrap();
    for from in [
        "fd:none".to_owned(),
        format!("file:{}", files.text("absent")),
        format!("unix:{}", files.text("file")),
        format!("unix:{}", files.text("used")),
        format!("unix:/{}", "x".repeat(200)),
        "tcp:256.256.256.256:1".to_owned(),
    ] {
        let error = uri(&from).origin(&mut |_| None, &cancel).err().expect(&from).to_string();
        assert!(error.starts_with(&from) && !error.contains('\n'), "{error}");
    }
    for to in ["fd:none".to_owned(), format!("file:{}/a/b", files.text("absent"))] {
        assert!(uri(&to).target(&mut |_| None, &cancel).is_err(), "{to}");
    }
    // The socket of a process that has ended is in nobody's way.
    drop(UnixListener::bind(files.path("left")).unwrap());
    assert!(uri(&format!("unix:{}", files.text("left"))).origin(&mut |_| None, &cancel).is_ok());
    assert!(!files.path("left").exists());
}

#[test]
fn a_peer_that_is_not_there() {
    let files = Files::new();
    let here = whole();
    for to in [format!("unix:{}", files.text("absent")), "tcp:127.0.0.1:1".to_owned()] {
        let sending = send(&here, &to, None);
        assert!(sending.fails().starts_with(&to));
        // The machine was not stopped for that.
        assert_eq!(sending.heard(), ["setup", "failed"]);
    }
}

#[test]
fn a_peer_that_goes_away() {
    let here = whole();
    here.use_it();
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let sending = send(&here, "fd:peer", Some(ours.into()));
    assert!(sending.fails().starts_with("cannot write: "));
    assert_eq!(sending.heard(), ["setup", "stop", "active", "failed", "go on"]);

    let bytes = here.save(RunStateName::PAUSED);
    let there = whole();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let (receiving, _) = receive(&there, "fd:peer", Some(ours.into()));
    theirs.write_all(&bytes[..bytes.len() / 2]).unwrap();
    drop(theirs);
    assert!(receiving.fails().contains("the data ends inside the memory section"));
}

/// A peer that does nothing is waited for until it is cancelled, in whatever state.
#[test]
fn waiting_can_be_cancelled() {
    let files = Files::new();
    let here = whole();
    here.use_it();
    // A receiver that does not read.
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let sending = send(&here, "fd:peer", Some(ours.into()));
    sending.until(Status::Active);
    std::thread::sleep(Duration::from_millis(20));
    sending.migration.cancel();
    assert_eq!(sending.end(), Status::Cancelled);
    assert_eq!(sending.heard(), ["setup", "stop", "active", "cancelling", "cancelled", "go on"]);
    assert_eq!(
        serde_json::to_string(&sending.migration.info()).unwrap(),
        r#"{"status":"cancelled"}"#
    );

    // A command that neither reads nor ends, and has started another.
    let sending = send(&here, "exec:(sleep 1000; sleep 1000) | cat; sleep 1000", None);
    sending.until(Status::Active);
    sending.migration.cancel();
    assert_eq!(sending.end(), Status::Cancelled);

    // Nobody connects; nothing comes.
    let there = whole();
    let (receiving, _) = receive(&there, &format!("unix:{}", files.text("socket")), None);
    receiving.migration.cancel();
    assert_eq!(receiving.end(), Status::Cancelled);
    assert!(!files.path("socket").exists());
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let (receiving, _) = receive(&there, "fd:peer", Some(ours.into()));
    receiving.until(Status::Active);
    receiving.migration.cancel();
    assert_eq!(receiving.end(), Status::Cancelled);
    let failure = receiving.ended.as_ref().unwrap().try_recv().unwrap().unwrap_err();
    assert!(!failure.memory_is_spoilt);
    // The devices are still in order.
    assert_eq!(
        there.load(&here.save(RunStateName::PAUSED)).unwrap().run_state,
        Some(RunStateName::PAUSED)
    );
}

#[test]
fn commands_leave_no_process_behind() {
    let children = || {
        let path = format!("/proc/self/task/{}/children", std::process::id());
        fs::read_to_string(path).unwrap_or_default()
    };
    let files = Files::new();
    let pid = files.text("pid");
    let cancel = Cancel::new().unwrap();
    // Nobody reads or writes; the command does not care for SIGTERM.
    let uri = uri(&format!("exec:trap '' TERM; echo $$ >'{pid}'; sleep 1000 & wait; wait"));
    let target = uri.target(&mut |_| None, &cancel).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let number = loop {
        match fs::read_to_string(&pid) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => assert!(Instant::now() < deadline, "it does not start"),
        }
    };
    assert!(fs::exists(format!("/proc/{number}")).unwrap());
    drop(target);
    assert!(!fs::exists(format!("/proc/{number}")).unwrap(), "{}", children());
}

#[test]
fn a_machine_that_cannot_be_stopped_stays() {
    let files = Files::new();
    let here = whole();
    let cancel = Cancel::new().unwrap();
    let to = uri(&format!("file:{}", files.text("state")));
    let target = to.target(&mut |_| None, &cancel).unwrap();
    let leaving = Leaving {
        stop: Box::new(|| Err("the processors have run".to_owned())),
        go_on: Box::new(|| panic!("it was not stopped")),
        changed: Box::new(|_| {}),
    };
    let migration =
        Migration::send(target, here.machine.clone(), here.blocks.clone(), leaving).unwrap();
    assert_eq!(migration.wait(PATIENCE), Status::Failed);
    assert_eq!(migration.info().error_desc.as_deref(), Some("the processors have run"));
    assert!(fs::read(files.path("state")).unwrap().is_empty());
}
