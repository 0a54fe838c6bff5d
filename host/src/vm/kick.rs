//! Interrupting a processor: the signal that makes `KVM_RUN` return.
//!
//! The protocol, which loses no kick:
//!
//! 1. Whoever wants a vCPU's attention first records why, where the vCPU's
//!    thread will look (under a lock, or in an atomic), and then sends the
//!    thread the signal.
//! 2. The signal's handler runs on that thread and sets `immediate_exit` in the
//!    thread's `kvm_run` page; nothing else. If the thread is in the guest, the
//!    signal also makes it leave.
//! 3. The vCPU's loop calls `KVM_RUN` until that returns `EINTR`, which it does
//!    at once while `immediate_exit` is set. It then clears `immediate_exit`
//!    and only after that looks for the reason.
//!
//! A signal that arrives before the clearing has its reason recorded before the
//! look; one that arrives after it makes the next `KVM_RUN` return at once. So
//! the loop needs no check of its own before it enters the guest.
//!
//! `KVM_RUN` completes the last exit (puts the value of a port read into the
//! register) before it looks at `immediate_exit`. After `EINTR`, therefore, no
//! access is half done and the registers are those between two instructions.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::JoinHandle;

use vmm_sys_util::signal::{Killable, SIGRTMIN, register_signal_handler, unblock_signal};

use super::Error;
use super::sync::lock;

thread_local! {
    /// This thread's `kvm_run.immediate_exit`, null if it runs no vCPU. A
    /// constant start value and no destructor: the signal handler's access is a
    /// plain load.
    static IMMEDIATE_EXIT: Cell<*mut u8> = const { Cell::new(ptr::null_mut()) };
}

/// The handler of the kick signal. `T` stands for the C type `siginfo_t`.
extern "C" fn on_kick<T>(_signal: c_int, _info: *mut T, _context: *mut c_void) {
    let flag = IMMEDIATE_EXIT.get();
    if !flag.is_null() {
        // SAFETY: a non-null pointer is that of a live `Listening` of this very
        // thread, whose creator vouches for it.
        unsafe { AtomicU8::from_ptr(flag) }.store(1, Ordering::Relaxed);
    }
}

/// Installs the signal's handler, once per process.
pub(super) fn install() -> Result<(), Error> {
    static INSTALLED: OnceLock<Result<(), kvm_ioctls::Error>> = OnceLock::new();
    INSTALLED
        .get_or_init(|| register_signal_handler(SIGRTMIN(), on_kick))
        .map_err(Error::kvm("be interrupted by a real-time signal"))
}

/// While it lives, kicks of this thread reach its vCPU.
pub(super) struct Listening(());

impl Listening {
    /// Makes kicks of this thread set `immediate_exit`.
    ///
    /// # Safety
    ///
    /// `immediate_exit` must stay valid for writes until the value is dropped,
    /// which must happen on this thread.
    pub(super) unsafe fn new(immediate_exit: *mut u8) -> Self {
        IMMEDIATE_EXIT.set(immediate_exit);
        // The thread inherited its mask from one that may block the signal. It
        // can only fail for a number that is no signal.
        let _ = unblock_signal(SIGRTMIN());
        Self(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        IMMEDIATE_EXIT.set(ptr::null_mut());
    }
}

/// The vCPU threads, by processor.
#[derive(Default)]
pub(super) struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    /// Adds the thread of the next processor.
    pub(super) fn push(&self, thread: JoinHandle<()>) {
        lock(&self.0).push(thread);
    }

    /// Kicks the given processors. One whose thread has ended needs no kick.
    pub(super) fn kick(&self, cpus: impl Iterator<Item = usize>) {
        let threads = lock(&self.0);
        for thread in cpus.filter_map(|cpu| threads.get(cpu)) {
            // Fails only if the thread has ended; the handle is not joined, so
            // its identity is still that thread's.
            let _ = thread.kill(SIGRTMIN());
        }
    }

    /// Kicks a processor unless this is its own thread, which is out of the guest
    /// already.
    pub(super) fn kick_others(&self, cpu: usize) {
        let own = std::thread::current().id();
        let threads = lock(&self.0);
        if let Some(thread) = threads.get(cpu).filter(|thread| thread.thread().id() != own) {
            let _ = thread.kill(SIGRTMIN());
        }
    }

    /// Joins all threads. Each has its own guard against panics.
    pub(super) fn join(&self) {
        let threads = std::mem::take(&mut *lock(&self.0));
        for thread in threads {
            let _ = thread.join();
        }
    }
}
