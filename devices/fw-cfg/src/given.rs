//! The files that the host gives.

use southbridge_sdk::Context;

use crate::content::Content;
use crate::directory::Directory;

/// Files that are no files to the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) kernel: Option<u32>,
    pub(crate) initrd: Option<u32>,
    pub(crate) cmdline: Option<u32>,
    /// The path of the option ROM that starts a kernel.
    pub(crate) boot_rom: Option<&'static str>,
}

/// The option ROMs that start a kernel, and their Open Firmware paths.
const BOOT_ROMS: [(&str, &str); 2] = [
    ("genroms/linuxboot_dma.bin", "/rom@genroms/linuxboot_dma.bin"),
    ("genroms/linuxboot.bin", "/rom@genroms/linuxboot.bin"),
];

impl Given {
    /// Adds all files but the reserved ones, which it returns.
    pub(crate) fn sort(cx: &mut Context<'_>, directory: &mut Directory) -> Result<Self, String> {
        let mut given = Self::default();
        for file in 0..cx.file_count() {
            let name = cx.file_name(file);
            match &*name {
                "kernel" => given.kernel = Some(file),
                "initrd" => given.initrd = Some(file),
                "cmdline" => given.cmdline = Some(file),
                _ => {
                    let size = cx.file_size(file);
                    let size = u32::try_from(size).map_err(|_| {
                        format!("file {name:?}: {size} bytes, expected less than 4 GiB")
                    })?;
                    directory.add(&name, Content::File { file, offset: 0, size });
                    let rom = BOOT_ROMS.iter().find(|(known, _)| *known == name);
                    given.boot_rom = given.boot_rom.or(rom.map(|(_, path)| *path));
                }
            }
        }
        if given.kernel.is_none() && (given.initrd.is_some() || given.cmdline.is_some()) {
            return Err("files initrd and cmdline: expected only with a file kernel".into());
        }
        Ok(given)
    }
}
