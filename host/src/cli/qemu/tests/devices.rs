//! `-device` and `-global`, with the components there are.

use super::{LIBRARY, refused, start, text, words};
use crate::cli::qemu::{Parsed, parse};
use crate::machine::Plan;
use crate::machine::file::{DeviceEntry, MachineType, Parameters, Setting, Value};

/// The machine of a line, which can be planned.
#[track_caller]
fn equipped(line: &str) -> MachineType {
    let machine = start(line).equip(&LIBRARY).unwrap_or_else(|error| panic!("{line}: {error}"));
    let parameters = Parameters::new(1, 16 << 20);
    if let Err(error) = Plan::new(&machine, &[], &LIBRARY, parameters) {
        panic!("{line}: {error}");
    }
    machine
}

fn value(machine: &MachineType, id: &str, property: &str) -> Option<Setting> {
    let device = machine.device(id).unwrap_or_else(|| panic!("no device {id}"));
    machine.settings(device).get(property).map(|setting| setting.value.clone())
}

fn number(number: u64) -> Option<Setting> {
    Some(Setting::Fixed(Value::Number(number)))
}

#[test]
fn devices_have_qemus_defaults() {
    let machine = equipped("-device isa-debug-exit -device isa-debugcon,id=log,iobase=0x402");
    assert_eq!(value(&machine, "isa-debug-exit", "iobase"), number(0x501));
    assert_eq!(value(&machine, "isa-debug-exit", "iosize"), number(2));
    assert_eq!(value(&machine, "log", "iobase"), number(0x402));
    let machine = equipped("-device isa-debug-exit,iobase=0xf4,iosize=4,id=exit");
    assert_eq!(value(&machine, "exit", "iobase"), number(0xf4));
}

#[test]
fn devices_can_be_written_in_json() {
    let machine =
        equipped(r#"-device '{"driver":"isa-debug-exit","iobase":244,"iosize":4,"id":"e"}'"#);
    assert_eq!(value(&machine, "e", "iobase"), number(244));
}

#[test]
fn a_file_is_a_device_of_which_the_option_says_all() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("disks.wasm");
    let (bytes, _) = crate::builtin::find("piix3-ide").expect("it is in the program");
    std::fs::write(&file, bytes).expect("the directory is ours");
    let file = file.display();
    let image = directory.path().join("image");
    std::fs::write(&image, [0; 512]).expect("the directory is ours");
    let drive = format!("-drive if=none,format=raw,id=first,file={}", image.display());
    let grants = "grant=storage,grant=dma:all";
    let line = format!(
        "{drive} -device {file},{grants},bus=pci.0,addr=0x7,drive.primary-master=first \
         -device {file},{grants}"
    );
    let machine = equipped(&line);
    let device = machine.device("disks").expect("it has the file's name");
    let place = |device: &DeviceEntry| device.at.as_ref().map(|at| at.value.to_string());
    assert_eq!(place(device).as_deref(), Some("host-bridge/pci@07.0"));
    assert_eq!(device.drives["primary-master"].value, "first");
    assert_eq!(
        device.grants.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["dma:all", "storage"]
    );
    let other = machine.device("disks-1").expect("it has a number");
    assert_eq!(place(other).as_deref(), Some("host-bridge/pci"));
    let first = start(&line).drives.into_iter().find(|drive| drive.id.as_deref() == Some("first"));
    assert_eq!(first.and_then(|drive| drive.name).as_deref(), Some("first"));

    for (options, error) in [
        (
            format!("-device {file},drive.primary-master=no"),
            "drive.primary-master' can't find value 'no'",
        ),
        (format!("-device {file},chardev=no"), ".chardev' can't find value 'no'"),
        (
            format!("-device {file},stream.log=no"),
            "stream.log: chardev=ID connects a device's streams",
        ),
        (
            format!(
                "{drive} -device {file},drive.primary-master=first \
                 -device {file},id=other,drive.primary-slave=first"
            ),
            "Drive 'first' is already in use by another block device",
        ),
    ] {
        let found = refused(&options);
        assert!(found.contains(error), "{options}: {found}");
    }
    for (options, error) in [
        (format!("-device {file},bus=usb.0"), "disks.bus: no bus \"usb.0\"; this machine has "),
        (format!("-device {file},grant=disk"), "disks.grant: unknown grant \"disk\""),
        (format!("-device {file},addr=99"), "disks.addr: PCI address \"99\" is not 00.0 to 1f.7"),
        ("-device ./none.wasm".into(), "device none: ./none.wasm: cannot read: "),
    ] {
        let found = start(&options).equip(&LIBRARY).expect_err(&options).to_string();
        assert!(found.starts_with("-device ") && found.contains(error), "{found}");
    }
}

#[test]
fn vga_std_is_a_device_that_comes_first() {
    let cards = |line: &str| {
        let machine = equipped(line);
        let cards = machine.devices.iter().filter(|device| device.component.value == "vga");
        let place = |device: &DeviceEntry| device.at.as_ref().map(|at| at.value.to_string());
        cards.map(|card| (card.id.clone(), place(card))).collect::<Vec<_>>()
    };
    let first = cards("-device VGA");
    assert_eq!(first.len(), 1);
    assert_eq!(cards("-vga std"), first);
    assert_eq!(cards("-vga none -device isa-debug-exit -vga std"), first);
    assert_eq!(cards("-vga std -vga none"), []);
    assert_eq!(
        cards("-vga std -device VGA,id=mine")[..],
        [("mine".to_owned(), first[0].1.clone())]
    );
    let warned = start("-vga qxl").warnings;
    assert!(warned[0].contains("the guest does not have it"), "{warned:?}");
    assert!(refused("-vga ega").contains("unknown vga type: ega"));
}

#[test]
fn a_serial_port_is_the_next_one() {
    let chardevs = "-chardev null,id=a -chardev null,id=b ";
    let line = |rest: &str| format!("{chardevs}{rest}");
    // As libvirt writes it.
    let json =
        r#"-nodefaults -device '{"driver":"isa-serial","chardev":"a","id":"serial0","index":0}'"#;
    let machine = equipped(&line(json));
    assert_eq!(value(&machine, "serial0", "iobase"), number(0x3f8));
    let stream = |machine: &MachineType, id: &str| {
        machine.device(id).and_then(|device| Some(device.streams.get("data")?.value.clone()))
    };
    assert_eq!(stream(&machine, "serial0").as_deref(), Some("a"));
    // The default one makes room, and the second is the second.
    let two = line("-device isa-serial,chardev=a,id=x -device isa-serial,chardev=b,id=y");
    let machine = equipped(&two);
    assert_eq!(value(&machine, "x", "iobase"), number(0x3f8));
    assert_eq!(value(&machine, "y", "iobase"), number(0x2f8));
    assert_eq!(stream(&machine, "y").as_deref(), Some("b"));
    assert_eq!(start(&two).streams["b"], "b");
    for second in ["index=1", "iobase=0x2f8,irq=3", "irq=3"] {
        let machine = equipped(&line(&format!("-device isa-serial,id=x,{second}")));
        assert_eq!(value(&machine, "x", "iobase"), number(0x2f8), "{second}");
    }
}

#[test]
fn pci_devices_have_addresses() {
    let machine = equipped("-device xen-platform,addr=0x1f.1,bus=pci.0");
    let place = machine.device("xen-platform").and_then(|device| device.at.as_ref());
    assert_eq!(place.map(|at| at.value.to_string()).as_deref(), Some("host-bridge/pci@1f.1"));
    assert_eq!(
        refused("-machine xenfv -device xen-platform"),
        "-device xen-platform: Parameter 'driver' expects a pluggable device type"
    );
}

#[test]
fn globals_reach_all_devices_of_a_driver() {
    let machine = equipped(
        "-global PIIX4_PM.disable_s3=1 -global driver=PIIX4_PM,property=disable-s4,value=on \
         -global smbus-eeprom.smbus-migration=off -global isa-debug-exit.iobase=0x600 \
         -device isa-debug-exit,id=a -device isa-debug-exit,id=b,iobase=0x700 \
         -global migration.send-section-footer=off -global i440FX-pcihost.ram-size=5",
    );
    let on = Some(Setting::Fixed(Value::Flag(true)));
    let off = Some(Setting::Fixed(Value::Flag(false)));
    assert_eq!(value(&machine, "pm", "disable-s3"), on);
    assert_eq!(value(&machine, "pm", "disable-s4"), on);
    assert_eq!(value(&machine, "eeprom7", "smbus-migration"), off);
    assert_eq!(value(&machine, "a", "iobase"), number(0x600));
    assert_eq!(value(&machine, "b", "iobase"), number(0x700));
    assert!(!machine.migration.send_section_footer);
    // What the machine sets of itself prevails, as in QEMU.
    assert_ne!(value(&machine, "host-bridge", "ram-size"), number(5));
    // Over what its version says.
    let global = "-global PIIX4_PM.smbus-migration=on";
    let machine = equipped(&format!("-machine pc-i440fx-3.1 {global}"));
    assert_eq!(value(&machine, "pm", "smbus-migration"), on);
}

#[test]
fn globals_also_reach_another_component() {
    let machine = equipped(
        "-machine pc-i440fx-3.1 -southbridge component=pm:piix4-pm \
         -global PIIX4_PM.smbus-migration=on",
    );
    let on = Some(Setting::Fixed(Value::Flag(true)));
    assert_eq!(value(&machine, "pm", "smbus-migration"), on);
}

#[test]
fn wrong_properties_are_answered_in_qemus_words() {
    for (line, error) in [
        (
            "-device isa-debug-exit,foo=1",
            "-device isa-debug-exit,foo=1: Property 'isa-debug-exit.foo' not found",
        ),
        (
            "-device isa-debug-exit,iobase=x",
            "-device isa-debug-exit,iobase=x: Parameter 'iobase' expects uint64",
        ),
        (
            "-global PIIX4_PM.foo=1",
            "can't apply global PIIX4_PM.foo=1: Property 'PIIX4_PM.foo' not found",
        ),
        (
            "-global PIIX4_PM.smm-enabled=foo",
            "can't apply global PIIX4_PM.smm-enabled=foo: Parameter 'smm-enabled' expects 'on' or \
             'off'",
        ),
        (
            "-southbridge component=pn:piix4-pm",
            "-southbridge component=pn:piix4-pm: machine pc-i440fx-10.0 has no device \"pn\"; it \
             has kvmvapic",
        ),
        ("-device isa-debug-exit,id=pm", "-device isa-debug-exit,id=pm: pc-i440fx.toml:"),
    ] {
        let found = start(line).equip(&LIBRARY).expect_err(line).to_string();
        assert!(found.starts_with(error), "{found}");
    }
    assert_eq!(
        start("-global foo.bar=1").warnings,
        ["warning: global foo.bar has invalid class name"]
    );
}

#[test]
fn properties_are_listed() {
    let help = text("-southbridge code-cache=none -device isa-debug-exit,help");
    assert_eq!(
        help,
        "isa-debug-exit options:\n  \
           iobase=<uint64>        - First I/O port (default: 1281)\n  \
           iosize=<uint64>        - Number of I/O ports: 1, 2, 4 or 8 (default: 2)\n"
    );
    let help = text("-southbridge code-cache=none -device xen-platform,?");
    assert!(help.contains("\n  addr=<int32>           - Slot and optional function"), "{help}");
    let devices = text("-device help");
    assert!(devices.contains("\nname \"xen-platform\", bus \"PCI\"\n"), "{devices}");
    // Also of devices that cannot be added.
    let help = text("-southbridge code-cache=none -device PIIX4_PM,help");
    assert!(help.contains("  disable-s3=<bool>      - "), "{help}");
}

#[test]
fn a_machine_file_may_add_devices() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("more.toml");
    let machine = "[machine.mine]\ninherits = \"pc-i440fx-7.2\"\nabsent = [\"foo\"]\n\
                   [machine.mine.optional.bar]\ncomponent = \"debug-exit\"\n\
                   grants = [\"power\"]\nqemu = { drivers = [\"baz\"] }\n";
    std::fs::write(&file, machine).expect("it can be written");
    let option = format!("-southbridge machine-file={} -machine mine ", file.display());
    let machine = equipped(&format!("{option}-device baz,id=a -device bar,id=b,iobase=8"));
    assert_eq!(value(&machine, "b", "iobase"), number(8));
    assert!(machine.device("a").is_some());
    assert_eq!(start(&format!("{option}-device foo")).warnings.len(), 1);
    let refused = parse("x", &words(&format!("{option}-device cirrus-vga")));
    let error = match refused {
        Err(error) => error.to_string(),
        Ok(Parsed::Start(_) | Parsed::Text(_)) => panic!("it replaces what is absent"),
    };
    assert_eq!(error, "-device cirrus-vga: 'cirrus-vga' is not a valid device model name");
}
