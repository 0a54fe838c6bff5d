//! All entries by their numbers.

use crate::content::Content;
use crate::directory;
use crate::regs::Selector;

/// The first entry that is a file.
pub(crate) const FILE_FIRST: u16 = 0x20;

/// Numbers of entries that are not files.
pub(crate) mod key {
    pub(crate) const SIGNATURE: u16 = 0x00;
    pub(crate) const ID: u16 = 0x01;
    pub(crate) const UUID: u16 = 0x02;
    pub(crate) const RAM_SIZE: u16 = 0x03;
    pub(crate) const NOGRAPHIC: u16 = 0x04;
    pub(crate) const NB_CPUS: u16 = 0x05;
    pub(crate) const KERNEL_ADDR: u16 = 0x07;
    pub(crate) const KERNEL_SIZE: u16 = 0x08;
    pub(crate) const INITRD_ADDR: u16 = 0x0a;
    pub(crate) const INITRD_SIZE: u16 = 0x0b;
    pub(crate) const NUMA: u16 = 0x0d;
    pub(crate) const BOOT_MENU: u16 = 0x0e;
    pub(crate) const MAX_CPUS: u16 = 0x0f;
    pub(crate) const KERNEL_DATA: u16 = 0x11;
    pub(crate) const INITRD_DATA: u16 = 0x12;
    pub(crate) const CMDLINE_ADDR: u16 = 0x13;
    pub(crate) const CMDLINE_SIZE: u16 = 0x14;
    pub(crate) const CMDLINE_DATA: u16 = 0x15;
    pub(crate) const SETUP_ADDR: u16 = 0x16;
    pub(crate) const SETUP_SIZE: u16 = 0x17;
    pub(crate) const SETUP_DATA: u16 = 0x18;
    pub(crate) const FILE_DIR: u16 = 0x19;
    pub(crate) const ACPI_TABLES: u16 = 0x8000;
    pub(crate) const SMBIOS_ENTRIES: u16 = 0x8001;
    pub(crate) const IRQ0_OVERRIDE: u16 = 0x8002;
    pub(crate) const HPET: u16 = 0x8004;
}

/// Two tables, the architecture's entries being one of their own.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    general: Vec<Option<Content>>,
    arch: Vec<Option<Content>>,
}

impl Entries {
    /// No entries yet, and room for `slots` files.
    pub(crate) fn new(slots: u16) -> Self {
        let count = usize::from(FILE_FIRST) + usize::from(slots);
        Self { general: vec![None; count], arch: vec![None; count] }
    }

    /// One above the greatest number.
    pub(crate) const fn count(&self) -> usize {
        self.general.len()
    }

    /// Whether there is room for this entry; it need not have any data.
    pub(crate) fn has(&self, selector: Selector) -> bool {
        usize::from(selector.number()) < self.count()
    }

    /// The data of an entry.
    pub(crate) fn get(&self, selector: Selector) -> Option<&Content> {
        let table = if selector.arch_local() { &self.arch } else { &self.general };
        table.get(usize::from(selector.number()))?.as_ref()
    }

    /// The data of a file, as the directory has it.
    pub(crate) fn file(&self, name: &str) -> Option<&Content> {
        let Content::Bytes(table) = self.get(Selector::from_bits(key::FILE_DIR))? else {
            return None;
        };
        self.get(Selector::from_bits(directory::number_of(table, name)?))
    }

    /// Sets an entry; one that there is no room for is dropped.
    pub(crate) fn set(&mut self, key: u16, content: Content) {
        let selector = Selector::from_bits(key);
        let table = if selector.arch_local() { &mut self.arch } else { &mut self.general };
        if let Some(entry) = table.get_mut(usize::from(selector.number())) {
            *entry = Some(content);
        }
    }

    pub(crate) fn set_bytes(&mut self, key: u16, bytes: impl Into<Vec<u8>>) {
        self.set(key, Content::Bytes(bytes.into()));
    }

    pub(crate) fn set_u16(&mut self, key: u16, value: u16) {
        self.set_bytes(key, value.to_le_bytes());
    }

    pub(crate) fn set_u32(&mut self, key: u16, value: u32) {
        self.set_bytes(key, value.to_le_bytes());
    }

    pub(crate) fn set_u64(&mut self, key: u16, value: u64) {
        self.set_bytes(key, value.to_le_bytes());
    }
}
