//! What a person sees of a running guest: its screen, and what its devices do.

use rustix::process::Signal;

use super::program::{Files, Running, fail, no_kvm, run, succeed};

/// A guest that writes to a port for ever, with a screen and a control socket.
fn busy(files: &Files) -> Running {
    // out %al, $0x80; in $0x64, %al; jmp back: in 16 bits or 32.
    let kernel = files.write("busy.bin", [0xe6, 0x80, 0xe4, 0x64, 0xeb, 0xfa]);
    let socket = files.text("socket");
    let arguments = ["run", "--kernel", &kernel, "--format", "flat", "--control", &socket];
    let arguments = [&arguments[..], &["--machine", "pc-i440fx-7.2", "--device", "VGA"]].concat();
    let mut guest = Running::start(&arguments);
    guest.wait_until("the socket", || files.path("socket").exists());
    guest
}

#[test]
fn a_screen_is_saved_and_devices_are_watched() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = busy(&files);
    let socket = files.text("socket");
    let screenshot = |what: &str| ["screenshot", "--control", &socket, what].map(str::to_owned);

    for (name, begins) in [("a.png", &b"\x89PNG\r\n\x1a\n"[..]), ("a.ppm", b"P6\n")] {
        assert_eq!(succeed(&screenshot(&files.text(name))), "");
        assert!(std::fs::read(files.path(name)).unwrap().starts_with(begins), "{name}");
    }
    let bmp = files.text("a.bmp");
    assert_eq!(
        fail(&screenshot(&bmp)),
        format!("{bmp}: a name that ends in .png or .ppm expected")
    );
    let refused = fail(&screenshot("/nonexistent/a.png"));
    assert_eq!(refused, "failed to open file '/nonexistent/a.png': No such file or directory");
    assert!(fail(&screenshot("--text")).contains("is in a graphics mode"));

    let table = succeed(&["top", "--control", &socket, "--once", "--interval", "0.3"]);
    let heading = table.lines().next().unwrap();
    assert_eq!(
        heading.split_whitespace().collect::<Vec<_>>().join(" "),
        "SLOT DEVICE READS/s WRITES/s CALLS/s TIME PER CALL FAULTS STATE"
    );
    let row = table.lines().find(|line| line.starts_with("i8042 ")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert!(cells[3].parse::<f64>().unwrap() > 0.0, "{row}");
    assert!(cells[6].parse::<f64>().unwrap() > 0.0 && cells[7] == "%", "{row}");
    assert!(row.ends_with("in service"), "{row}");
    // Where the output is no terminal --once goes without saying.
    let other = succeed(&["top", "--control", &socket, "--interval", "0.1"]);
    assert_eq!(other.lines().count(), table.lines().count());
    // What was not timed before is not timed any more.
    let listed = succeed(&["swap", "--control", &socket, "--list", "--json"]);
    assert!(!listed.contains("time-ns"), "{listed}");

    guest.signal(Signal::TERM);
    assert_eq!(guest.end().0, Some(143));
}

#[test]
fn what_cannot_be_watched_is_said() {
    for command in [&["top"][..], &["screenshot", "a.png"]] {
        let arguments = [command, &["--control", "/nonexistent/socket"]].concat();
        let line = fail(&arguments);
        assert!(line.starts_with("/nonexistent/socket: no control socket there"), "{line}");
    }
    for (arguments, what) in [
        (&["top", "--control", "x", "--interval", "0"][..], "0.1 to 3600"),
        (&["top", "--control", "x", "--interval", "a"], "0.1 to 3600"),
        (&["screenshot", "--control", "x"], "required"),
        (&["screenshot", "--control", "x", "--text", "a.png"], "cannot be used with"),
    ] {
        let ended = run(arguments);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.contains(what), "{}", ended.stderr);
    }
}
