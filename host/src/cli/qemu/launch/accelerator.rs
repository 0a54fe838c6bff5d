//! What runs the machine: KVM, or clients of the test protocol.

use std::sync::Arc;

use anyhow::anyhow;

use super::drives::Drives;
use super::{backends, firmware};
use crate::cli::Result;
use crate::cli::qemu::invocation::{Accelerator, Images, Invocation, RebootAction, ShutdownAction};
use crate::control::qtest::Qtest;
use crate::guest::{Boot, Guest, Inbox, Policy, Processors as _, Setup, Start};
use crate::library::Library;
use crate::machine::file::{Irqchip, MachineType, Parameters};
use crate::machine::{Backends, Plan};
use crate::vm::boot::Kernel;
use crate::vm::{Image, InterruptController, RamLayout};

/// A machine that waits to be run.
pub(super) struct Started {
    pub(super) guest: Arc<Guest>,
    pub(super) inbox: Inbox,
    pub(super) plan: Plan,
    /// The machine as its test clients reach it, if they take the processors' place.
    pub(super) qtest: Option<Arc<Qtest>>,
}

/// Starts the machine on the first accelerator there is.
pub(super) fn start(
    program: &str,
    invocation: &Invocation,
    library: &Library,
    drives: &Drives,
    backends: &Backends,
) -> Result<Started> {
    let mut last = None;
    for accelerator in &invocation.accelerators {
        if let Some(error) = last.take() {
            eprintln!("{program}: {error}");
        }
        let irqchip = match accelerator {
            Accelerator::Kvm => invocation.irqchip,
            Accelerator::Qtest => Irqchip::Devices,
        };
        let mut machine = invocation.equip(library)?;
        drives.tell(&mut machine);
        let roms = backends::roms(program, &machine, &invocation.images)?;
        let backends = Backends { roms, ..backends.clone() };
        let plan = plan(invocation, &machine, library, irqchip)?;
        let started = match accelerator {
            Accelerator::Kvm => kvm(invocation, plan, backends),
            Accelerator::Qtest => qtest(invocation, plan, &backends),
        };
        match started {
            Ok(started) => return Ok(started),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| anyhow!("no accelerator found")))
}

fn kvm(invocation: &Invocation, plan: Plan, backends: Backends) -> Result<Started> {
    let setup = Setup {
        cpus: invocation.cpus,
        ram: ram(invocation),
        interrupts: match invocation.irqchip {
            Irqchip::Kernel => InterruptController::Kernel,
            Irqchip::Split => InterruptController::Local,
            Irqchip::Devices => InterruptController::None,
        },
        boot: boot(&invocation.images)?,
        backends,
    };
    let (guest, inbox) = Guest::start(&plan, policy(invocation), setup)?;
    Ok(Started { guest, inbox, plan, qtest: None })
}

fn qtest(invocation: &Invocation, plan: Plan, backends: &Backends) -> Result<Started> {
    // Nothing executes a kernel. The firmware is memory that clients can look at.
    let rom = match invocation.images.kernel {
        Some(_) => None,
        None => Some(firmware::load(&invocation.images)?),
    };
    let mut made = None;
    let policy = policy(invocation);
    let runs = policy.start == Start::Running;
    let (guest, inbox) = Guest::with(policy, |post| {
        let qtest = Qtest::build(&plan, &ram(invocation), rom, backends, post.power(None))?;
        let qtest = Arc::new(qtest);
        if !runs {
            qtest.stop();
        }
        made = Some(qtest.clone());
        Ok::<_, anyhow::Error>(qtest)
    })?;
    Ok(Started { guest, inbox, plan, qtest: made })
}

/// The machine with all that was asked for.
fn plan(
    invocation: &Invocation,
    machine: &MachineType,
    library: &Library,
    irqchip: Irqchip,
) -> Result<Plan> {
    let parameters = Parameters { irqchip, ..Parameters::new(invocation.cpus, invocation.memory) };
    Ok(Plan::new(machine, &[], library, parameters)?)
}

fn policy(invocation: &Invocation) -> Policy {
    let start = match (&invocation.incoming, invocation.paused) {
        (None, false) => Start::Running,
        (None, true) => Start::Paused,
        (Some(_), false) => Start::Incoming,
        (Some(_), true) => Start::IncomingPaused,
    };
    Policy {
        start,
        stays_when_off: invocation.actions.shutdown == ShutdownAction::Pause,
        reset_is_shutdown: invocation.actions.reboot == RebootAction::Shutdown,
        stays_when_failed: true,
    }
}

fn ram(invocation: &Invocation) -> RamLayout {
    let layout = &invocation.machine.memory;
    RamLayout {
        size: invocation.memory,
        below_4g_limit: layout.max_ram_below_4g,
        below_4g_split: layout.split_at,
    }
}

fn boot(images: &Images) -> Result<Boot> {
    let Some(kernel) = &images.kernel else {
        return Ok(Boot::Firmware(firmware::load(images)?));
    };
    let mut kernel = Kernel::new(Image::read(kernel)?);
    kernel.initrd = images.initrd.as_deref().map(Image::read).transpose()?;
    kernel.command_line = images.append.clone().unwrap_or_default();
    Ok(Boot::Kernel(kernel))
}
