//! Drives (QEMU's `qapi/block-core.json` and `qapi/block.json`).

use serde::{Deserialize, Deserializer};

use super::person::Name;
use crate::control::person::block::{self, Block, BlockStats, Change, ReadOnlyMode};
use crate::control::qmp::{Call, Done, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-block", query_block);
    registry.add("query-blockstats", query_blockstats);
    registry.add("eject", eject);
    registry.add("blockdev-change-medium", change);
}

fn query_block(call: &Call<'_>, _: NoArguments) -> Result<Vec<Block>, Error> {
    Ok(block::query(call.guest()))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct QueryBlockstats {
    query_nodes: Option<bool>,
}

fn query_blockstats(
    call: &Call<'_>,
    QueryBlockstats { query_nodes }: QueryBlockstats,
) -> Result<Vec<BlockStats>, Error> {
    Ok(block::statistics(call.guest(), query_nodes == Some(true)))
}

#[derive(Deserialize)]
struct Eject {
    device: Option<String>,
    id: Option<String>,
    force: Option<bool>,
}

fn eject(call: &Call<'_>, Eject { device, id, force }: Eject) -> Result<Done, Error> {
    block::eject(call.guest(), device.as_deref(), id.as_deref(), force == Some(true))?;
    Ok(Done {})
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ChangeMedium {
    device: Option<String>,
    id: Option<String>,
    filename: String,
    format: Option<String>,
    force: Option<bool>,
    read_only_mode: Option<Mode>,
}

/// `BlockdevChangeReadOnlyMode`.
struct Mode(ReadOnlyMode);

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = &ReadOnlyMode::NAMES;
        let name = deserializer.deserialize_enum("BlockdevChangeReadOnlyMode", names, Name)?;
        Ok(Self(ReadOnlyMode::named(&name).unwrap_or_default()))
    }
}

fn change(call: &Call<'_>, given: ChangeMedium) -> Result<Done, Error> {
    let ChangeMedium { device, id, filename, format, force, read_only_mode } = given;
    let change = Change {
        device: device.as_deref(),
        id: id.as_deref(),
        filename: &filename,
        format: format.as_deref(),
        force: force == Some(true),
        mode: read_only_mode.map_or_else(ReadOnlyMode::default, |Mode(mode)| mode),
    };
    block::change(call.guest(), &change)?;
    Ok(Done {})
}
