//! Descriptors that clients send (QEMU's `qapi/misc.json`).

use serde::Deserialize;

use crate::control::qmp::fdsets::{Added, Info};
use crate::control::qmp::{Call, Done, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("getfd", getfd);
    registry.add("closefd", closefd);
    registry.add("add-fd", add_fd);
    registry.add("remove-fd", remove_fd);
    registry.add("query-fdsets", query_fdsets);
}

#[derive(Deserialize)]
struct Name {
    fdname: String,
}

fn getfd(call: &Call<'_>, Name { fdname }: Name) -> Result<Done, Error> {
    let fd = call.take_fd()?;
    if fdname.starts_with(|first: char| first.is_ascii_digit()) {
        let what = "Parameter 'fdname' expects a name not starting with a digit";
        return Err(Error::generic(what));
    }
    call.names().put(fdname, fd);
    Ok(Done {})
}

fn closefd(call: &Call<'_>, Name { fdname }: Name) -> Result<Done, Error> {
    match call.names().take(&fdname) {
        Some(_closed) => Ok(Done {}),
        None => Err(Error::generic(format_args!("File descriptor named '{fdname}' not found"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Add {
    fdset_id: Option<i64>,
    opaque: Option<String>,
}

fn add_fd(call: &Call<'_>, Add { fdset_id, opaque }: Add) -> Result<Added, Error> {
    call.fdsets().add(call.take_fd()?, fdset_id, opaque)
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Remove {
    fdset_id: i64,
    fd: Option<i64>,
}

fn remove_fd(call: &Call<'_>, Remove { fdset_id, fd }: Remove) -> Result<Done, Error> {
    call.fdsets().remove(fdset_id, fd)?;
    Ok(Done {})
}

fn query_fdsets(call: &Call<'_>, _: NoArguments) -> Result<Vec<Info>, Error> {
    Ok(call.fdsets().list())
}
