//! What `query-migrate` says, by QEMU's names.

use serde::Serialize;
use vmstate::ram::PAGE_SIZE;

use super::Counts;

/// How far a migration has come (`MigrationStatus` of QEMU's schema).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The peer is waited for.
    Setup,
    /// It is to end before it has come to an end.
    Cancelling,
    /// It was ended.
    Cancelled,
    /// Memory goes over.
    Active,
    /// All has gone over.
    Completed,
    /// It cannot go on.
    Failed,
}

impl Status {
    /// QEMU's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed | Self::Failed)
    }
}

/// How a migration stands (`MigrationInfo` of QEMU's schema). Times are in
/// milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Info {
    /// How far it has come.
    pub status: Status,
    /// From the start to now or the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_time: Option<u64>,
    /// How long the machine has stood still, at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime: Option<u64>,
    /// How long it is thought to stand still, until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_downtime: Option<u64>,
    /// From the start until memory began to go over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_time: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_desc: Option<String>,
    /// What has become of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram: Option<RamInfo>,
}

/// What has become of memory (`MigrationStats` of QEMU's schema), in bytes where
/// nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RamInfo {
    /// Of the stream so far.
    pub transferred: u64,
    /// Of memory still to go.
    pub remaining: u64,
    /// Of memory.
    pub total: u64,
    /// Pages that went as one byte.
    pub duplicate: u64,
    /// Always 0: pages that did not go.
    pub skipped: u64,
    /// Pages that went with their contents.
    pub normal: u64,
    /// The same in bytes.
    pub normal_bytes: u64,
    /// Always 0: pages a second that a running guest changes. It stands still here.
    pub dirty_pages_rate: u64,
    /// Megabits a second.
    pub mbps: f64,
    /// How often it was asked which pages have changed: once, at the start.
    pub dirty_sync_count: u64,
    /// Always 0.
    pub postcopy_requests: u64,
    /// Of a page.
    pub page_size: u64,
    /// Always 0.
    pub multifd_bytes: u64,
    /// Pages a second.
    pub pages_per_second: u64,
    /// Always 0: while the guest ran.
    pub precopy_bytes: u64,
    /// While the guest stood still: all of it.
    pub downtime_bytes: u64,
    /// Always 0.
    pub postcopy_bytes: u64,
    /// Always 0.
    pub dirty_sync_missed_zero_copy: u64,
}

impl RamInfo {
    /// From counts, `milliseconds` after memory began to go over.
    pub(super) fn new(counts: &Counts, milliseconds: u64) -> Self {
        let Counts { total, remaining, transferred, normal, duplicate } = *counts;
        let time = milliseconds.max(1);
        let page_size = PAGE_SIZE as u64;
        Self {
            transferred,
            remaining,
            total,
            duplicate,
            skipped: 0,
            normal,
            normal_bytes: normal.saturating_mul(page_size),
            dirty_pages_rate: 0,
            // 8 bits in each byte, 1000 bits a millisecond in each megabit a second.
            mbps: transferred as f64 * 8.0 / (time as f64 * 1000.0),
            dirty_sync_count: 1,
            postcopy_requests: 0,
            page_size,
            multifd_bytes: 0,
            pages_per_second: (normal + duplicate).saturating_mul(1000) / time,
            precopy_bytes: 0,
            downtime_bytes: transferred,
            postcopy_bytes: 0,
            dirty_sync_missed_zero_copy: 0,
        }
    }
}
