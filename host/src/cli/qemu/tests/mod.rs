//! Command lines as a whole.

mod devices;
mod docs;
mod errors;
mod forms;
mod names;
mod random;
mod recorded;

use std::ffi::OsString;
use std::sync::LazyLock;

use super::{Invocation, Parsed, parse};
use crate::component::Engine;
use crate::library::Library;

/// The components there are, each compiled once for all tests.
static LIBRARY: LazyLock<Library> =
    LazyLock::new(|| Library::new(Engine::new(None).expect("an engine")));

/// The name the program goes by in these tests.
const PROGRAM: &str = "/usr/bin/southbridge";

/// Splits a line as a shell does, as far as tests need it: words, and `'` around
/// what has spaces or is empty.
fn words(line: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("closed quotes"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.into());
        rest = after.trim_start();
    }
    words
}

/// What a line is that starts a machine.
#[track_caller]
fn start(line: &str) -> Invocation {
    match parse(PROGRAM, &words(line)) {
        Ok(Parsed::Start(invocation)) => *invocation,
        Ok(Parsed::Text(text)) => panic!("{line}: {text}"),
        Err(error) => panic!("{line}: {error}"),
    }
}

/// What a line prints that asks for help.
#[track_caller]
fn text(line: &str) -> String {
    match parse(PROGRAM, &words(line)) {
        Ok(Parsed::Text(text)) => text,
        Ok(Parsed::Start(_)) => panic!("{line} starts a machine"),
        Err(error) => panic!("{line}: {error}"),
    }
}

/// What a line prints that is refused, without the program's name.
#[track_caller]
fn refused(line: &str) -> String {
    let error = parse(PROGRAM, &words(line)).expect_err(line);
    let report = error.report("southbridge");
    let lines: Vec<&str> =
        report.lines().map(|line| line.strip_prefix("southbridge: ").unwrap_or(line)).collect();
    lines.join("\n")
}
