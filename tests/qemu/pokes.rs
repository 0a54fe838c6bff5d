//! What guests do to devices, so that their state is not that of power-on.

use super::ports::{PM, Ports, SMBUS, function, run, smbus};

/// Clears all bits of SMBHSTSTS that can be.
const CLEAR: u8 = 0xfe;

/// Uses every device of a machine, and leaves a transfer in flight.
pub(crate) fn poke(machine: &mut dyn Ports, is_xen: bool) {
    host_bridge(machine);
    isa_bridge(machine);
    power_management(machine);
    hot_plug(machine);
    if is_xen {
        xen_platform(machine);
    }
    serial(machine);
    smbus_transfers(machine);
    smbus_transfer_in_flight(machine);
    // CONFADD itself is a register; this one is nobody's.
    machine.select(0xfa, 0x54);
}

fn host_bridge(machine: &mut dyn Ports) {
    // PAM: all four ways to map a segment, in different places.
    machine.configure(function::HOST_BRIDGE, 0x58, 4, 0x2213_3000);
    machine.configure(function::HOST_BRIDGE, 0x5c, 4, 0x0310_3301);
    // SMRAM, not yet open.
    machine.configure(function::HOST_BRIDGE, 0x72, 1, 0x0a);
    // MLT, and a register that nothing looks at.
    machine.configure(function::HOST_BRIDGE, 0x0d, 1, 0x40);
    machine.configure(function::HOST_BRIDGE, 0x50, 2, 0xbeef);
}

fn isa_bridge(machine: &mut dyn Ports) {
    // PIRQRC: three pins routed, one not.
    machine.configure(function::ISA_BRIDGE, 0x60, 4, 0x0580_0b0a);
    machine.configure(function::ISA_BRIDGE, 0x4e, 2, 0x00c3);
    // RCR: a hard reset is chosen, and not made.
    machine.write(0xcf9, 1, 0x02);
}

fn power_management(machine: &mut dyn Ports) {
    let function = function::POWER_MANAGEMENT;
    machine.configure(function, 0x40, 4, u64::from(PM) | 1);
    // PMIOSE in PMREGMISC.
    machine.configure(function, 0x80, 1, 0x01);
    machine.configure(function, 0x04, 2, 0x0001);
    machine.configure(function, 0x3c, 1, 0x09);
    machine.configure(function, 0x58, 2, 0x1234);
    // PMEN; PMCNTRL with a sleep type, and without SUS_EN.
    machine.write(PM + 2, 2, 0x0521);
    machine.write(PM + 4, 2, 0x1401);
    // GPE0_EN; nothing sets a bit of GPE0_STS here.
    machine.write(0xafe2, 1, 0x07);
    machine.write(0xafe3, 1, 0x80);
    // APMS, and a command in APMC that is none.
    machine.write(0xb3, 1, 0x5a);
    machine.write(0xb2, 1, 0x33);
}

/// QEMU's own registers.
fn hot_plug(machine: &mut dyn Ports) {
    // The bus that PCI hot plug is about, and the slot of memory hot plug.
    machine.write(0xae10, 4, 5);
    machine.write(0x0a00, 4, 3);
}

fn xen_platform(machine: &mut dyn Ports) {
    let function = function::XEN_PLATFORM;
    machine.configure(function, 0x10, 4, 0xc000);
    machine.configure(function, 0x14, 4, 0xf200_0000);
    machine.configure(function, 0x04, 2, 0x0003);
    machine.configure(function, 0x3c, 1, 0x0b);
    // Flags: PFFLAG_ROM_LOCK.
    machine.write(0x10, 1, 0x01);
}

/// COM1: LCR with DLAB, the divisor, LCR, IER, MCR, SCR (16550, 8.0).
fn serial(machine: &mut dyn Ports) {
    machine.write_all(
        0x3f8,
        &[(3, 0x80), (0, 0x0c), (1, 0x00), (3, 0x03), (1, 0x05), (4, 0x0b), (7, 0xa5)],
    );
}

fn smbus_transfers(machine: &mut dyn Ports) {
    use smbus::{BLKDAT, HSTADD, HSTCMD, HSTCNT, HSTDAT0, HSTDAT1, HSTSTS};

    // A byte to the EEPROM at 0x50, run by the first read of the status.
    machine.write_all(SMBUS, &[(HSTSTS, CLEAR), (HSTADD, 0xa0), (HSTCMD, 0x10), (HSTDAT0, 0x77)]);
    machine.write(SMBUS + HSTCNT, 1, run::BYTE_DATA.into());
    machine.read(SMBUS + HSTSTS, 1);
    machine.read(SMBUS + HSTSTS, 1);
    // A word to 0x51.
    machine.write_all(
        SMBUS,
        &[
            (HSTSTS, CLEAR),
            (HSTADD, 0xa2),
            (HSTCMD, 0x20),
            (HSTDAT0, 0x34),
            (HSTDAT1, 0x12),
            (HSTCNT, run::WORD_DATA),
        ],
    );
    machine.read(SMBUS + HSTSTS, 1);
    // A block to 0x52, through the buffer: the bytes are set before it runs.
    machine.write_all(SMBUS, &[(HSTSTS, CLEAR), (HSTADD, 0xa4), (HSTCMD, 0x08), (HSTDAT0, 0x04)]);
    machine.read(SMBUS + HSTCNT, 1);
    machine.write_all(SMBUS, &[(BLKDAT, 0x11), (BLKDAT, 0x22), (BLKDAT, 0x33), (BLKDAT, 0x44)]);
    machine.write(SMBUS + HSTCNT, 1, run::BLOCK.into());
    machine.read(SMBUS + HSTSTS, 1);
}

/// What is in the EEPROM at 0x53, from offset 5.
pub(crate) const READ_IN_FLIGHT: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

/// A read of the EEPROM at 0x53, stopped after its first byte.
fn smbus_transfer_in_flight(machine: &mut dyn Ports) {
    use smbus::{BLKDAT, HSTADD, HSTCMD, HSTCNT, HSTDAT0, HSTDAT1, HSTSTS};

    for (offset, byte) in (5..).zip(READ_IN_FLIGHT) {
        machine.write_all(
            SMBUS,
            &[(HSTSTS, CLEAR), (HSTADD, 0xa6), (HSTCMD, offset), (HSTDAT0, byte)],
        );
        machine.write(SMBUS + HSTCNT, 1, run::BYTE_DATA_AT_ONCE.into());
    }
    machine.write_all(
        SMBUS,
        &[
            (HSTSTS, CLEAR),
            (HSTADD, 0xa6),
            (HSTCMD, 0x00),
            (HSTDAT0, 0x00),
            (HSTDAT1, 0x05),
            (HSTCNT, run::I2C_READ_AT_ONCE),
        ],
    );
    machine.read(SMBUS + BLKDAT, 1);
}
