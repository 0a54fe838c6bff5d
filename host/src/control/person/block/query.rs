//! `query-block`: what is in the drives.

use std::os::unix::fs::MetadataExt as _;

use serde::Serialize;

use super::{attached, node_names};
use crate::guest::Guest;
use crate::machine::{DriveKind, MachineDrive};

/// `BlockInfo`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Block {
    /// Whether requests are held after an error; not of floppies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_status: Option<&'static str>,
    /// The drive's name.
    pub device: String,
    /// Whether the guest keeps the medium from being taken out.
    pub locked: bool,
    /// Whether the medium can be taken out.
    pub removable: bool,
    /// What is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inserted: Option<Inserted>,
    /// The device's name: that of the drive.
    pub qdev: String,
    /// Whether the tray is open, if there is one.
    #[serde(rename = "tray_open", skip_serializing_if = "Option::is_none")]
    pub tray_open: Option<bool>,
    /// QEMU says this of everything.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// `BlockDeviceInfo`. No throughput is limited here.
#[derive(Clone, Debug, Serialize)]
pub struct Inserted {
    iops_rd: u64,
    detect_zeroes: &'static str,
    /// The image.
    pub image: ImageInfo,
    iops_wr: u64,
    /// Whether it cannot be written to.
    pub ro: bool,
    /// What the image is called that there is no name for.
    #[serde(rename = "node-name")]
    pub node_name: String,
    backing_file_depth: u64,
    /// The format.
    pub drv: &'static str,
    iops: u64,
    bps_wr: u64,
    write_threshold: u64,
    encrypted: bool,
    bps: u64,
    bps_rd: u64,
    /// How it is cached.
    pub cache: CacheInfo,
    /// The file, as it was named.
    pub file: String,
}

/// `ImageInfo`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageInfo {
    /// Its size as the guest sees it.
    pub virtual_size: u64,
    /// The file.
    pub filename: String,
    /// Its format.
    pub format: &'static str,
    /// What it takes on the host, if that can be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_size: Option<u64>,
    dirty_flag: bool,
}

/// `BlockdevCacheInfo`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CacheInfo {
    /// Whether flushes do nothing.
    pub no_flush: bool,
    /// Whether data goes past the host's cache.
    pub direct: bool,
    /// Whether the host caches writes.
    pub writeback: bool,
}

/// `query-block`.
#[must_use]
pub fn query(guest: &Guest) -> Vec<Block> {
    let drives = attached(guest.machine()).into_iter().enumerate();
    drives.map(|(number, drive)| Block::of(number, drive)).collect()
}

impl Block {
    fn of(number: usize, drive: &MachineDrive) -> Self {
        let held = drive.storage.held().is_some();
        let status = if held { "failed" } else { "ok" };
        Self {
            io_status: (drive.given.kind != DriveKind::Floppy).then_some(status),
            device: drive.given.label.clone(),
            locked: drive.storage.is_locked(),
            removable: drive.given.kind.is_removable(),
            inserted: Inserted::of(number, drive),
            qdev: drive.given.device().to_owned(),
            tray_open: drive.given.kind.has_tray().then(|| drive.storage.is_tray_open()),
            kind: "unknown",
        }
    }
}

impl Inserted {
    fn of(number: usize, drive: &MachineDrive) -> Option<Self> {
        let (medium, name) = (drive.storage.medium()?, drive.image()?);
        let blocks = |metadata: std::fs::Metadata| metadata.blocks().saturating_mul(512);
        Some(Self {
            iops_rd: 0,
            detect_zeroes: "off",
            image: ImageInfo {
                virtual_size: medium.size,
                filename: name.file.clone(),
                format: "raw",
                actual_size: std::fs::metadata(&name.file).ok().map(blocks),
                dirty_flag: false,
            },
            iops_wr: 0,
            ro: medium.read_only,
            node_name: node_names(number).0,
            backing_file_depth: 0,
            drv: "raw",
            iops: 0,
            bps_wr: 0,
            write_threshold: 0,
            encrypted: false,
            bps: 0,
            bps_rd: 0,
            cache: CacheInfo {
                no_flush: name.cache.ignores_flushes(),
                direct: name.cache.is_direct(),
                writeback: !name.cache.flushes_writes(),
            },
            file: name.file,
        })
    }
}
