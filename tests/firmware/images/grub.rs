//! GRUB from its package: a core image with a script in it, for each medium.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::disk::SECTOR;

/// Where the package has the parts.
const PARTS: &str = "/usr/lib/grub/i386-pc";

/// What the script needs besides the driver of the firmware's disks. Modules
/// cost: the core is decompressed before it starts.
const MODULES: [&str; 11] = [
    "serial", "terminal", "echo", "iorw", "cmosdump", "lsacpi", "lspci", "pcidump", "lsmmap",
    "smbios", "halt",
];

/// What GRUB does, without a shell, so without conditions: it tells the serial
/// port about the machine, and ends it by ACPI's S5.
const SCRIPT: &str = "\
serial
terminal_output serial
echo PM timer
inl -v first 0x608
inl -v second 0x608
echo $first $second
echo SMBus
outb 0x700 0x1e
outb 0x704 0xa1
outb 0x703 0x00
outb 0x702 0x48
inb 0x700
inb 0x700
inb 0x705
outb 0x704 0xc1
outb 0x702 0x48
inb 0x700
inb 0x700
echo CMOS
cmosdump
echo ACPI
lsacpi
echo PCI
lspci
pcidump
echo memory
lsmmap
echo SMBIOS
smbios --type 1 --get-string 4
smbios --type 1 --get-string 5
echo off
halt
";

/// A part of the package.
pub(crate) fn part(name: &str) -> Vec<u8> {
    let path = Path::new(PARTS).join(name);
    fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: apt-get install grub-pc-bin", path.display()))
}

/// The core with the script, of this format of `grub-mkimage`: `i386-pc` is
/// loaded by another boot sector, `i386-pc-eltorito` by firmware from a CD.
pub(crate) fn core(format: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (script, image) = (directory.path().join("script"), directory.path().join("image"));
    fs::write(&script, SCRIPT).expect("the file can be written");
    let mut command = Command::new("grub-mkimage");
    command.args(["-O", format, "-p", "", "-c"]).arg(script).arg("-o").arg(&image);
    let output = command.arg("biosdisk").args(MODULES).output();
    let output =
        output.unwrap_or_else(|error| panic!("grub-mkimage: {error}: apt-get install grub-common"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(image).expect("grub-mkimage has written it")
}

/// Where GRUB's boot sector has the number of the core's first sector.
const KERNEL_SECTOR: usize = 0x5c;

/// Where the core's first sector has the list of its others: the first one's
/// number, how many there are, and the segment they are loaded to.
const BLOCK_LIST: usize = SECTOR - 12;

/// GRUB's boot sector with the core in the sectors after it.
pub(crate) fn at_the_beginning() -> Vec<u8> {
    let (mut image, mut core) = (part("boot.img"), core("i386-pc"));
    assert_eq!(image.len(), SECTOR);
    image[KERNEL_SECTOR..][..8].copy_from_slice(&1u64.to_le_bytes());
    core.resize(core.len().next_multiple_of(SECTOR), 0);
    let others = u16::try_from(core.len() / SECTOR - 1).expect("it fits below 640 KiB");
    core[BLOCK_LIST..][..8].copy_from_slice(&2u64.to_le_bytes());
    core[BLOCK_LIST + 8..][..2].copy_from_slice(&others.to_le_bytes());
    image.append(&mut core);
    image
}
