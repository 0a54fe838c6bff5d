//! What runs the machine: KVM, or clients of the test protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;

use super::firmware;
use crate::cli::Result;
use crate::cli::qemu::invocation::{Accelerator, Images, Invocation, RebootAction, ShutdownAction};
use crate::control::qtest::Qtest;
use crate::guest::{Boot, Guest, Inbox, Policy, Setup, Start};
use crate::machine::{Plan, Stream};
use crate::vm::boot::Kernel;
use crate::vm::{Image, InterruptController, RamLayout};

/// A machine that waits to be run.
pub(super) struct Started {
    pub(super) guest: Arc<Guest>,
    pub(super) inbox: Inbox,
    /// The machine as its test clients reach it, if they take the processors' place.
    pub(super) qtest: Option<Arc<Qtest>>,
}

/// Starts the machine on the first accelerator there is.
pub(super) fn start(
    program: &str,
    invocation: &Invocation,
    plan: &Plan,
    streams: BTreeMap<String, Arc<Stream>>,
) -> Result<Started> {
    let mut last = None;
    for accelerator in &invocation.accelerators {
        if let Some(error) = last.take() {
            eprintln!("{program}: {error}");
        }
        let started = match accelerator {
            Accelerator::Kvm => kvm(invocation, plan, streams.clone()),
            Accelerator::Qtest => qtest(invocation, plan, &streams),
        };
        match started {
            Ok(started) => return Ok(started),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| anyhow!("no accelerator found")))
}

fn kvm(
    invocation: &Invocation,
    plan: &Plan,
    streams: BTreeMap<String, Arc<Stream>>,
) -> Result<Started> {
    let setup = Setup {
        cpus: invocation.cpus,
        ram: ram(invocation),
        interrupts: InterruptController::Kernel,
        boot: boot(&invocation.images)?,
        streams,
    };
    let (guest, inbox) = Guest::start(plan, policy(invocation), setup)?;
    Ok(Started { guest, inbox, qtest: None })
}

fn qtest(
    invocation: &Invocation,
    plan: &Plan,
    streams: &BTreeMap<String, Arc<Stream>>,
) -> Result<Started> {
    // Nothing executes a kernel. The firmware is memory that clients can look at.
    let rom = match invocation.images.kernel {
        Some(_) => None,
        None => Some(firmware::load(&invocation.images)?),
    };
    let mut made = None;
    let (guest, inbox) = Guest::with(policy(invocation), |post| {
        let qtest = Qtest::build(plan, &ram(invocation), rom, streams, post.power())?;
        let qtest = Arc::new(qtest);
        made = Some(qtest.clone());
        Ok::<_, anyhow::Error>(qtest)
    })?;
    Ok(Started { guest, inbox, qtest: made })
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
