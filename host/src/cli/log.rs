//! What the host says on standard error while it works.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::output::Output;

/// The shape of a message.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line for people.
    Text,
    /// A JSON object on a line: `timestamp`, `level`, `target`, and the message
    /// with its fields.
    Json,
}

/// Has messages written from now on: warnings, and more the more `verbose`.
pub(super) fn start(verbose: u8, format: Format, output: &Output) {
    let level = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // Fails only if there is one already, which then is somebody's choice.
    let _ = match format {
        Format::Text => subscriber
            .with_ansi(output.colors_stderr())
            .without_time()
            .with_target(false)
            .finish()
            .try_init(),
        Format::Json => {
            subscriber.json().flatten_event(true).with_current_span(false).finish().try_init()
        }
    };
}
