//! The door by which a processor reaches the devices.

/// What answers a processor's accesses that neither RAM nor KVM answers.
///
/// Every call is one access of 1, 2, 4 or 8 bytes, little-endian, in `data`; a
/// string instruction with a repeat count arrives as single accesses in guest
/// order. Calls come from the vCPU threads, several at once when the machine
/// has several processors, and never while a lock of this room is held. A call
/// may set lines ([`Interrupts::set_line`](crate::vm::Interrupts::set_line))
/// and change RAM windows
/// ([`Memory::set_windows`](crate::vm::Memory::set_windows)). It must not
/// pause, resume, reset or stop the machine: those wait for the call to return.
pub trait Door: Send + Sync {
    /// Reads `data.len()` bytes from I/O port `port`. `data` holds no defined
    /// value before the call and must be filled.
    fn port_read(&self, port: u16, data: &mut [u8]);

    /// Writes `data` to I/O port `port`.
    fn port_write(&self, port: u16, data: &[u8]);

    /// Reads `data.len()` bytes at physical address `address`. `data` holds no
    /// defined value before the call and must be filled.
    fn memory_read(&self, address: u64, data: &mut [u8]);

    /// Writes `data` at physical address `address`. A write to a ROM arrives here
    /// too.
    fn memory_write(&self, address: u64, data: &[u8]);

    /// A processor asks the interrupt controller that drives its pin for a vector;
    /// none if there is no such controller.
    fn acknowledge_interrupt(&self) -> Option<u8> {
        None
    }

    /// A processor has ended a level-triggered interrupt.
    fn end_interrupt(&self, _vector: u8) {}

    /// Called once on each vCPU thread before it first runs the guest, for what
    /// has to be prepared thread by thread.
    fn thread_started(&self);
}
