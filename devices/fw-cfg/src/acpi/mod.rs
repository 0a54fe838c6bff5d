//! The files that ACPI is made of.

mod board;
mod isa;
pub(crate) mod layout;

use crate::config::Config;
use crate::content::Content;
use crate::directory::Directory;
use crate::state::AcpiSizes;

/// Tables, the pointer to them, and the commands with which firmware puts them
/// into memory.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) tables: Vec<u8>,
    pub(crate) rsdp: Vec<u8>,
    pub(crate) loader: Vec<u8>,
}

/// The one place that asks for the tables of a machine. None: the machine has no
/// ACPI, or none that is known here, and firmware makes its own.
pub(crate) fn build(config: &Config) -> Result<Option<Tables>, String> {
    if !config.acpi {
        return Ok(None);
    }
    Ok(board::of(config)?.map(|board| {
        let firmware_acpi::Tables { tables, rsdp, loader } = firmware_acpi::build(&board);
        Tables { tables, rsdp, loader }
    }))
}

impl Tables {
    /// Adds the three files, and returns their sizes for the saved state.
    pub(crate) fn add_to(self, directory: &mut Directory) -> AcpiSizes {
        let size = |bytes: &Vec<u8>| bytes.len() as u64;
        let Self { tables, rsdp, loader } = self;
        let (table, linker) = (size(&tables), size(&loader));
        let sizes = AcpiSizes { table, linker, rsdp: size(&rsdp) };
        directory.add("etc/acpi/tables", Content::Bytes(tables));
        directory.add("etc/table-loader", Content::Bytes(loader));
        directory.add("etc/acpi/rsdp", Content::Bytes(rsdp));
        sizes
    }
}
