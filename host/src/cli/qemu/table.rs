//! All options of QEMU's there are here, and what becomes of each.

use super::error::Error;
use super::given::{Collected, Given};
use super::{
    absent, accel, backend, boot, device, drive, firmware_file, global, help, life, machine,
    memory, monitor, own, rtc, serial, smp,
};

/// What reads an option.
pub(super) type Read = fn(&mut Collected, &Given<'_>) -> Result<(), Error>;

/// An option.
pub(super) struct Entry {
    /// Its names, without dashes.
    pub(super) names: &'static [&'static str],
    /// What its argument is called in help; none if it takes none.
    pub(super) argument: Option<&'static str>,
    /// One line for people.
    pub(super) help: &'static str,
    pub(super) treatment: Treatment,
}

/// What becomes of an option.
pub(super) enum Treatment {
    /// It means what it means to QEMU.
    Understood(Read),
    /// It is taken, and changes nothing, or earns a warning: for this reason.
    Accepted(Read, &'static str),
    /// It is an error, for this reason.
    Refused(&'static str),
}

use Treatment::{Accepted, Refused, Understood};

/// Options that belong together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) options: &'static [Entry],
}

/// The option of that name.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    let mut all = GROUPS.iter().flat_map(|group| group.options);
    all.find(|entry| entry.names.contains(&name))
}

const fn entry(
    names: &'static [&'static str],
    argument: &'static str,
    help: &'static str,
    treatment: Treatment,
) -> Entry {
    let argument = if argument.is_empty() { None } else { Some(argument) };
    Entry { names, argument, help, treatment }
}

const NO_TABLES: &str = "firmware's tables are made of the machine alone";
const NO_SUCH_DEVICE: &str = "there is no such device";
const NO_EMULATION: &str = "processors are not emulated";
const NO_DISPLAY: &str = "there is no display";
const NO_XEN: &str = "there is no Xen: the machine runs by itself";
const OWN_RAM: &str = "how the host keeps the guest's RAM is its own affair";

pub(super) const GROUPS: &[Group] = &[
    Group {
        title: "Standard options",
        options: &[
            entry(&["h", "help"], "", "Print this help and exit", Understood(help::options)),
            entry(&["version"], "", "Print the version and exit", Understood(help::version)),
            entry(
                &["machine", "M"],
                "[type=]NAME[,PROPERTY=VALUE]...",
                "The machine type and its properties; 'help' lists the types, NAME,help the \
                 properties. Given again it adds to what was said and prevails",
                Understood(machine::machine),
            ),
            entry(
                &["accel"],
                "[accel=]kvm|qtest",
                "What runs the guest: KVM, or a client of the test protocol. The first that works \
                 of several. Default: kvm",
                Understood(accel::accel),
            ),
            entry(
                &["enable-kvm"],
                "",
                "The same as -machine accel=kvm",
                Understood(machine::enable_kvm),
            ),
            entry(
                &["cpu"],
                "MODEL",
                "The processors: 'help' lists the models",
                Accepted(smp::cpu, "the guest has the host's processors; others earn a warning"),
            ),
            entry(
                &["smp"],
                "[cpus=]N[,maxcpus=N][,sockets=N][,dies=N][,cores=N][,threads=N]",
                "The number of processors; how they are arranged has to fit and changes nothing. \
                 Default: 1",
                Understood(smp::smp),
            ),
            entry(
                &["m"],
                "[size=]SIZE[,slots=N,maxmem=SIZE]",
                "RAM: MiB, or with a suffix K, M, G, T. Default: 128",
                Understood(memory::memory),
            ),
            entry(
                &["mem-path"],
                "PATH",
                "A file for the guest's RAM",
                Accepted(absent::ignored, OWN_RAM),
            ),
            entry(
                &["mem-prealloc"],
                "",
                "Allocate RAM at the start",
                Accepted(absent::ignored, OWN_RAM),
            ),
            entry(
                &["overcommit"],
                "[mem-lock=on|off][,cpu-pm=on|off]",
                "How RAM and processors are shared with the host",
                Accepted(absent::overcommit, OWN_RAM),
            ),
            entry(
                &["boot"],
                "[order=]LETTERS[,once=LETTERS][,menu=on|off][,splash-time=MS]...",
                "What firmware boots: a and b floppies, c disk, d CD-ROM, n network. Whether it \
                 offers a menu, how long it waits for a choice, and with reboot-timeout when it \
                 tries again. An order with once= stays; splash and strict change nothing",
                Understood(boot::boot),
            ),
            entry(
                &["global"],
                "DRIVER.PROPERTY=VALUE | driver=D,property=P,value=V",
                "A property of all devices of a driver",
                Understood(global::global),
            ),
            entry(
                &["name"],
                "[guest=]NAME[,process=NAME][,debug-threads=on|off]",
                "The guest's name, and the process's",
                Understood(life::name),
            ),
            entry(&["uuid"], "UUID", "The guest's UUID, told to firmware", Understood(life::uuid)),
            entry(
                &["rtc"],
                "[base=utc|localtime|DATE][,clock=host|rt|vm][,driftfix=none|slew]",
                "What the real-time clock shows at the start, and what its saved state counts from",
                Understood(rtc::rtc),
            ),
            entry(&["nodefaults"], "", "Leave out default devices", Understood(life::no_defaults)),
            entry(
                &["southbridge"],
                "KEY=VALUE[,KEY=VALUE]...",
                "Not QEMU's: metrics=ADDRESS, control=SOCKET, code-cache=DIR, machine-file=FILE, \
                 component=DEVICE:COMPONENT. The last two may be given several times",
                Understood(own::southbridge),
            ),
            entry(
                &["set"],
                "GROUP.ID.KEY=VALUE",
                "Change an earlier option",
                Refused("give the option itself"),
            ),
            entry(
                &["readconfig"],
                "FILE",
                "Read options from a file",
                Refused("options are on the command line alone"),
            ),
            entry(
                &["add-fd"],
                "fd=N,set=N[,opaque=TEXT]",
                "Add a descriptor to a set",
                Refused("QMP has add-fd"),
            ),
            entry(&["numa"], "...", "NUMA nodes", Refused(NO_TABLES)),
        ],
    },
    Group {
        title: "Devices",
        options: &[
            entry(
                &["device"],
                "DRIVER|FILE.wasm[,id=ID][,addr=SLOT.FUNCTION][,chardev=ID][,PROPERTY=VALUE]... | JSON",
                "Add a device: one of the machine's ('help' lists them, DRIVER,help its \
                 properties), or a component's file, with grant=, drive.NAME=, limit.NAME=",
                Understood(device::device),
            ),
            entry(
                &["object"],
                "TYPE,id=ID[,PROPERTY=VALUE]... | JSON",
                "Create an object",
                Accepted(
                    absent::object,
                    "memory-backend-ram may be the machine's RAM; iothread, main-loop, \
                     rng-builtin, rng-random and secret have no user here; others are refused",
                ),
            ),
            entry(&["usb"], "", "A USB controller", Accepted(absent::lacking, NO_SUCH_DEVICE)),
            entry(
                &["usbdevice"],
                "NAME",
                "A USB device",
                Accepted(absent::usb_device, NO_SUCH_DEVICE),
            ),
            entry(&["tpmdev"], "...", "A TPM", Refused(NO_SUCH_DEVICE)),
            entry(
                &["fw_cfg"],
                "[name=]NAME,file=FILE|string=TEXT",
                "Add a file for firmware",
                Understood(firmware_file::fw_cfg),
            ),
            entry(
                &["option-rom"],
                "FILE",
                "Load an option ROM",
                Refused("only devices bring option ROMs"),
            ),
            entry(
                &["watchdog-action"],
                "ACTION",
                "What a watchdog does",
                Accepted(life::watchdog_action, "say -device ib700,action=ACTION"),
            ),
            entry(
                &["only-migratable"],
                "",
                "Only devices with saved state",
                Accepted(absent::ignored, "every device saves its state"),
            ),
        ],
    },
    Group {
        title: "Disks",
        options: &[
            entry(
                &["drive"],
                "[file=FILE][,if=TYPE][,index=N][,media=disk|cdrom][,format=raw][,cache=MODE]...",
                "A disk, CD-ROM or floppy with a raw image. if=ide, the default, and floppy; scsi, \
                 virtio and xen earn a warning, none has no user, pflash, mtd and sd are refused",
                Understood(drive::drive),
            ),
            entry(
                &["blockdev"],
                "[driver=]DRIVER,node-name=NAME[,...] | JSON",
                "A disk image",
                Accepted(drive::blockdev, "no device can name it; use -drive"),
            ),
            entry(&["hda"], "FILE", "-drive file=FILE,index=0", Understood(drive::hda)),
            entry(&["hdb"], "FILE", "-drive file=FILE,index=1", Understood(drive::hdb)),
            entry(&["hdc"], "FILE", "-drive file=FILE,index=2", Understood(drive::hdc)),
            entry(&["hdd"], "FILE", "-drive file=FILE,index=3", Understood(drive::hdd)),
            entry(
                &["cdrom"],
                "FILE",
                "-drive file=FILE,index=2,media=cdrom",
                Understood(drive::cdrom),
            ),
            entry(&["fda"], "FILE", "-drive file=FILE,if=floppy,index=0", Understood(drive::fda)),
            entry(&["fdb"], "FILE", "-drive file=FILE,if=floppy,index=1", Understood(drive::fdb)),
            entry(
                &["snapshot"],
                "",
                "Leave images as they are",
                Refused("guests write to their images; copy the image"),
            ),
            entry(
                &["win2k-hack"],
                "",
                "Slow disks down",
                Accepted(absent::ignored, "disks are as fast as they are"),
            ),
            entry(
                &["no-fd-bootchk"],
                "",
                "Boot floppies without a signature",
                Accepted(absent::ignored, "say -global mc146818rtc.fd-bootchk=off"),
            ),
            entry(
                &["pflash"],
                "FILE",
                "A flash chip",
                Refused("there is no flash chip; -bios gives the firmware"),
            ),
            entry(&["mtdblock"], "FILE", "A flash chip", Refused(NO_SUCH_DEVICE)),
            entry(&["sd"], "FILE", "An SD card", Refused(NO_SUCH_DEVICE)),
            entry(&["iscsi"], "...", "iSCSI settings", Refused("there is no iSCSI")),
            entry(&["fsdev"], "...", "A shared directory", Refused(NO_SUCH_DEVICE)),
            entry(&["virtfs"], "...", "A shared directory", Refused(NO_SUCH_DEVICE)),
        ],
    },
    Group {
        title: "Network",
        options: &[
            entry(
                &["net"],
                "none",
                "No network",
                Accepted(absent::net, "there is none; anything else is refused"),
            ),
            entry(
                &["nic"],
                "none",
                "No network",
                Accepted(absent::net, "there is none; anything else is refused"),
            ),
            entry(
                &["netdev"],
                "tap,id=ID[,...]",
                "A network",
                Accepted(absent::netdev, "a tap earns a warning; anything else is refused"),
            ),
        ],
    },
    Group {
        title: "Display and sound",
        options: &[
            entry(
                &["display"],
                "none",
                "No display",
                Accepted(absent::display, "there is none; anything else earns a warning"),
            ),
            entry(
                &["vnc"],
                "DISPLAY|none",
                "A VNC server",
                Accepted(absent::vnc, "there is no display server; a warning says so"),
            ),
            entry(
                &["nographic"],
                "",
                "Connect the first serial port and a monitor to standard input and output",
                Understood(serial::no_graphic),
            ),
            entry(
                &["vga"],
                "none|std|cirrus|vmware|qxl|virtio",
                "A graphics card: std is -device VGA; the others earn a warning, but for none",
                Understood(device::vga),
            ),
            entry(
                &["full-screen"],
                "",
                "Start in full screen",
                Accepted(absent::ignored, NO_DISPLAY),
            ),
            entry(&["portrait"], "", "Turn the display", Accepted(absent::ignored, NO_DISPLAY)),
            entry(
                &["rotate"],
                "DEGREES",
                "Turn the display",
                Accepted(absent::ignored, NO_DISPLAY),
            ),
            entry(&["k"], "LANGUAGE", "Keyboard layout", Accepted(absent::ignored, NO_DISPLAY)),
            entry(&["spice"], "...", "A SPICE server", Refused("there is no display server")),
            entry(
                &["audiodev"],
                "none,id=ID",
                "No sound",
                Accepted(absent::audiodev, "there is none; anything else is refused"),
            ),
            entry(&["audio"], "...", "Sound", Refused("there is no sound")),
            entry(&["audio-help"], "", "Show -audiodev options", Refused("there is no sound")),
        ],
    },
    Group {
        title: "Character devices and monitors",
        options: &[
            entry(
                &["chardev"],
                "BACKEND,id=ID[,KEY=VALUE]...",
                "A character device; 'help' lists the back ends",
                Understood(backend::chardev),
            ),
            entry(
                &["serial"],
                "DEVICE",
                "Connect a serial port: null, stdio, pty, file:PATH, pipe:PATH, unix:PATH, \
                 tcp:HOST:PORT, chardev:ID, mon: and one of them to share it with a monitor, \
                 or none for no such port",
                Understood(serial::serial),
            ),
            entry(
                &["parallel"],
                "none",
                "No parallel port",
                Accepted(
                    serial::parallel,
                    "there is none; null earns a warning, anything else is refused",
                ),
            ),
            entry(&["debugcon"], "DEVICE", "A debug console", Understood(serial::debug_console)),
            entry(
                &["mon"],
                "[chardev=]ID[,mode=readline|control][,pretty=on|off][,id=ID]",
                "A monitor on a character device: for people (readline), or QMP (control)",
                Understood(monitor::mon),
            ),
            entry(&["qmp"], "DEVICE", "QMP on a device, as with -serial", Understood(monitor::qmp)),
            entry(
                &["qmp-pretty"],
                "DEVICE",
                "The same, laid out for people",
                Understood(monitor::qmp_pretty),
            ),
            entry(
                &["monitor"],
                "DEVICE",
                "A monitor for people on a device, as with -serial, or none",
                Understood(monitor::monitor),
            ),
            entry(
                &["qtest"],
                "DEVICE",
                "QEMU's test protocol on a device",
                Understood(monitor::qtest),
            ),
            entry(
                &["qtest-log"],
                "FILE|none",
                "Where to write what a test client says. Default: standard error",
                Understood(monitor::qtest_log),
            ),
            entry(
                &["echr"],
                "CODE",
                "The key before a command at a terminal that a monitor shares. Default: 1, Ctrl-A",
                Understood(monitor::escape),
            ),
            entry(
                &["gdb"],
                "DEVICE",
                "A server for a debugger",
                Refused("there is no server for debuggers"),
            ),
            entry(
                &["s"],
                "",
                "The same as -gdb tcp::1234",
                Refused("there is no server for debuggers"),
            ),
        ],
    },
    Group {
        title: "What to start",
        options: &[
            entry(&["bios"], "FILE", "Firmware", Understood(boot::bios)),
            entry(&["L"], "DIR", "Where to look for firmware", Understood(boot::directory)),
            entry(
                &["kernel"],
                "FILE",
                "A kernel, started without firmware",
                Understood(boot::kernel),
            ),
            entry(&["initrd"], "FILE", "Its initial RAM disk", Understood(boot::initrd)),
            entry(&["append"], "TEXT", "Its command line", Understood(boot::append)),
            entry(&["dtb"], "FILE", "Its device tree", Refused("a PC has none")),
            entry(
                &["incoming"],
                "defer|fd:N|file:PATH[,offset=N]|unix:PATH|tcp:HOST:PORT|exec:COMMAND",
                "Start from a state",
                Understood(life::incoming),
            ),
            entry(&["S"], "", "Start with the processors stopped", Understood(life::paused)),
            entry(&["no-reboot"], "", "End instead of a reset", Understood(life::no_reboot)),
            entry(
                &["no-shutdown"],
                "",
                "Stand still when the guest switches itself off",
                Understood(life::no_shutdown),
            ),
            entry(
                &["action"],
                "[reboot=reset|shutdown][,shutdown=poweroff|pause]...",
                "What resets and switching off lead to. panic and watchdog change nothing: a \
                 crash that the guest tells of stops it",
                Understood(life::action),
            ),
            entry(
                &["loadvm"],
                "NAME",
                "Start from a snapshot in an image",
                Refused("raw images hold none; -incoming starts from a state"),
            ),
            entry(
                &["no-acpi"],
                "",
                "No ACPI",
                Refused("the power management is part of the machine"),
            ),
            entry(
                &["no-hpet"],
                "",
                "No HPET",
                Accepted(absent::ignored, "it is part of the machine"),
            ),
            entry(&["acpitable"], "...", "Add an ACPI table", Refused(NO_TABLES)),
            entry(&["smbios"], "...", "Add an SMBIOS table", Refused(NO_TABLES)),
        ],
    },
    Group {
        title: "The process",
        options: &[
            entry(
                &["pidfile"],
                "FILE",
                "Write the process's number to a file",
                Understood(life::pidfile),
            ),
            entry(
                &["daemonize"],
                "",
                "Go on in the background once all is set up",
                Understood(life::daemonize),
            ),
            entry(
                &["D"],
                "FILE",
                "Log to a file. Default: standard error",
                Understood(life::log_file),
            ),
            entry(
                &["d"],
                "ITEM[,ITEM]...",
                "What to log: guest_errors, unimp. QEMU's others earn a warning",
                Understood(life::log_items),
            ),
            entry(
                &["trace"],
                "...",
                "Trace events",
                Accepted(
                    absent::ignored,
                    "the events are QEMU's; RUST_LOG says what is logged here",
                ),
            ),
            entry(
                &["msg"],
                "[timestamp=on|off]",
                "What messages look like",
                Accepted(absent::message, "messages look as they do"),
            ),
            entry(
                &["no-user-config"],
                "",
                "Read no configuration files",
                Accepted(absent::ignored, "none are read"),
            ),
            entry(
                &["nodefconfig"],
                "",
                "Read no configuration files; QEMU's name until 6.0",
                Accepted(absent::ignored, "none are read"),
            ),
            entry(
                &["sandbox"],
                "on|off[,...]",
                "Confine the process",
                Accepted(absent::sandbox, "each device is in a sandbox in any case"),
            ),
            entry(
                &["enable-fips"],
                "",
                "QEMU's until 6.2",
                Accepted(absent::ignored, "there is no VNC password"),
            ),
            entry(
                &["realtime"],
                "mlock=on|off",
                "QEMU's until 3.1",
                Accepted(absent::ignored, OWN_RAM),
            ),
            entry(
                &["compat"],
                "...",
                "What to do with deprecated commands",
                Accepted(absent::ignored, "none are"),
            ),
            entry(
                &["seed"],
                "N",
                "Seed random numbers",
                Accepted(absent::ignored, "devices draw none"),
            ),
            entry(
                &["async-teardown"],
                "",
                "Free RAM in the background",
                Accepted(absent::ignored, OWN_RAM),
            ),
            entry(
                &["enable-sync-profile"],
                "",
                "Measure locks",
                Accepted(absent::ignored, "they are QEMU's"),
            ),
            entry(&["runas"], "USER", "Change the user", Refused("start the program as that user")),
            entry(
                &["chroot"],
                "DIR",
                "Change the root directory",
                Refused("start the program there"),
            ),
            entry(
                &["preconfig"],
                "",
                "Stop before the machine is made",
                Refused("the command line says what the machine is"),
            ),
            entry(&["plugin"], "...", "Load a plugin", Refused(NO_EMULATION)),
            entry(&["icount"], "...", "Count instructions", Refused(NO_EMULATION)),
            entry(&["singlestep"], "", "Translate single instructions", Refused(NO_EMULATION)),
            entry(&["dfilter"], "...", "What translated code to log", Refused(NO_EMULATION)),
            entry(
                &["dump-vmstate"],
                "FILE",
                "Describe saved states",
                Refused("southbridge state describe does"),
            ),
        ],
    },
    Group {
        title: "Xen",
        options: &[
            entry(&["xen-domid"], "ID", "The domain", Accepted(absent::domain, NO_XEN)),
            entry(&["xen-attach"], "", "Attach to a domain", Accepted(absent::ignored, NO_XEN)),
            entry(
                &["xen-domid-restrict"],
                "",
                "Only touch that domain",
                Accepted(absent::ignored, NO_XEN),
            ),
        ],
    },
];
