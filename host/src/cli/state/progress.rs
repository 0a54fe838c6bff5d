//! How far the reading of a long file has come.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// The least bytes of a file for which somebody may have to wait.
const LONG: u64 = 256 << 20;

/// A bar on standard error for a file of so many bytes, which goes away when it is
/// dropped. There is none for short files, nor if standard error is no terminal.
pub(super) fn bar(bytes: u64) -> ProgressBar {
    if bytes < LONG {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bytes} of {total_bytes} {wide_bar} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    // Standard error is where it draws unless told otherwise.
    ProgressBar::new(bytes).with_style(style).with_finish(ProgressFinish::AndClear)
}
