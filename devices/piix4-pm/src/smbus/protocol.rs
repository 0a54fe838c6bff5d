//! The protocols of the System Management Bus specification 2.0, chapter 5.5,
//! with QEMU's choice of where a missing acknowledge matters: at a start only.

use southbridge_sdk::Context;

use super::i2c::I2cBus;

/// The most bytes a block can have (5.5.7).
pub(crate) const BLOCK: usize = 32;

/// No target acknowledged.
pub(crate) struct NoAcknowledge;

type Outcome<T> = Result<T, NoAcknowledge>;

impl I2cBus {
    fn require(&mut self, cx: &mut Context<'_>, address: u8, read: bool) -> Outcome<()> {
        if self.start(cx, address, read) { Ok(()) } else { Err(NoAcknowledge) }
    }

    /// Quick command: the direction bit is all there is.
    pub(crate) fn quick(&mut self, cx: &mut Context<'_>, address: u8, read: bool) -> Outcome<()> {
        self.require(cx, address, read)?;
        self.stop(cx);
        Ok(())
    }

    /// Send byte, write byte, write word, and the fixed part of a block write.
    pub(crate) fn write(
        &mut self,
        cx: &mut Context<'_>,
        address: u8,
        bytes: impl IntoIterator<Item = u8>,
    ) -> Outcome<()> {
        self.require(cx, address, false)?;
        for byte in bytes {
            self.send(cx, byte);
        }
        self.stop(cx);
        Ok(())
    }

    /// Receive byte.
    pub(crate) fn receive_byte(&mut self, cx: &mut Context<'_>, address: u8) -> Outcome<u8> {
        self.require(cx, address, true)?;
        let byte = self.receive(cx);
        self.nack(cx);
        self.stop(cx);
        Ok(byte)
    }

    /// Read byte, read word.
    pub(crate) fn read<const N: usize>(
        &mut self,
        cx: &mut Context<'_>,
        address: u8,
        command: u8,
    ) -> Outcome<[u8; N]> {
        self.turn_around(cx, address, command)?;
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.receive(cx);
        }
        self.nack(cx);
        self.stop(cx);
        Ok(bytes)
    }

    /// Block read. Returns the length; a length that does not fit counts as
    /// zero. With `plain`, as in an I2C transfer, there is neither a command
    /// nor a length on the wire, and the whole of `data` is filled.
    pub(crate) fn read_block(
        &mut self,
        cx: &mut Context<'_>,
        address: u8,
        command: u8,
        data: &mut [u8; BLOCK],
        plain: bool,
    ) -> Outcome<u8> {
        let length = if plain {
            self.require(cx, address, true)?;
            BLOCK as u8
        } else {
            self.turn_around(cx, address, command)?;
            self.receive(cx)
        };
        let length = if usize::from(length) > BLOCK { 0 } else { length };
        for byte in data.iter_mut().take(length.into()) {
            *byte = self.receive(cx);
        }
        self.nack(cx);
        self.stop(cx);
        Ok(length)
    }

    /// Block write of the first `length` bytes; with `plain` the length itself
    /// is not sent.
    pub(crate) fn write_block(
        &mut self,
        cx: &mut Context<'_>,
        address: u8,
        command: u8,
        data: &[u8; BLOCK],
        length: u8,
        plain: bool,
    ) -> Outcome<()> {
        let length = length.min(BLOCK as u8);
        let head = [command].into_iter().chain((!plain).then_some(length));
        self.write(cx, address, head.chain(data.iter().copied().take(length.into())))
    }

    /// Sends a command and turns to reading.
    fn turn_around(&mut self, cx: &mut Context<'_>, address: u8, command: u8) -> Outcome<()> {
        self.require(cx, address, false)?;
        self.send(cx, command);
        let turned = self.require(cx, address, true);
        if turned.is_err() {
            self.stop(cx);
        }
        turned
    }
}
