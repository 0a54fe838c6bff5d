//! The command lines that libxl gave to QEMU 7.2.

use std::ffi::OsString;
use std::time::Duration;

use super::super::{
    Accelerator, DrivePlace, Incoming, Interface, Invocation, Parsed, ShutdownAction, is_qemu,
    parse,
};
use super::LIBRARY;
use crate::chardev::{Backend, Config, Role, SocketAddress, SocketConfig};
use crate::machine::Plan;
use crate::machine::file::{Parameters, Setting, Value};

const CREATE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/qemu-command-lines/libxl-create.argv"
));
const WITHOUT_PLATFORM: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/qemu-command-lines/libxl-create-without-platform.argv"
));
const RESTORE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/qemu-command-lines/libxl-restore.argv"
));
const FULL: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/qemu-command-lines/libxl-create-full.argv"
));

/// The line, and more arguments behind it, as a wrapper appends them.
#[track_caller]
fn start(recorded: &str, more: &[&str]) -> Invocation {
    let mut lines = recorded.lines();
    let argv0 = lines.next().expect("the program");
    let arguments: Vec<OsString> = lines.chain(more.iter().copied()).map(OsString::from).collect();
    assert!(is_qemu(argv0, &arguments) && is_qemu("southbridge", &arguments));
    match parse(argv0, &arguments) {
        Ok(Parsed::Start(invocation)) => *invocation,
        Ok(Parsed::Text(text)) => panic!("{text}"),
        Err(error) => panic!("{error}"),
    }
}

fn server(id: &str, path: &str) -> Config {
    Config {
        id: id.into(),
        backend: Backend::Socket(SocketConfig {
            address: SocketAddress::Unix(path.into()),
            role: Role::Server { wait: false },
        }),
    }
}

/// The machine as it would be planned, with the components there are.
fn planned(invocation: &Invocation) -> Vec<String> {
    let machine = invocation.equip(&LIBRARY).expect("all fits");
    let parameters = Parameters::new(invocation.cpus, invocation.memory);
    Plan::new(&machine, &[], &LIBRARY, parameters).expect("a plan");
    machine.devices.iter().map(|device| device.id.clone()).collect()
}

#[test]
fn a_guest_is_created() {
    let invocation = start(CREATE, &[]);
    assert_eq!(invocation.machine.name, "xenfv-3.1");
    assert!(invocation.machine.migration.suppress_vmdesc);
    assert_eq!(invocation.accelerators, [Accelerator::Kvm]);
    assert_eq!(invocation.memory, 48 << 20);
    assert_eq!(invocation.cpus, 1);
    assert_eq!(invocation.name.as_deref(), Some("g1"));
    assert_eq!(invocation.actions.shutdown, ShutdownAction::Pause);
    assert_eq!(
        invocation.chardevs,
        [
            server("libxl-cmd", "/var/run/xen/qmp-libxl-1"),
            server("libxenstat-cmd", "/var/run/xen/qmp-libxenstat-1"),
            Config {
                id: "serial0".into(),
                backend: Backend::File {
                    path: "/path/to/x72-fv.serial".into(),
                    append: false,
                    input: None
                }
            },
        ]
    );
    let monitors: Vec<_> =
        invocation.monitors.iter().map(|monitor| monitor.chardev.as_str()).collect();
    assert_eq!(monitors, ["libxl-cmd", "libxenstat-cmd"]);
    let streams: Vec<_> = invocation.streams.iter().collect();
    assert_eq!(streams, [(&"serial0".to_owned(), &"serial0".to_owned())]);
    let rtc = invocation.machine.device("rtc").expect("a clock");
    let order = rtc.properties.get("boot-order").map(|order| &order.value);
    assert_eq!(order, Some(&Setting::Fixed(Value::Text("cda".into()))));
    let devices = invocation.devices.iter().map(|device| device.driver.as_str());
    assert_eq!(devices.collect::<Vec<_>>(), ["VGA"]);
    let [drive] = &invocation.drives[..] else { panic!("{:?}", invocation.drives) };
    assert_eq!(drive.file, Some("/path/to/hd_plain.img".into()));
    assert_eq!((drive.interface, drive.at), (Interface::Ide, Some(DrivePlace::Index(0))));
    let warning = "warning: -vnc 127.0.0.1:0,to=99: there is no display server here";
    assert_eq!(invocation.warnings, [warning]);
}

#[test]
fn a_wrapper_chooses_another_version_and_keeps_the_rest() {
    let invocation = start(CREATE, &["-machine", "xenfv-4.2"]);
    assert_eq!(invocation.machine.name, "xenfv-4.2");
    assert!(invocation.machine.migration.suppress_vmdesc);
    let invocation = start(CREATE, &["-machine", "xenfv-4.2,suppress-vmdesc=off"]);
    assert!(!invocation.machine.migration.suppress_vmdesc);
    let invocation = start(CREATE, &["-accel", "qtest", "-qtest", "stdio"]);
    assert_eq!(invocation.accelerators, [Accelerator::Qtest]);
    assert_eq!(invocation.qtest.expect("the protocol").chardev, "qtest");
}

#[test]
fn a_guest_is_restored() {
    let invocation = start(RESTORE, &["-machine", "xenfv-4.2"]);
    assert_eq!(invocation.incoming, Some(Incoming::From("fd:15".parse().expect("a URI"))));
    assert_eq!(invocation.machine.name, "xenfv-4.2");
}

#[test]
fn devices_that_are_not_here_earn_warnings() {
    let invocation = start(FULL, &[]);
    let warnings = invocation.warnings.join("\n");
    for option in [
        "-device cirrus-vga,vgamem_mb=8",
        "-usb",
        "-usbdevice tablet",
        "-device es1370",
        "-device e1000,id=nic0,netdev=net0,mac=00:16:3e:00:00:01",
    ] {
        let warning =
            format!("warning: {option}: there is no such device here; the guest does not have it");
        assert!(warnings.contains(&warning), "{option}: {warnings}");
    }
    assert!(warnings.contains("warning: -netdev type=tap,id=net0,"), "{warnings}");
    assert_eq!(invocation.memory, 56 << 20);
    assert_eq!(invocation.warnings.len(), 7);
}

#[test]
fn a_guest_without_the_platform_device_is_a_pc() {
    let invocation = start(WITHOUT_PLATFORM, &[]);
    assert_eq!(invocation.machine.name, "pc-i440fx-10.0");
    assert!(invocation.machine.migration.suppress_vmdesc);
    assert_eq!(invocation.accelerators, [Accelerator::Kvm]);
    let warnings = invocation.warnings.join("\n");
    assert!(warnings.contains("-machine accel=xen: there is no Xen here"), "{warnings}");
}

#[test]
fn the_machines_can_be_planned() {
    for recorded in [CREATE, RESTORE, FULL, WITHOUT_PLATFORM] {
        let devices = planned(&start(recorded, &[]));
        let at = |id: &str| devices.iter().position(|device| device == id);
        // Where QEMU creates and saves it.
        assert!(at("rtc") < at("serial0") && at("serial0") < at("i8042"), "{devices:?}");
    }
}

#[test]
fn a_client_that_connects_again() {
    let invocation = start(CREATE, &["-chardev", "socket,id=c,host=localhost,port=44,reconnect=3"]);
    let Some(Config { backend: Backend::Socket(socket), .. }) = invocation.chardevs.last() else {
        panic!("{:?}", invocation.chardevs);
    };
    let reconnect = Some(Duration::from_secs(3));
    assert_eq!(socket.role, Role::Client { reconnect });
}
