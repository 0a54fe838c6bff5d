//! What options mean, in each of their forms.

use std::collections::BTreeSet;

use super::super::invocation::Mode;
use super::super::{
    Accelerator, Invocation, Parsed, QtestLog, RebootAction, RtcBase, RtcClock, ShutdownAction,
    parse,
};
use super::{LIBRARY, start, text, words};
use crate::chardev::{Backend, Role, SocketAddress, SocketConfig};
use crate::machine::file::{Irqchip, Setting, Value};

const ACCEPTED: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/qemu-command-lines/accepted.txt"
));

#[test]
fn what_qemu_takes_without_a_word_is_taken_without_a_word() {
    // With `-snapshot` the guest would write to the image here.
    for line in ACCEPTED.lines().filter(|line| *line != "-snapshot") {
        let line = line.replace("\"\"", "''");
        match parse("qemu", &words(&line)) {
            Ok(Parsed::Start(invocation)) => {
                assert_eq!(invocation.warnings, [""; 0], "{line}");
                invocation.equip(&LIBRARY).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
            Ok(Parsed::Text(_)) => {}
            Err(error) => panic!("{line}: {error}"),
        }
    }
}

#[test]
fn without_options_it_is_a_pc() {
    let invocation = start("");
    assert_eq!(invocation.machine.name, "pc-i440fx-10.0");
    assert_eq!(invocation.memory, 128 << 20);
    assert_eq!(invocation.cpus, 1);
    assert_eq!(invocation.accelerators, [Accelerator::Kvm]);
    // It has a serial port, which nobody sees.
    assert!(invocation.machine.device("serial0").is_some());
    assert!(invocation.streams.is_empty());
    assert_eq!(invocation.rtc.base, RtcBase::Utc);
    assert!(invocation.warnings.is_empty());
}

#[test]
fn machines_merge() {
    let invocation = start("-M pc-i440fx-3.1,suppress-vmdesc=on --machine xenfv -machine smm=off");
    assert_eq!(invocation.machine.name, "xenfv-3.1");
    assert!(invocation.machine.migration.suppress_vmdesc);
    let invocation = start("-machine pc-i440fx-7.2,smm=off");
    let pm = invocation.machine.device("pm").expect("power management");
    let smm = pm.properties.get("smm-enabled").map(|setting| &setting.value);
    assert_eq!(smm, Some(&Setting::Fixed(Value::Flag(false))));
    for (text, is_there) in [("on", true), ("auto", true), ("off", false)] {
        let invocation = start(&format!("-machine pc-i440fx-7.2,vmport={text}"));
        assert_eq!(invocation.machine.device("vmport").is_some(), is_there, "vmport={text}");
    }
    let invocation = start("-machine smp.cpus=3,memory.size=64M,boot.order=d,max-ram-below-4g=1G");
    assert_eq!((invocation.cpus, invocation.memory), (3, 64 << 20));
    assert_eq!(invocation.machine.memory.max_ram_below_4g, 1 << 30);
    assert_eq!(invocation.machine.memory.split_at, 1 << 30);
    assert_eq!(start("-machine '' -m ''").memory, 128 << 20);
    let images = start("-machine kernel=k,append=a,initrd=i").images;
    assert_eq!((images.kernel, images.initrd), (Some("k".into()), Some("i".into())));
}

#[test]
fn accelerators_are_tried_in_order() {
    use Accelerator::{Kvm, Qtest};
    for (line, expected) in [
        ("-accel qtest -accel kvm", &[Qtest, Kvm][..]),
        ("-machine accel=kvm:tcg", &[Kvm]),
        ("-machine pc,accel=qtest -machine accel=kvm", &[Kvm]),
        ("-enable-kvm", &[Kvm]),
        ("-accel kvm,kernel-irqchip=on,dirty-ring-size=0", &[Kvm]),
        ("-machine xenfv -accel qtest", &[Qtest]),
    ] {
        assert_eq!(start(line).accelerators, expected, "{line}");
    }
    let invocation = start("-machine accel=tcg:kvm");
    assert_eq!(invocation.warnings, ["invalid accelerator tcg"]);
}

#[test]
fn interrupt_controllers_are_the_kernels_or_devices() {
    use Irqchip::{Kernel, Split};
    for (line, expected, warnings) in [
        ("", Kernel, 0),
        ("-accel kvm,kernel-irqchip=split", Split, 0),
        ("-machine kernel_irqchip=split -machine kernel-irqchip=on", Kernel, 0),
        ("-accel kvm,kernel-irqchip=off", Split, 1),
        ("-machine kernel-irqchip=off", Split, 1),
    ] {
        let invocation = start(line);
        assert_eq!((invocation.irqchip, invocation.warnings.len()), (expected, warnings), "{line}");
    }
}

#[test]
fn sizes_and_processors() {
    assert_eq!(start("-m 64 -m size=1.5G").memory, 3 << 29);
    assert_eq!(start("-m 64,slots=2,maxmem=64M").memory, 64 << 20);
    let ram = "-object memory-backend-ram,id=pc.ram,size=64M -machine memory-backend=pc.ram";
    assert_eq!(start(ram).memory, 64 << 20);
    for (line, cpus) in [
        ("-smp 4", 4),
        ("-smp cpus=4,sockets=2,cores=2,threads=1", 4),
        ("-smp sockets=2,cores=2", 4),
        ("-smp 2 -smp 3", 3),
        ("-smp cores=8", 8),
        ("-smp 4,dies=2", 4),
        ("-smp ''", 1),
    ] {
        assert_eq!(start(line).cpus, cpus, "{line}");
    }
    let invocation = start("-smp 0");
    assert_eq!((invocation.cpus, invocation.warnings.len()), (1, 1));
}

fn socket(backend: &Backend) -> &SocketConfig {
    match backend {
        Backend::Socket(socket) => socket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn back_ends_are_more_than_sockets() {
    let invocation = start(
        "-serial null -qmp file:/a,b -chardev pipe,id=p,path=/p -chardev pty,id=t \
         -chardev file,id=f,path=/f,append=on,input-path=/i -chardev stdio,id=x,signal=off",
    );
    let backends: Vec<_> = invocation.chardevs.iter().map(|config| &config.backend).collect();
    let file = |path: &str, append, input: Option<&str>| Backend::File {
        path: path.into(),
        append,
        input: input.map(Into::into),
    };
    assert_eq!(
        backends,
        [
            &Backend::Null,
            &file("/a,b", false, None),
            &Backend::Pipe { path: "/p".into() },
            &Backend::Pty,
            &file("/f", true, Some("/i")),
            &Backend::Stdio { signal: false },
        ]
    );
}

#[test]
fn sockets_are_servers_or_clients() {
    let invocation = start(
        "-qmp unix:/a,server,nowait -serial tcp::44,server=on,nodelay=on \
         -chardev socket,id=c,fd=7 -chardev socket,id=d,host=h,port=0x10,reconnect=0",
    );
    let sockets: Vec<_> =
        invocation.chardevs.iter().map(|config| socket(&config.backend)).collect();
    assert_eq!(sockets[0].address, SocketAddress::Unix("/a".into()));
    assert_eq!(sockets[0].role, Role::Server { wait: false });
    let tcp = SocketAddress::Tcp { host: String::new(), port: 44, nodelay: true };
    assert_eq!((&sockets[1].address, sockets[1].role), (&tcp, Role::Server { wait: true }));
    assert_eq!(sockets[2].address, SocketAddress::Fd(7));
    assert_eq!(sockets[3].role, Role::Client { reconnect: None });
    // Only `-chardev` warns of flags, as QEMU does.
    assert!(invocation.warnings.is_empty(), "{:?}", invocation.warnings);
    let warned = start("-chardev socket,id=a,path=/a,server,nowait").warnings;
    assert!(warned[0].ends_with("deprecated\nPlease use server=on instead"), "{warned:?}");
    assert!(warned[1].ends_with("deprecated\nPlease use wait=off instead"), "{warned:?}");
}

#[test]
fn monitors_are_for_people_or_speak_json() {
    let invocation = start(
        "-chardev null,id=a -mon a,mode=control -qmp null -qmp-pretty null -monitor none \
         -monitor null -chardev null,id=b -mon chardev=b,mode=control,pretty=on,id=m \
         -chardev null,id=c,mux=on -mon c -serial chardev:c -serial mon:null -echr 0x14",
    );
    let json = |pretty| Mode::Control { pretty };
    let monitors: Vec<_> = invocation
        .monitors
        .iter()
        .map(|monitor| (monitor.id.as_deref(), monitor.chardev.as_str(), monitor.mode))
        .collect();
    assert_eq!(
        monitors,
        [
            (None, "a", json(false)),
            (Some("compat_monitor0"), "compat_monitor0", json(false)),
            (Some("compat_monitor1"), "compat_monitor1", json(true)),
            (Some("compat_monitor2"), "compat_monitor2", Mode::Readline),
            (Some("m"), "b", json(true)),
            (None, "c", Mode::Readline),
            (None, "serial1", Mode::Readline),
        ]
    );
    assert!(invocation.shared.iter().eq(["c", "serial1"]));
    assert_eq!(invocation.escape, 0x14);
}

#[test]
fn without_a_display_a_monitor_is_at_the_terminal() {
    let monitors = |line: &str| {
        let Invocation { monitors, shared, chardevs, .. } = start(line);
        let stdio = chardevs.into_iter().find_map(|config| match config.backend {
            Backend::Stdio { signal } => Some((config.id, signal)),
            _ => None,
        });
        (monitors.into_iter().map(|monitor| monitor.chardev).collect::<Vec<_>>(), shared, stdio)
    };
    let (alone, none) = (BTreeSet::new(), Vec::<String>::new());
    let serial = || "serial0".to_owned();
    let shared = [serial()].into();
    assert_eq!(monitors("-nographic"), (vec![serial()], shared, Some((serial(), false))));
    let given = monitors("-nographic -monitor none");
    assert_eq!(given, (none.clone(), alone.clone(), Some((serial(), true))));
    let own = || "compat_monitor0".to_owned();
    let given = monitors("-nographic -serial null");
    assert_eq!(given, (vec![own()], alone.clone(), Some((own(), true))));
    assert_eq!(monitors("-nographic -nodefaults"), (none, alone, None));
}

#[test]
fn the_test_protocol_has_a_log() {
    let qtest = start("-accel qtest -qtest unix:/a -qtest-log none").qtest.expect("the protocol");
    assert_eq!((qtest.chardev.as_str(), qtest.log), ("qtest", QtestLog::Nowhere));
    let qtest = start("-qtest null -qtest-log /l").qtest.expect("the protocol");
    assert_eq!(qtest.log, QtestLog::File("/l".into()));
    assert_eq!(start("-qtest null").qtest.expect("the protocol").log, QtestLog::Stderr);
}

#[test]
fn the_clock_starts_when_it_is_told() {
    let rtc = start("-rtc base=2020-03-27T15:18:41,clock=vm").rtc;
    assert_eq!((rtc.base, rtc.clock), (RtcBase::Date(1_585_322_321), RtcClock::Virtual));
    assert_eq!(rtc.start(), Some(1_585_322_321));
    assert_eq!(start("-rtc clock=rt -rtc base=utc").rtc.clock, RtcClock::Realtime);
    assert_eq!(start("-rtc base=localtime").rtc.base, RtcBase::Localtime);
    let machine = start("-rtc base=2020-03-27T15:18:41,clock=vm").equip(&LIBRARY).expect("fits");
    let rtc = machine.device("rtc").expect("a clock");
    let value = |name: &str| rtc.properties.get(name).map(|setting| setting.value.clone());
    let number = |number| Some(Setting::Fixed(Value::Number(number)));
    assert_eq!(value("base-time"), number(1_585_322_321));
    assert_eq!(value("clock-base"), number(0));
}

#[test]
fn life_and_process() {
    let invocation = start(
        "-name g,process=p,debug-threads=on -uuid 550e8400-e29b-41d4-a716-446655440000 -S \
         -no-reboot -action shutdown=pause -pidfile /p -daemonize -D /l -d guest_errors \
         -southbridge metrics=127.0.0.1:1,control=/c,code-cache=none,component=pm:/a,,b.wasm",
    );
    assert_eq!(invocation.name.as_deref(), Some("g"));
    assert_eq!(invocation.uuid.map(|uuid| uuid[15]), Some(0));
    assert!(invocation.paused && invocation.process.daemonize && invocation.process.thread_names);
    assert_eq!(invocation.process.title.as_deref(), Some("p"));
    assert_eq!(invocation.actions.reboot, RebootAction::Shutdown);
    assert_eq!(invocation.actions.shutdown, ShutdownAction::Pause);
    assert_eq!(invocation.process.pidfile, Some("/p".into()));
    assert_eq!(invocation.log.file, Some("/l".into()));
    assert!(invocation.log.guest_errors);
    assert_eq!(invocation.own.metrics, "127.0.0.1:1".parse().ok());
    assert_eq!(invocation.own.code_cache, Some("none".into()));
    assert_eq!(invocation.own.components, [("pm".into(), "/a,b.wasm".into())]);
    let actions = start("-no-reboot -no-shutdown -action reboot=reset,shutdown=poweroff").actions;
    assert_eq!(actions, Default::default());
}

#[test]
fn serial_ports_are_where_they_are_asked_for() {
    let ids = |line: &str| -> Vec<String> {
        let devices = start(line).machine.devices.into_iter();
        devices.map(|device| device.id).filter(|id| id.starts_with("serial")).collect()
    };
    assert_eq!(ids(""), ["serial0"]);
    assert_eq!(ids("-nodefaults"), [""; 0]);
    assert_eq!(ids("-nodefaults -serial null"), ["serial0"]);
    assert_eq!(ids("-serial none"), [""; 0]);
    assert_eq!(ids("-serial none -serial null"), ["serial1"]);
    assert_eq!(ids("-serial null -serial null"), ["serial0", "serial1"]);
    assert_eq!(ids("-serial null -serial none -serial none -serial none"), ["serial0"]);
    let invocation = start("-nographic");
    assert_eq!(invocation.streams["serial0"], "serial0");
    assert_eq!(invocation.chardevs[0].backend, Backend::Stdio { signal: false });
    assert!(start("-nographic -nodefaults").chardevs.is_empty());
    let invocation = start("-chardev null,id=x -serial chardev:x -debugcon file:/d");
    assert_eq!(invocation.streams["serial0"], "x");
    assert_eq!(invocation.streams["debugcon"], "debugcon");
    // Two ports are next to each other, as QEMU creates and saves them.
    let machine = start("-serial null -serial null").machine;
    let at = |id: &str| machine.devices.iter().position(|device| device.id == id);
    assert_eq!(at("serial0").map(|at| at + 1), at("serial1"));
}

#[test]
fn help_is_printed() {
    let machines = text("-machine help");
    assert!(machines.starts_with("Supported machines are:\n"), "{machines}");
    for line in [
        "pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-10.0)\n\
         pc-i440fx-10.0       Standard PC (i440FX + PIIX, 1996) (default)\n\
         pc-i440fx-9.2        Standard PC (i440FX + PIIX, 1996)\n",
        "xenfv-4.2            Xen Fully-virtualized PC\n\
         xenfv                Xen Fully-virtualized PC (alias of xenfv-3.1)\n\
         xenfv-3.1            Xen Fully-virtualized PC\n",
    ] {
        assert!(machines.contains(line), "{machines}");
    }
    assert!(text("-M ?").starts_with("Supported machines are:\n"));
    assert!(text("-accel help").ends_with("\nkvm\nqtest\n"));
    assert!(text("-chardev help").contains("\n  socket\n"));
    assert!(text("-cpu help").contains("\nx86 host\n"));
    assert!(text("-d help").contains("guest_errors"));
    assert!(text("-version").starts_with("Southbridge "));
    let properties = text("-machine xenfv,help");
    assert!(properties.starts_with("xenfv-3.1-machine options:\n"), "{properties}");
    assert!(properties.contains("  smm                    - System management mode\n"));
    // What comes after it is not looked at, as in QEMU.
    let help = text("-help -foo");
    assert!(help.starts_with("usage: southbridge [options] [disk_image]\n"), "{help}");
    for group in crate::cli::qemu::table::GROUPS {
        assert!(group.options.iter().all(|entry| help.contains(&format!("-{}", entry.names[0]))));
    }
    assert!(help.lines().filter(|line| line.starts_with(' ')).all(|line| line.len() <= 80));
}
