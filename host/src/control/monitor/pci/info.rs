//! What `query-pci` returns, in QEMU's schema.

use serde::{Deserialize, Serialize};

/// A root bus (`PciInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusInfo {
    /// Its number.
    pub bus: i64,
    /// The functions on it.
    pub devices: Vec<FunctionInfo>,
}

/// A function (`PciDeviceInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionInfo {
    /// The bus it is on.
    pub bus: i64,
    /// Its slot.
    pub slot: i64,
    /// Its number in the slot.
    pub function: i64,
    /// What it is.
    pub class_info: ClassInfo,
    /// Who made it.
    pub id: IdInfo,
    /// What software has written into its interrupt line register, if it has an
    /// interrupt pin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub irq: Option<i64>,
    /// Its interrupt pin: 1 is INTA#, 0 none.
    pub irq_pin: i64,
    /// The id it was given.
    pub qdev_id: String,
    /// What is behind it, if it is a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pci_bridge: Option<BridgeInfo>,
    /// What its base address registers decode.
    pub regions: Vec<RegionInfo>,
}

/// Class and subclass (`PciDeviceClass`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassInfo {
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// As a number.
    pub class: i64,
}

/// The numbers by which software knows a function (`PciDeviceId`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IdInfo {
    /// Device ID.
    pub device: i64,
    /// Vendor ID.
    pub vendor: i64,
    /// Subsystem ID, if its header has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subsystem: Option<i64>,
    /// Subsystem vendor ID, if its header has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subsystem_vendor: Option<i64>,
}

/// A bridge (`PciBridgeInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeInfo {
    /// Its buses, and what it passes on.
    pub bus: BridgeBus,
    /// The functions behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<FunctionInfo>>,
}

/// The buses of a bridge (`PciBusInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeBus {
    /// The bus it is on, as its registers say.
    pub number: i64,
    /// The bus behind it.
    pub secondary: i64,
    /// The last bus behind it.
    pub subordinate: i64,
    /// Ports it passes on.
    pub io_range: RangeInfo,
    /// Memory it passes on.
    pub memory_range: RangeInfo,
    /// Prefetchable memory it passes on.
    pub prefetchable_range: RangeInfo,
}

/// A range of addresses (`PciMemoryRange`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeInfo {
    /// The first.
    pub base: i64,
    /// The last.
    pub limit: i64,
}

/// What a base address register decodes (`PciMemoryRegion`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionInfo {
    /// The register's number, 6 for the expansion ROM.
    pub bar: i64,
    /// Ports or memory.
    #[serde(rename = "type")]
    pub kind: RegionKind,
    /// Where it is: -1 if nowhere.
    pub address: i64,
    /// Its length in bytes.
    pub size: i64,
    /// Memory of which reads have no side effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefetch: Option<bool>,
    /// Memory anywhere in 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_type_64: Option<bool>,
}

/// The kinds of region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionKind {
    /// Ports.
    Io,
    /// Memory.
    Memory,
}
