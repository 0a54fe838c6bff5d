//! What the program does with itself: files, signals, the background.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::process::{Files, Process, command};
use crate::common::qmp_peer::Peer;

/// A machine that needs no KVM and has a monitor.
fn machine(files: &Files) -> Vec<String> {
    let monitor = format!("unix:{},server=on,wait=off", files.text("qmp"));
    ["-machine", "pc", "-accel", "qtest", "-m", "16", "-nodefaults", "-qmp", &monitor]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn quit_is_answered_and_ends_the_process() {
    let files = Files::new();
    let mut process = Process::start(command().args(machine(&files)));
    let mut peer = process.monitor(&files.path("qmp"));
    peer.send(b"{\"execute\": \"quit\", \"id\": 1}");
    let (events, answer) = peer.answer();
    assert_eq!((events, &answer["id"]), (vec!["SHUTDOWN".to_owned()], &1.into()));
    assert!(peer.is_closed());
    assert_eq!(process.end(), (Some(0), String::new()));
    assert!(!files.path("qmp").exists());
}

#[test]
fn options_are_not_the_programs_own() {
    let started = |arguments: &[&str]| {
        let mut process = Process::start(command().args(arguments));
        process.end()
    };
    assert_eq!(started(&["-machine", "help"]).0, Some(0));
    assert_eq!(started(&["-version"]).0, Some(0));
    let (status, said) = started(&["-machine", "foo"]);
    assert_eq!(status, Some(1));
    assert!(
        said.starts_with("southbridge: ") && said.contains("unsupported machine type"),
        "{said}"
    );
    let (status, said) = started(&["-M", "pc", "-nonsense"]);
    assert_eq!((status, said.as_str()), (Some(1), "southbridge: -nonsense: invalid option\n"));
}

#[test]
fn a_machine_on_no_terminal_goes_on_in_the_background() {
    let files = Files::new();
    let pidfile = files.path("pid");
    let arguments = machine(&files);
    let mut process =
        Process::start(command().args(&arguments).arg("-daemonize").arg("-pidfile").arg(&pidfile));
    let front = process.id();
    assert_eq!(process.end(), (Some(0), String::new()));
    // By now it is there.
    let pid = fs::read_to_string(&pidfile).expect("the file is there");
    let number: i32 = pid.trim().parse().expect("it is a number");
    assert_ne!(number.unsigned_abs(), front);
    let pid = Pid::from_raw(number).expect("it is a process");
    let mut peer = Peer::negotiated(&files.path("qmp"));
    assert_eq!(peer.execute("query-status")["status"], "running");

    // Nobody else gets the file.
    let other = Files::new();
    let mut second = Process::start(command().args(machine(&other)).arg("-pidfile").arg(&pidfile));
    let (status, said) = second.end();
    assert_eq!(status, Some(1));
    assert!(said.starts_with("southbridge: cannot create PID file: "), "{said}");

    kill_process(pid, Signal::TERM).expect("the process is ours");
    let deadline = Instant::now() + Duration::from_secs(60);
    while test_kill_process(pid).is_ok() && pidfile.exists() {
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(!files.path("qmp").exists());
}

#[test]
fn what_goes_wrong_in_the_background_is_said() {
    let files = Files::new();
    let mut process = Process::start(command().args(machine(&files)).args([
        "-daemonize",
        "-bios",
        "/no/such/file",
    ]));
    let (status, said) = process.end();
    assert_eq!(status, Some(1));
    assert!(said.contains("/no/such/file"), "{said}");
}

#[test]
fn resets_and_power_off_do_what_the_line_says() {
    for (option, ends) in [("-no-reboot", true), ("-S", false)] {
        let files = Files::new();
        let qtest = format!("unix:{},server=on,wait=off", files.text("qtest"));
        let mut arguments = machine(&files);
        arguments.extend([option, "-qtest", &qtest, "-qtest-log", "/dev/null"].map(str::to_owned));
        let mut process = Process::start(command().args(&arguments));
        let mut peer = process.monitor(&files.path("qmp"));
        let status = peer.execute("query-status");
        assert_eq!(status["status"], if ends { "running" } else { "prelaunch" });
        let mut client =
            std::os::unix::net::UnixStream::connect(files.path("qtest")).expect("is there");
        std::io::Write::write_all(&mut client, b"outb 0xcf9 6\n").expect("the machine receives");
        let event = peer.receive();
        if ends {
            assert_eq!(
                (&event["event"], &event["data"]["reason"]),
                (&"SHUTDOWN".into(), &"guest-reset".into())
            );
            assert_eq!(process.end().0, Some(0));
        } else {
            assert_eq!(
                (&event["event"], &event["data"]["reason"]),
                (&"RESET".into(), &"guest-reset".into())
            );
        }
    }
}
