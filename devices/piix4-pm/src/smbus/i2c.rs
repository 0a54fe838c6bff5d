//! The bus: who is addressed.

use southbridge_sdk::Context;

/// The bus's number in the description.
const BUS: u32 = 0;

/// The address that reaches every target.
const GENERAL_CALL: u8 = 0;

/// What `saved_address` holds while no transfer is under way.
pub(crate) const IDLE: u8 = 0xff;

/// The controller's side of the bus.
///
/// As in QEMU, a transfer that has not been stopped keeps its target: a start
/// is then a repeated start for that target, whatever address it names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct I2cBus {
    /// The addressed target.
    pub(crate) target: Option<u8>,
    /// A general call has been made: nothing answers reads.
    pub(crate) broadcast: bool,
}

impl I2cBus {
    /// The bus as a `saved_address` says.
    pub(crate) fn restored(address: u8) -> Self {
        let target = (address != IDLE).then_some(address);
        Self { target, broadcast: address == GENERAL_CALL }
    }

    /// QEMU's `saved_address`.
    pub(crate) fn saved_address(self) -> u8 {
        if self.target.is_some() && self.broadcast {
            GENERAL_CALL
        } else {
            self.target.unwrap_or(IDLE)
        }
    }

    /// Start, or repeated start. Returns whether a target acknowledged.
    pub(crate) fn start(&mut self, cx: &mut Context<'_>, address: u8, read: bool) -> bool {
        if let Some(target) = self.target {
            self.broadcast |= address == GENERAL_CALL;
            if cx.i2c_start(BUS, target, read) {
                return true;
            }
            // The target has been unplugged meanwhile, and the bus is free.
        }
        *self = Self { target: Some(address), broadcast: address == GENERAL_CALL };
        let acknowledged = cx.i2c_start(BUS, address, read);
        if !acknowledged {
            self.stop(cx);
        }
        acknowledged
    }

    /// Sends a byte. Returns whether it was acknowledged; without a target QEMU
    /// counts it as such.
    pub(crate) fn send(self, cx: &mut Context<'_>, byte: u8) -> bool {
        self.target.is_none_or(|target| cx.i2c_send(BUS, target, byte))
    }

    /// Receives a byte; ones if there is nothing that could send.
    pub(crate) fn receive(self, cx: &mut Context<'_>) -> u8 {
        match self.target {
            Some(target) if !self.broadcast => cx.i2c_receive(BUS, target),
            _ => 0xff,
        }
    }

    /// Does not acknowledge the last byte received.
    pub(crate) fn nack(self, cx: &mut Context<'_>) {
        if let Some(target) = self.target {
            cx.i2c_nack(BUS, target);
        }
    }

    /// Stop.
    pub(crate) fn stop(&mut self, cx: &mut Context<'_>) {
        if let Some(target) = self.target {
            cx.i2c_stop(BUS, target);
        }
        *self = Self::default();
    }
}
