//! What a command line of QEMU's says is to be started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::value;
use crate::chardev::Config;
use crate::control::metrics::MetricsAddress;
use crate::machine::file::{Irqchip, MachineType};
use crate::migrate::Uri;

/// A machine to be started, checked as far as that needs no component: see
/// [`Invocation::equip`].
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The machine type, as the command line changes it: without default devices
    /// under `-nodefaults`, with serial ports as asked for.
    pub machine: MachineType,
    /// What may run the guest, in the order in which to try; at least one.
    pub accelerators: Vec<Accelerator>,
    /// Bytes of RAM.
    pub memory: u64,
    /// Processors.
    pub cpus: u32,
    /// The guest's name, for people.
    pub name: Option<String>,
    /// The guest's UUID, its bytes in the order in which they are written.
    pub uuid: Option<[u8; 16]>,
    /// The character devices, in the order in which they are to be opened.
    pub chardevs: Vec<Config>,
    /// Which character device a stream of the machine is connected to; one that
    /// is not in here goes nowhere.
    pub streams: BTreeMap<String, String>,
    /// Character devices that several may use.
    pub shared: BTreeSet<String>,
    /// The key that makes the next one a command where a character device is shared.
    pub escape: u8,
    /// Monitors on character devices.
    pub monitors: Vec<Monitor>,
    /// QEMU's test protocol, if it is to be spoken.
    pub qtest: Option<Qtest>,
    /// Devices besides those of the machine, in order.
    pub devices: Vec<Device>,
    /// Properties of all devices of a driver, in order.
    pub globals: Vec<Global>,
    /// What the interrupt controllers are on KVM.
    pub irqchip: Irqchip,
    /// Disks and the like.
    pub drives: Vec<Drive>,
    /// Files for the guest's firmware, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the guest's real-time clock shows.
    pub rtc: Rtc,
    /// What the processors start with.
    pub images: Images,
    /// Start with the processors stopped.
    pub paused: bool,
    /// Start from a state.
    pub incoming: Option<Incoming>,
    /// What to do when the guest resets or switches itself off.
    pub actions: Actions,
    /// What becomes of the process.
    pub process: Process,
    /// Where and what to log.
    pub log: Log,
    /// What QEMU has no option for.
    pub own: Own,
    /// What is not as it would be in QEMU: lines without the program's name, each
    /// perhaps with a hint after the end of a line.
    pub warnings: Vec<String>,
}

/// What runs the guest's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The kernel's virtual machines.
    Kvm,
    /// Nothing: a client of the test protocol drives the devices.
    Qtest,
}

/// A monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// Its name, if it has one.
    pub id: Option<String>,
    /// The character device it is on.
    pub chardev: String,
    /// Who it is for.
    pub mode: Mode,
}

/// Who a monitor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// People: commands are typed and their answers are text.
    Readline,
    /// Programs: it speaks QMP.
    Control {
        /// Whether JSON is laid out for people.
        pretty: bool,
    },
}

/// A server of QEMU's test protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qtest {
    /// The character device it is on.
    pub chardev: String,
    /// Where the conversation is written to.
    pub log: QtestLog,
}

/// Where the conversation with a test client is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QtestLog {
    /// Standard error: QEMU's default.
    #[default]
    Stderr,
    /// Nowhere.
    Nowhere,
    /// A file.
    File(PathBuf),
}

/// A device that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The option and its argument, for errors.
    pub place: String,
    /// The driver, as it was written.
    pub driver: String,
    /// The machine's optional device that it is.
    pub template: String,
    /// Which of that device's choices; the first that is free if none.
    pub choice: Option<usize>,
    /// Its id; made up if none was given.
    pub id: String,
    /// Where it is to sit on its bus.
    pub address: Option<String>,
    /// The character device its streams are connected to.
    pub chardev: Option<String>,
    /// Properties: name and value, as on the command line.
    pub properties: Vec<(String, String)>,
}

/// A property of all devices of a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// QEMU's name of the driver, or of one it is derived from.
    pub driver: String,
    /// The property.
    pub property: String,
    /// Its value, as on the command line.
    pub value: String,
}

/// A disk, or what else is a drive to QEMU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drive {
    /// The option and its argument, for errors.
    pub place: String,
    /// Its id, if it has one. A node of `-blockdev` has its node's name.
    pub id: Option<String>,
    /// The id of the device that it is plugged into, if that has one.
    pub device: Option<String>,
    /// The drive of the machine that it is, by its name in machine files; none if it
    /// is no drive of any device.
    pub name: Option<String>,
    /// What it is plugged into.
    pub interface: Interface,
    /// A disk or a CD-ROM.
    pub media: Media,
    /// Whether it was given as one for disks, also if a CD-ROM drive has it: QEMU opens its
    /// image for writing then.
    pub writable: bool,
    /// Where on the interface; the next free place if nowhere.
    pub at: Option<DrivePlace>,
    /// The image; none if there is no medium in it.
    pub file: Option<PathBuf>,
    /// The image's format; to be guessed if none.
    pub format: Option<String>,
    /// Everything else, as it was written.
    pub options: Vec<(String, String)>,
}

impl Drive {
    /// A drive that nobody has asked for, with nothing in it.
    pub(in crate::cli) const fn empty() -> Self {
        Self {
            place: String::new(),
            id: None,
            device: None,
            name: None,
            interface: Interface::Ide,
            media: Media::Disk,
            writable: false,
            at: None,
            file: None,
            format: None,
            options: Vec::new(),
        }
    }

    /// The value of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether an option is on.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.option(name).is_some_and(|text| value::flag(name, text) == Ok(true))
    }
}

/// What a drive is plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// ATA, the machine's default.
    Ide,
    /// A floppy drive.
    Floppy,
    /// SCSI.
    Scsi,
    /// Virtio.
    Virtio,
    /// A paravirtual disk of Xen.
    Xen,
    /// Nothing yet: a device names it.
    None,
}

/// What a drive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A disk.
    Disk,
    /// A CD or DVD.
    Cdrom,
}

/// The place of a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrivePlace {
    /// The number of the drive on its kind of interface.
    Index(u32),
    /// The number of the bus, and of the drive on it.
    Unit {
        /// The bus.
        bus: u32,
        /// The drive; the next free one if none.
        unit: Option<u32>,
    },
}

/// The guest's real-time clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtc {
    /// What it shows at the start.
    pub base: RtcBase,
    /// What it goes by.
    pub clock: RtcClock,
}

/// What the real-time clock shows at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcBase {
    /// The time in UTC.
    Utc,
    /// The host's local time.
    Localtime,
    /// A point in time, in seconds since 1970.
    Date(u64),
}

/// What the real-time clock goes by. It is the machine's clock in any case; this
/// says what saved states count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcClock {
    /// The host's time of day: from 1970.
    Host,
    /// The host's clock that is never set.
    Realtime,
    /// The machine's clock: from its start.
    Virtual,
}

/// What the processors start with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The firmware's file, as it was given: to be looked for in the directories
    /// unless it is there.
    pub firmware: Option<PathBuf>,
    /// Where to look for firmware.
    pub directories: Vec<PathBuf>,
    /// A kernel that starts without firmware.
    pub kernel: Option<PathBuf>,
    /// Its initial RAM disk.
    pub initrd: Option<PathBuf>,
    /// Its command line.
    pub append: Option<String>,
}

/// Where a state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// `migrate-incoming` will say.
    Defer,
    /// From there.
    From(Uri),
}

/// What to do when the guest asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// At a reset.
    pub reboot: RebootAction,
    /// When it switches itself off.
    pub shutdown: ShutdownAction,
}

/// What a reset leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RebootAction {
    /// A reset.
    #[default]
    Reset,
    /// The end, as if the guest had switched itself off.
    Shutdown,
}

/// What switching off leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShutdownAction {
    /// The end of the process.
    #[default]
    Poweroff,
    /// A machine that stands still, and a process that goes on.
    Pause,
}

/// What becomes of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its name in lists of processes.
    pub title: Option<String>,
    /// Whether threads are named.
    pub thread_names: bool,
    /// Where its number is written to.
    pub pidfile: Option<PathBuf>,
    /// Go on in the background once everything is set up.
    pub daemonize: bool,
    /// It is the process in the background already.
    pub daemonized: bool,
}

/// Where and what to log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The file; standard error if none.
    pub file: Option<PathBuf>,
    /// What the guest does wrong (`guest_errors`) or what devices do not have
    /// (`unimp`) is to be told.
    pub guest_errors: bool,
}

/// What QEMU has no option for: `-southbridge`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Where metrics are served.
    pub metrics: Option<MetricsAddress>,
    /// Where the control socket is made.
    pub control: Option<PathBuf>,
    /// The directory of compiled code, or `none`.
    pub code_cache: Option<PathBuf>,
    /// Other components for devices: id, and a component's name or file.
    pub components: Vec<(String, String)>,
}
