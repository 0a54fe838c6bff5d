//! `query-blockstats`: what the drives have done.

use serde::Serialize;
use storage::{Counts, Statistics};

use super::{attached, node_names};
use crate::guest::Guest;

/// `BlockStats`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BlockStats {
    /// The drive's name; none of a node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The file below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Box<Self>>,
    /// What it has done.
    pub stats: DeviceStats,
    /// The image's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    node_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_specific: Option<FileStats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qdev: Option<String>,
}

/// `BlockStatsSpecificFile`: nothing is discarded.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct FileStats {
    discard_bytes_ok: u64,
    discard_nb_ok: u64,
    driver: &'static str,
    discard_nb_failed: u64,
}

/// `BlockDeviceStats`. Nothing is merged or unmapped.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DeviceStats {
    unmap_operations: u64,
    unmap_merged: u64,
    /// Time of flushes.
    pub flush_total_time_ns: u64,
    wr_highest_offset: u64,
    /// Time of writes.
    pub wr_total_time_ns: u64,
    failed_wr_operations: u64,
    failed_rd_operations: u64,
    wr_merged: u64,
    /// Bytes written.
    pub wr_bytes: u64,
    timed_stats: [(); 0],
    failed_unmap_operations: u64,
    failed_flush_operations: u64,
    account_invalid: bool,
    /// Time of reads.
    pub rd_total_time_ns: u64,
    invalid_unmap_operations: u64,
    /// Flushes.
    pub flush_operations: u64,
    /// Writes.
    pub wr_operations: u64,
    unmap_bytes: u64,
    rd_merged: u64,
    /// Bytes read.
    pub rd_bytes: u64,
    unmap_total_time_ns: u64,
    invalid_flush_operations: u64,
    account_failed: bool,
    /// Reads.
    pub rd_operations: u64,
    invalid_wr_operations: u64,
    invalid_rd_operations: u64,
}

impl DeviceStats {
    fn of_drive(statistics: &Statistics) -> Self {
        let Statistics { read, write, flush, highest_write } = statistics;
        let time = |counts: &Counts| u64::try_from(counts.time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            flush_total_time_ns: time(flush),
            wr_highest_offset: *highest_write,
            wr_total_time_ns: time(write),
            failed_wr_operations: write.failed,
            failed_rd_operations: read.failed,
            wr_bytes: write.bytes,
            failed_flush_operations: flush.failed,
            account_invalid: true,
            rd_total_time_ns: time(read),
            flush_operations: flush.operations,
            wr_operations: write.operations,
            rd_bytes: read.bytes,
            invalid_flush_operations: flush.invalid,
            account_failed: true,
            rd_operations: read.operations,
            invalid_wr_operations: write.invalid,
            invalid_rd_operations: read.invalid,
            ..Self::default()
        }
    }

    /// Of a node nothing is counted but how far it was written.
    fn of_node(statistics: &Statistics) -> Self {
        Self { wr_highest_offset: statistics.highest_write, ..Self::default() }
    }
}

/// `query-blockstats`: of the drives, or of the images and files in them.
#[must_use]
pub fn statistics(guest: &Guest, of_nodes: bool) -> Vec<BlockStats> {
    let mut all = Vec::new();
    for (number, drive) in attached(guest.machine()).into_iter().enumerate() {
        let statistics = drive.storage.statistics();
        let node = drive.image().map(|_| node_names(number));
        let file = node.as_ref().map(|(_, file)| BlockStats {
            device: None,
            parent: None,
            stats: DeviceStats::of_node(&statistics),
            node_name: Some(file.clone()),
            driver_specific: Some(FileStats {
                discard_bytes_ok: 0,
                discard_nb_ok: 0,
                driver: "file",
                discard_nb_failed: 0,
            }),
            qdev: None,
        });
        let of_drive = BlockStats {
            device: Some(drive.given.label.clone()),
            parent: file.clone().map(Box::new),
            stats: DeviceStats::of_drive(&statistics),
            node_name: node.map(|(image, _)| image),
            driver_specific: None,
            qdev: Some(drive.given.device().to_owned()),
        };
        match (of_nodes, file) {
            (false, _) => all.push(of_drive),
            (true, None) => {}
            (true, Some(file)) => {
                let stats = DeviceStats::of_node(&statistics);
                all.extend([file, BlockStats { device: None, qdev: None, stats, ..of_drive }]);
            }
        }
    }
    all
}
