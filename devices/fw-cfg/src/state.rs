//! The saved state: QEMU's section `fw_cfg`.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::FwCfg;
use crate::regs::Selector;

const FW_CFG: Shape = Shape::new("fw_cfg", 2, 1);
const DMA: Shape = Shape::new("fw_cfg/dma", 0, 0);
const ACPI_MR: Shape = Shape::new("fw_cfg/acpi_mr", 1, 1);

/// The most memory QEMU reserves for any of the three.
const LARGEST_TABLES: u64 = 0x20_0000;

/// How much memory QEMU keeps for each of the files that ACPI is made of. The
/// guest cannot tell; what has been loaded is saved again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AcpiSizes {
    pub(crate) table: u64,
    pub(crate) linker: u64,
    pub(crate) rsdp: u64,
}

impl FwCfg {
    pub(crate) fn walk(&mut self, sections: &mut Sections<'_>) {
        let Self {
            cur_entry,
            cur_offset,
            dma_addr,
            acpi_sizes: AcpiSizes { table, linker, rsdp },
            entries,
            ram: _,
            dma,
            acpi_mr_restore,
        } = self;
        sections.section(FW_CFG, Condition::ALWAYS, |f| {
            let mut selector = cur_entry.into_bits();
            f.u16("cur_entry", &mut selector);
            *cur_entry = Selector::from_bits(selector);
            let known = *cur_entry == Selector::INVALID || entries.has(*cur_entry);
            f.check(known, || {
                format!("{selector:#06x} found, an entry below {:#x} expected", entries.count())
            });
            let mut is_wide = false;
            f.since(2, |f| {
                is_wide = true;
                f.u32("cur_offset", cur_offset);
            });
            if !is_wide {
                let mut narrow = 0;
                f.u16("cur_offset", &mut narrow);
                *cur_offset = narrow.into();
            }
            f.subsection(DMA, Condition::new("dma_enabled", *dma), |f| {
                f.u64("dma_addr", dma_addr);
            });
            f.subsection(ACPI_MR, Condition::new("acpi-mr-restore", *acpi_mr_restore), |f| {
                for (name, size) in
                    [("table_mr_size", table), ("linker_mr_size", linker), ("rsdp_mr_size", rsdp)]
                {
                    f.u64(name, size);
                    let found = *size;
                    f.check(found <= LARGEST_TABLES, || {
                        format!("{found:#x} found, at most {LARGEST_TABLES:#x} expected")
                    });
                }
            });
        });
    }
}
