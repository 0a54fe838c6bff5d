//! Commands that read objects.

use super::About;
use super::arguments::Given;
use crate::control::monitor::{Error, qom, qom_get};

pub(super) fn list(about: &About<'_>, given: &Given) -> String {
    // Without a path QEMU says where paths begin.
    let Some(path) = given.word(0) else { return "/\n".into() };
    qom::list_text(about.guest, path).unwrap_or_else(failed)
}

pub(super) fn get(about: &About<'_>, given: &Given) -> String {
    let (Some(path), Some(property)) = (given.word(0), given.word(1)) else {
        return String::new();
    };
    match qom_get(about.guest, path, property) {
        Ok(value) => format!("{value:#}\n"),
        Err(error) => failed(error),
    }
}

fn failed(error: Error) -> String {
    format!("Error: {error}\n")
}
