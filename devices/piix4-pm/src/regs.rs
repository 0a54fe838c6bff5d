//! Registers, with the names of the data sheet (Intel 82371AB, order number
//! 290562, chapter 7).

use bitfield_struct::bitfield;

/// Configuration registers of function 3 (chapter 7.1).
pub(crate) mod configuration {
    /// DEVACTB: what counts as activity; 32 bits.
    pub(crate) const DEVACTB: usize = 0x58;
    /// The byte of DEVACTB that holds APMC_EN.
    pub(crate) const DEVACTB_APMC: usize = 0x5b;
    /// APMC_EN in that byte.
    pub(crate) const APMC_EN: u64 = 1 << 1;
    /// DEVRESA, byte 3: bit 7 is LPT_MON_EN as QEMU reports a parallel port.
    pub(crate) const DEVRESA_LPT: usize = 0x5f;
    /// DEVRESB, byte 3.
    pub(crate) const DEVRESB_ENABLE: usize = 0x63;
    /// DEVRESC, byte 3: bit 3 for COM1, bits 7 and 4 for COM2.
    pub(crate) const DEVRESC_COM: usize = 0x67;
    /// PMBA: base of the power management registers, bits 15 to 6.
    pub(crate) const PMBA: usize = 0x40;
    /// PMREGMISC: bit 0 is PMIOSE, which enables them.
    pub(crate) const PMREGMISC: usize = 0x80;
    /// SMBBA: base of the SMBus registers. The data sheet decodes bits 15 to 4,
    /// QEMU bits 15 to 6.
    pub(crate) const SMBBA: usize = 0x90;
    /// SMBHSTCFG: bit 0 is SMB_HST_EN, which enables them; bits 3 to 1 select
    /// the interrupt, 4 is IRQ9.
    pub(crate) const SMBHSTCFG: usize = 0xd2;
    /// The bits of a base register that QEMU decodes.
    pub(crate) const BASE: u64 = 0xffc0;
    /// The read-only bit of a base register that says: I/O space.
    pub(crate) const IO_SPACE: u64 = 1;
}

/// Bits of PMSTS and PMEN (7.2.1, 7.2.2).
pub(crate) mod event {
    /// TMROF: bit 23 of the power management timer has changed.
    pub(crate) const TMROF: u16 = 1 << 0;
    /// GBL: the BIOS has released the global lock.
    pub(crate) const GBL: u16 = 1 << 5;
    /// PWRBTN: the power button.
    pub(crate) const PWRBTN: u16 = 1 << 8;
    /// RTC: the alarm of the real-time clock.
    pub(crate) const RTC: u16 = 1 << 10;
    /// RSM_STS: the machine has been resumed.
    pub(crate) const RSM: u16 = 1 << 15;
    /// What raises the SCI.
    pub(crate) const SCI: u16 = TMROF | GBL | PWRBTN | RTC;
}

/// PMCNTRL (7.2.3).
#[bitfield(u16)]
pub(crate) struct PowerControl {
    /// SCI_EN: the events above raise the SCI. QEMU raises it in any case.
    pub(crate) sci_en: bool,
    #[bits(9)]
    __: u16,
    /// SUS_TYP: the sleep type; the numbers are QEMU's.
    #[bits(3)]
    pub(crate) sus_typ: u8,
    /// SUS_EN: go to sleep. Reads as zero.
    pub(crate) sus_en: bool,
    #[bits(2)]
    __: u16,
}

/// SMBHSTSTS (7.3.1). Bit 7 is the ICH9's (14.2.1 of its data sheet): QEMU's
/// controller is a mixture.
#[bitfield(u8)]
pub(crate) struct HostStatus {
    /// HOST_BUSY: a transaction is under way.
    pub(crate) host_busy: bool,
    /// INTER: the transaction has ended.
    pub(crate) inter: bool,
    /// DEV_ERR: the device did not answer, or the command is not legal.
    pub(crate) dev_err: bool,
    /// BUS_ERR: never set here.
    pub(crate) bus_err: bool,
    /// FAILED: the transaction was killed.
    pub(crate) failed: bool,
    #[bits(2)]
    __: u8,
    /// BYTE_DONE: a byte of a block has been transferred.
    pub(crate) byte_done: bool,
}

/// SMBHSTCNT (7.3.3), with the ICH9's bits 5 and 7.
#[bitfield(u8)]
pub(crate) struct HostControl {
    /// INTEREN: interrupt at the end. Here it only makes transactions run at
    /// once.
    pub(crate) intren: bool,
    /// KILL: abandon the transaction.
    pub(crate) kill: bool,
    /// SMB_CMD_PROT: the protocol.
    #[bits(3)]
    pub(crate) protocol: u8,
    /// LAST_BYTE: the next byte is the last of a block read.
    pub(crate) last_byte: bool,
    /// START: run a transaction. Reads as zero.
    pub(crate) start: bool,
    /// PEC_EN: no effect here.
    pub(crate) pec_en: bool,
}

/// Bits of SMBHSTCNT that read back.
pub(crate) const HOST_CONTROL_READABLE: u8 = 0x1f;

/// Values of SMB_CMD_PROT (7.3.3); 6 is the ICH9's.
pub(crate) mod protocol {
    /// Quick read or write.
    pub(crate) const QUICK: u8 = 0;
    /// Byte read or write.
    pub(crate) const BYTE: u8 = 1;
    /// Byte data read or write.
    pub(crate) const BYTE_DATA: u8 = 2;
    /// Word data read or write.
    pub(crate) const WORD_DATA: u8 = 3;
    /// Block read or write. (4, the ICH9's process call, QEMU refuses.)
    pub(crate) const BLOCK: u8 = 5;
    /// I2C read.
    pub(crate) const I2C_READ: u8 = 6;
}

/// Offsets of the SMBus registers (7.3); AUX_CTL is the ICH9's.
pub(crate) mod smbus {
    /// SMBHSTSTS.
    pub(crate) const HSTSTS: u64 = 0x0;
    /// SMBHSTCNT.
    pub(crate) const HSTCNT: u64 = 0x2;
    /// SMBHSTCMD.
    pub(crate) const HSTCMD: u64 = 0x3;
    /// SMBHSTADD: address in bits 7 to 1, bit 0 means read.
    pub(crate) const HSTADD: u64 = 0x4;
    /// SMBHSTDAT0.
    pub(crate) const HSTDAT0: u64 = 0x5;
    /// SMBHSTDAT1.
    pub(crate) const HSTDAT1: u64 = 0x6;
    /// SMBBLKDAT.
    pub(crate) const BLKDAT: u64 = 0x7;
    /// AUX_CTL.
    pub(crate) const AUXCTL: u64 = 0xd;
    /// AUX_CTL: blocks go through a buffer of 32 bytes.
    pub(crate) const AUX_E32B: u8 = 1 << 1;
    /// Bits of AUX_CTL that can be written.
    pub(crate) const AUX_WRITABLE: u8 = 0x3;
}

/// The advanced power management registers APMC and APMS, and
/// what a BIOS writes to APMC to change SCI_EN. The values are QEMU's; its ACPI
/// tables name them.
pub(crate) mod apm {
    /// APMC, relative to port 0xb2.
    pub(crate) const CONTROL: u64 = 0;
    /// Sets SCI_EN.
    pub(crate) const ACPI_ENABLE: u8 = 0xf1;
    /// Clears SCI_EN.
    pub(crate) const ACPI_DISABLE: u8 = 0xf0;
}
