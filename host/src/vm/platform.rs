//! A machine without its processors: KVM opened and checked, memory, interrupt
//! controllers.

use std::sync::Arc;

use kvm_bindings::KVM_API_VERSION;
use kvm_ioctls::{Cap, Kvm, VmFd};
use rustix::io::Errno;

use super::control::Control;
use super::gate::Gate;
use super::hold::Hold;
use super::interrupts::{InterruptController, Interrupts};
use super::kick::Threads;
use super::memory::{Memory, RamLayout, RamWindow, Rom};
use super::{Error, kick};

/// The largest number of processors a machine can have.
pub const MAX_CPUS: usize = 8;

/// Where KVM may put the page tables and the task state segment it needs for
/// real mode on Intel processors without unrestricted guests: four pages that
/// no guest uses, below the largest firmware, as in QEMU.
pub const KVM_PAGES: u64 = 0xfeff_c000;

/// The size of the pages at [`KVM_PAGES`], in bytes.
pub(super) const KVM_PAGES_SIZE: u64 = 4 << 12;

const REQUIRED: [(Cap, &str); 13] = [
    (Cap::UserMemory, "KVM_CAP_USER_MEMORY"),
    (Cap::DestroyMemoryRegionWorks, "KVM_CAP_DESTROY_MEMORY_REGION_WORKS"),
    (Cap::ReadonlyMem, "KVM_CAP_READONLY_MEM"),
    (Cap::ImmediateExit, "KVM_CAP_IMMEDIATE_EXIT"),
    (Cap::SetTssAddr, "KVM_CAP_SET_TSS_ADDR"),
    (Cap::SetIdentityMapAddr, "KVM_CAP_SET_IDENTITY_MAP_ADDR"),
    (Cap::ExtCpuid, "KVM_CAP_EXT_CPUID"),
    (Cap::MpState, "KVM_CAP_MP_STATE"),
    (Cap::VcpuEvents, "KVM_CAP_VCPU_EVENTS"),
    (Cap::Xsave, "KVM_CAP_XSAVE"),
    (Cap::Debugregs, "KVM_CAP_DEBUGREGS"),
    (Cap::Irqchip, "KVM_CAP_IRQCHIP"),
    (Cap::PitState2, "KVM_CAP_PIT_STATE2"),
];

/// What a machine consists of.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many processors, 1 to [`MAX_CPUS`].
    pub cpus: usize,
    /// How much RAM, and where.
    pub ram: RamLayout,
    /// The RAM windows, which are later called by their position here.
    pub windows: Vec<RamWindow>,
    /// The firmware, if there is any.
    pub rom: Option<Rom>,
    /// The interrupt controllers.
    pub interrupts: InterruptController,
}

/// A machine whose processors are still to be created, by
/// [`Vm::start`](super::Vm::start).
pub struct Platform {
    pub(super) kvm: Kvm,
    pub(super) vm: Arc<VmFd>,
    pub(super) cpus: usize,
    pub(super) threads: Arc<Threads>,
    pub(super) control: Arc<Control>,
    pub(super) gate: Arc<Gate>,
    pub(super) memory: Arc<Memory>,
    pub(super) interrupts: Arc<Interrupts>,
}

impl Platform {
    /// Opens KVM and makes memory and interrupt controllers.
    ///
    /// # Errors
    ///
    /// KVM is missing, not permitted or too old; a number in `config` is out of
    /// range; the host lacks memory.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let cpus = config.cpus;
        if !(1..=MAX_CPUS).contains(&cpus) {
            return Err(Error::CpuCount(cpus));
        }
        if cpus > 1 && config.interrupts == InterruptController::None {
            return Err(Error::CpusWithoutController(cpus));
        }
        // Before KVM is asked for: whoever gives a bad size learns of that even
        // where there is no KVM.
        config.ram.parts()?;
        let kvm = open()?;
        kick::install()?;
        let vm = Arc::new(kvm.create_vm().map_err(Error::kvm("create a machine"))?);
        vm.set_identity_map_address(KVM_PAGES).map_err(Error::kvm("place its page table"))?;
        vm.set_tss_address((KVM_PAGES + 0x1000) as usize)
            .map_err(Error::kvm("place its task state segment"))?;
        let threads = Arc::new(Threads::default());
        let control = Arc::new(Control::new(cpus, threads.clone()));
        let gate = Arc::new(Gate::new(cpus, threads.clone()));
        let memory = Memory::new(
            vm.clone(),
            gate.clone(),
            &config.ram,
            &config.windows,
            config.rom.as_ref(),
        )?;
        let interrupts = Interrupts::new(vm.clone(), config.interrupts, threads.clone())?;
        Ok(Self {
            kvm,
            vm,
            cpus,
            threads,
            control,
            gate,
            memory: Arc::new(memory),
            interrupts: Arc::new(interrupts),
        })
    }

    /// The machine's memory.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// The machine's interrupt lines.
    pub fn interrupts(&self) -> &Arc<Interrupts> {
        &self.interrupts
    }

    /// What holds the machine's processors.
    pub fn hold(&self) -> Hold {
        Hold(self.control.clone())
    }
}

/// Opens `/dev/kvm` and checks that it can do all that is needed.
fn open() -> Result<Kvm, Error> {
    let kvm = Kvm::new().map_err(open_error)?;
    let version = kvm.get_api_version();
    if version != KVM_API_VERSION as i32 {
        return Err(Error::ApiVersion(version));
    }
    match REQUIRED.iter().find(|(cap, _)| !kvm.check_extension(*cap)) {
        Some(&(_, name)) => Err(Error::MissingCapability(name)),
        None => Ok(kvm),
    }
}

fn open_error(error: kvm_ioctls::Error) -> Error {
    match Errno::from_raw_os_error(error.errno()) {
        // No driver behind the device node, or no node.
        Errno::NOENT | Errno::NODEV | Errno::NXIO => Error::NoKvm,
        Errno::ACCESS | Errno::PERM => Error::KvmPermission,
        _ => Error::OpenKvm(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_do_when_kvm_cannot_be_opened() {
        let message =
            |errno: Errno| open_error(kvm_ioctls::Error::new(errno.raw_os_error())).to_string();
        assert!(message(Errno::NOENT).starts_with("/dev/kvm does not exist: load kvm_intel"));
        assert!(message(Errno::ACCESS).contains("add the user to the group kvm"));
        assert!(message(Errno::MFILE).starts_with("cannot open /dev/kvm: "));
    }
}
