//! `southbridge run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use clap::{ArgGroup, Args, ValueEnum};

use super::Result;
use super::args::{self, Console, Pair};
use super::components::Components;
use super::drives;
use super::machine::Machines;
use super::output::Output;
use super::qemu::{Drive, Drives, tell};
use super::report::Report;
use super::shares::{Shares, Sharing};
use super::signals::{self, Hangup, Held, Release};
use super::state::Source;
use super::streams::{CONSOLE, Connections};
use super::terminal::Terminal;
use crate::chardev::{Backend, ESCAPE};
use crate::control::ControlServer;
use crate::control::metrics::{MetricsAddress, MetricsServer};
use crate::control::qmp::{self, Chardev, Qmp};
use crate::guest::{Boot, Guest, Policy, Setup};
use crate::library::Library;
use crate::machine::file::{Origin, Parameters};
use crate::machine::{Backends, DeviceRequest, Plan};
use crate::vm::boot::{Format, Kernel};
use crate::vm::{Image, InterruptController, MAX_CPUS, RamLayout, Rom};

const EXAMPLES: &str = "\
Examples:
  southbridge run --kernel guest.elf --device isa-debug-exit
  southbridge run --kernel bzImage --initrd initrd.gz --append 'console=ttyS0' --memory 512M
  southbridge run --firmware bios.bin --device isa-debugcon --stream debugcon=stderr
  southbridge run --firmware bios.bin --drive ide0=disk.img
  southbridge run --kernel guest.elf --device ./egg-timer.wasm,addr=5,limit.memory-mib=8
  southbridge run --kernel guest.elf --component pm=./piix4-pm.wasm --control /tmp/guest.sock
  southbridge run --kernel guest.elf --metrics 127.0.0.1:9100";

/// Run a guest.
///
/// Ends as the guest does: with the status it exits with, 0 when it switches
/// itself off, 1 when it cannot go on. Ctrl-C ends the guest; a second one ends
/// the program at once.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("image").required(true).args(["kernel", "firmware"])
)]
pub(super) struct Run {
    /// The machine type's name or alias; `southbridge machine list` has them.
    #[arg(long, value_name = "NAME", default_value = "pc")]
    machine: String,

    #[command(flatten)]
    machines: Machines,

    /// The guest's RAM: a number of MiB, or one with K, M, G or T.
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = args::memory)]
    memory: u64,

    /// The guest's processors.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=MAX_CPUS as i64)
    )]
    cpus: u32,

    /// Start this kernel, without firmware.
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,

    /// What the kernel is: auto, flat, elf, multiboot or bzimage.
    #[arg(long, value_name = "FORMAT", default_value = "auto", conflicts_with = "firmware")]
    format: Format,

    /// The kernel's initial RAM disk, or only module.
    #[arg(long, value_name = "FILE", conflicts_with = "firmware")]
    initrd: Option<PathBuf>,

    /// The kernel's command line.
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "firmware")]
    append: String,

    /// Where a flat kernel is loaded and entered.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "0x100000",
        value_parser = args::address,
        conflicts_with = "firmware"
    )]
    load_address: u32,

    /// Start this firmware, which ends at 4 GiB.
    #[arg(long, value_name = "FILE")]
    firmware: Option<PathBuf>,

    /// Start the devices from this state: a stream of QEMU's, or a file of `xl
    /// save`. Guest memory in it is passed over, and the processors start with
    /// the kernel or the firmware.
    #[arg(long, value_name = "FILE")]
    incoming: Option<PathBuf>,

    /// Leave out the devices that the machine has by default.
    #[arg(long)]
    nodefaults: bool,

    /// Add a device: one of the machine's optional ones, or a component's file. May be
    /// given several times. Besides the device's properties SETTING is bus (the first it
    /// fits into), sha256 of the component, grant (pci-bus, i2c-bus, isa-dma-bus, power,
    /// streams, ram-windows, memories, files, storage, dma:all or dma:START+SIZE; may be
    /// given several times), directory of the host for the grant of files, wire.LINE,
    /// stream.NAME, drive.NAME, rom.NAME or limit.NAME, as in a machine file.
    #[arg(
        long,
        value_name = "NAME|FILE.wasm[,id=ID][,addr=ADDRESS][,SETTING=VALUE]...",
        value_parser = args::device
    )]
    device: Vec<DeviceRequest>,

    /// Put a raw image into a drive of the machine (ide0 to ide3, floppy0, floppy1, or one
    /// that --device names). OPTION is media=cdrom, readonly=on, cache=MODE, rerror=ACTION
    /// or werror=ACTION, as in QEMU. May be given several times.
    #[arg(long, value_name = "NAME=FILE[,OPTION]...", value_parser = drives::drive)]
    drive: Vec<Drive>,

    /// Use another component for a device: a .wasm file, or the name of one in
    /// this program. DEVICE is a device's id in the machine, or the name of an
    /// optional one. May be given several times.
    #[arg(long, value_name = "DEVICE=COMPONENT")]
    component: Vec<Pair<String>>,

    /// Connect the first serial port: stdio, stderr, null or file:PATH; or with
    /// mon:stdio to the terminal together with QEMU's monitor for people: Ctrl-A and c
    /// switch between the two, Ctrl-A and x end the guest, Ctrl-A and h list the keys,
    /// and Ctrl-C is the guest's. Default: stdio.
    #[arg(long, value_name = "TO", value_parser = args::console)]
    serial: Option<Console>,

    /// Connect a stream of the machine (serial0 to serial3, debugcon,
    /// xen-platform-log) to stdio, stderr, null or file:PATH. Default: null. May
    /// be given several times.
    #[arg(long, value_name = "NAME=TO", value_parser = args::stream)]
    stream: Vec<Pair<Backend>>,

    /// Who provides the interrupt controllers and the interval timer.
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Interrupts::Kernel)]
    interrupts: Interrupts,

    /// Make a control socket here: QMP, for `southbridge swap` and others.
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,

    /// Serve metrics for Prometheus at a loopback address or a Unix socket, and
    /// measure the time in the devices.
    #[arg(long, value_name = "127.0.0.1:PORT|[::1]:PORT|unix:PATH")]
    metrics: Option<MetricsAddress>,

    #[command(flatten)]
    components: Components,

    /// End with one JSON object on the last line: how the guest ended, its
    /// exits, and what each device did.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Interrupts {
    /// KVM.
    Kernel,
    /// Nobody: the guest has none.
    None,
}

impl Run {
    pub(super) fn run(&self, output: &Output, verbose: bool) -> Result<u8> {
        let types = self.machines.types()?;
        let mut machine = types.get(&self.machine)?.clone();
        if self.nodefaults {
            machine.leave_out_defaults();
        }
        for Pair { name, value } in &self.component {
            let origin = Origin::outside(&format!("--component {name}={value}"), "");
            machine.replace(name, value, origin)?;
        }
        let ram = RamLayout {
            size: self.memory,
            below_4g_limit: machine.memory.max_ram_below_4g,
            below_4g_split: machine.memory.split_at,
        };
        // A bad size is better said of the option than of a device that hears of
        // it as a property.
        ram.parts()?;
        let boot = self.boot()?;
        let incoming = self.incoming.as_deref().map(Source::read).transpose()?;
        let library = Arc::new(self.components.library()?);
        let parameters = Parameters::new(self.cpus, self.memory);
        let parameters = match self.interrupts {
            Interrupts::Kernel => parameters.with_kernel_irqchip(),
            Interrupts::None => parameters,
        };
        let drives = Drives::open("southbridge", &self.drive);
        let drives = drives.map_err(|error| anyhow!("{error:#}"))?;
        self.drive.iter().for_each(|drive| tell(drive, &mut machine));
        drives.tell(&mut machine);
        let plan = Plan::new(&machine, &self.device, &library, parameters)?;
        drives::check(&self.drive, &plan)?;
        let serial = self.serial.as_ref().map(|console| &console.backend);
        let connections = Connections::new(&plan, serial, &self.stream)?;
        let streams = connections.open()?;
        let setup = Setup {
            cpus: self.cpus,
            ram,
            interrupts: match self.interrupts {
                Interrupts::Kernel => InterruptController::Kernel,
                Interrupts::None => InterruptController::None,
            },
            boot,
            backends: Backends { drives: drives.open, ..Backends::of_streams(streams.outputs()) },
        };
        let (guest, inbox) = Guest::start(&plan, Policy::default(), setup)?;
        if let Some(source) = &incoming {
            source.load(guest.machine(), &types, &library, output)?;
        }

        let held = Held::default();
        let _release = Release(held.clone());
        let told = |signal| tracing::info!(signal, "the guest is ended");
        let received = signals::watch(guest.clone(), held.clone(), Hangup::Heeds, told)
            .map_err(|error| anyhow!("cannot watch for signals: {error}"))?;
        let with_monitor = self.serial.as_ref().is_some_and(|console| console.with_monitor);
        let qmp = (with_monitor || self.control.is_some())
            .then(|| qmp(self.control.as_deref(), &guest, library));
        if let (Some(path), Some(qmp)) = (&self.control, &qmp) {
            held.hold(ControlServer::start(path, qmp)?);
        }
        if let Some(address) = &self.metrics {
            guest.machine().measure_time(true);
            held.hold(MetricsServer::start(address, guest.clone())?);
        }
        let mut shares = Shares::default();
        if let Some(qmp) = qmp.filter(|_| with_monitor) {
            shares.add(CONSOLE, Sharing(qmp.person_monitor()));
        }
        let console = || held.hold_terminal(|| Terminal::enter(!with_monitor));
        streams.attach(&plan, &guest, &mut shares, console)?;
        shares.attach(streams.chardevs(), ESCAPE, &guest)?;

        let start = Instant::now();
        crate::vm::release_code();
        let outcome = guest.run(inbox);
        held.release();
        let report = Report::new(&guest, outcome, start.elapsed(), received.status());
        if verbose {
            output.note(report.text(output).trim_end());
        }
        if let Some(reason) = report.failure() {
            output.error(reason);
        }
        if self.json {
            output.json(&report)?;
        }
        Ok(report.status)
    }

    fn boot(&self) -> Result<Boot> {
        if let Some(firmware) = &self.firmware {
            return Ok(Boot::Firmware(Rom::new(Image::read(firmware)?)?));
        }
        // One of the two is there: clap has seen to it.
        let kernel = self.kernel.as_deref().unwrap_or_else(|| "".as_ref());
        Ok(Boot::Kernel(Kernel {
            image: Image::read(kernel)?,
            format: self.format,
            initrd: self.initrd.as_deref().map(Image::read).transpose()?,
            command_line: self.append.clone(),
            flat_address: self.load_address,
        }))
    }
}

/// The guest's QMP. Its control socket is the one character device that is listed.
fn qmp(control: Option<&Path>, guest: &Arc<Guest>, library: Arc<Library>) -> Qmp {
    let chardev = |path: &Path| Chardev {
        frontend_open: true,
        filename: format!("unix:{},server=on", path.display()),
        label: "control".into(),
    };
    let listed: Vec<_> = control.map(chardev).into_iter().collect();
    let chardevs = Box::new(move || listed.clone());
    Qmp::new(qmp::Setup { chardevs, ..qmp::Setup::new(guest.clone(), library) })
}
