//! Which options of `-drive` there are besides those that say where the drive is.

use super::error::Problem;
use super::opts::Opts;

/// Of the drive, and of the image in it.
const KNOWN: [&str; 22] = [
    "aio",
    "auto-read-only",
    "cache",
    "cache.direct",
    "cache.no-flush",
    "cache.writeback",
    "copy-on-read",
    "detect-zeroes",
    "discard",
    "driver",
    "force-share",
    "node-name",
    "read-only",
    "readonly",
    "rerror",
    "serial",
    "snapshot",
    "stats-account-failed",
    "stats-account-invalid",
    "stats-intervals",
    "werror",
    "group",
];

/// Of the file that the image is in, after `file.`.
const OF_FILE: [&str; 14] = [
    "aio",
    "aio-max-batch",
    "auto-read-only",
    "cache.direct",
    "cache.no-flush",
    "detect-zeroes",
    "discard",
    "driver",
    "drop-cache",
    "filename",
    "force-share",
    "locking",
    "node-name",
    "read-only",
];

/// How fast the drive may be, as it was said before `throttling.` was.
const SPEEDS: [&str; 2] = ["iops", "bps"];

/// Checks the options of a raw image that have not been taken yet, in QEMU's words.
pub(super) fn check(list: &Opts) -> Result<(), Problem> {
    for (key, value) in list.last() {
        match key.strip_prefix("file.") {
            Some("driver") if !["file", "host_device"].contains(&value) => {
                return Err(format!("Unknown driver '{value}'").into());
            }
            Some(of_file) if OF_FILE.contains(&of_file) => {}
            Some(of_file) => {
                let problem =
                    format!("Block protocol 'file' doesn't support the option '{of_file}'");
                return Err(problem.into());
            }
            None if matches!(key, "offset" | "size") => {
                return Err(format!("'{key}' is not supported: images are used whole here").into());
            }
            None if KNOWN.contains(&key) || key.starts_with("throttling") => {}
            None if SPEEDS.iter().any(|speed| key.starts_with(speed)) => {}
            None => {
                let problem = format!("Block format 'raw' does not support the option '{key}'");
                return Err(problem.into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_image_has_is_refused() {
        for (text, problem) in [
            ("werrro=stop", "Block format 'raw' does not support the option 'werrro'"),
            ("share-rw=on", "Block format 'raw' does not support the option 'share-rw'"),
            ("file.lock=on", "Block protocol 'file' doesn't support the option 'lock'"),
            ("file.driver=blkdebug", "Unknown driver 'blkdebug'"),
            ("offset=512", "'offset' is not supported: images are used whole here"),
        ] {
            assert_eq!(check(&Opts::parse(text, None)).expect_err(text).text, problem);
        }
        for text in
            ["cache.direct=on,aio=native,file.locking=off,werror=stop,serial=a", "iops_rd=1"]
        {
            assert!(check(&Opts::parse(text, None)).is_ok(), "{text}");
        }
    }
}
