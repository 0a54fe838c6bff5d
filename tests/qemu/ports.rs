//! A machine as its guest sees it, through ports.

/// CONFADD and CONFDATA.
const CONFADD: u16 = 0xcf8;
const CONFDATA: u16 = 0xcfc;

/// Accesses to ports of a machine.
pub(crate) trait Ports {
    /// Reads 1, 2 or 4 bytes.
    fn read(&mut self, port: u16, size: u8) -> u64;

    /// Writes 1, 2 or 4 bytes.
    fn write(&mut self, port: u16, size: u8, value: u64);

    /// Reads four bytes of a function's configuration space.
    fn configuration(&mut self, devfn: u8, register: u8) -> u64 {
        self.select(devfn, register);
        self.read(CONFDATA, 4)
    }

    /// Writes one, two or four bytes of it.
    fn configure(&mut self, devfn: u8, register: u8, size: u8, value: u64) {
        self.select(devfn, register);
        self.write(CONFDATA + u16::from(register & 3), size, value);
    }

    /// Points CONFADD to a register.
    fn select(&mut self, devfn: u8, register: u8) {
        let address = 0x8000_0000 | u64::from(devfn) << 8 | u64::from(register & !3);
        self.write(CONFADD, 4, address);
    }

    /// Writes bytes to ports.
    fn write_all(&mut self, base: u16, bytes: &[(u16, u8)]) {
        for &(offset, value) in bytes {
            self.write(base + offset, 1, value.into());
        }
    }
}

/// Functions of PCI bus 0: slot and function, as in CONFADD.
pub(crate) mod function {
    pub(crate) const HOST_BRIDGE: u8 = 0x00;
    pub(crate) const ISA_BRIDGE: u8 = 0x08;
    pub(crate) const POWER_MANAGEMENT: u8 = 0x0b;
    /// Of the xenfv machines.
    pub(crate) const XEN_PLATFORM: u8 = 0x10;
}

/// Bases of the PIIX4's registers: where QEMU's firmware puts power management,
/// and where QEMU has the SMBus host controller from the start.
pub(crate) const PM: u16 = 0xb000;
pub(crate) const SMBUS: u16 = 0xb100;

/// Offsets of the SMBus registers (PIIX4 data sheet, 7.3).
pub(crate) mod smbus {
    pub(crate) const HSTSTS: u16 = 0x0;
    pub(crate) const HSTCNT: u16 = 0x2;
    pub(crate) const HSTCMD: u16 = 0x3;
    pub(crate) const HSTADD: u16 = 0x4;
    pub(crate) const HSTDAT0: u16 = 0x5;
    pub(crate) const HSTDAT1: u16 = 0x6;
    pub(crate) const BLKDAT: u16 = 0x7;
}

/// Values of SMBHSTCNT: a protocol and START, which runs it; with INTEREN it
/// runs at once, else when the status is read next.
pub(crate) mod run {
    pub(crate) const BYTE_DATA: u8 = 0x48;
    pub(crate) const BYTE_DATA_AT_ONCE: u8 = 0x49;
    pub(crate) const WORD_DATA: u8 = 0x4c;
    pub(crate) const BLOCK: u8 = 0x54;
    /// Not in the PIIX4: the ICH9's I2C read, byte by byte.
    pub(crate) const I2C_READ_AT_ONCE: u8 = 0x59;
}
