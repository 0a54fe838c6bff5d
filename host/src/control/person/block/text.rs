//! What QEMU's human monitor says of drives.

use std::fmt::Write as _;

use super::{Block, BlockStats, DeviceStats, Inserted};

/// `info block`, of all drives or of one.
#[must_use]
pub fn blocks(all: &[Block], device: Option<&str>, verbose: bool) -> String {
    let mut text = String::new();
    for (number, block) in all.iter().enumerate() {
        if device.is_some_and(|device| device != block.device) {
            continue;
        }
        // An empty line comes between those there are, also if they are not shown.
        if number != 0 {
            text.push('\n');
        }
        drive(&mut text, block, verbose);
    }
    text
}

// Writing to a string cannot fail.
fn drive(text: &mut String, block: &Block, verbose: bool) {
    let Block { device, inserted, qdev, .. } = block;
    match inserted {
        Some(inserted) => {
            let _ = write!(text, "{device} ({})", inserted.node_name);
            image(text, inserted, inserted.drv);
        }
        None => {
            let _ = writeln!(text, "{device}: [not inserted]");
        }
    }
    let _ = writeln!(text, "    Attached to:      {qdev}");
    if block.removable {
        let locked = if block.locked { "" } else { "not " };
        let tray = if block.tray_open == Some(true) { "open" } else { "closed" };
        let _ = writeln!(text, "    Removable device: {locked}locked, tray {tray}");
    }
    if let Some(status) = block.io_status.filter(|status| *status != "ok") {
        let _ = writeln!(text, "    I/O status:       {status}");
    }
    let Some(inserted) = inserted else { return };
    cache(text, inserted);
    if verbose {
        details(text, inserted);
    }
}

fn image(text: &mut String, inserted: &Inserted, format: &str) {
    let read_only = if inserted.ro { ", read-only" } else { "" };
    let _ = writeln!(text, ": {} ({format}{read_only})", inserted.file);
}

fn cache(text: &mut String, inserted: &Inserted) {
    let cache = inserted.cache;
    let writes = if cache.writeback { "writeback" } else { "writethrough" };
    let direct = if cache.direct { ", direct" } else { "" };
    let flushes = if cache.no_flush { ", ignore flushes" } else { "" };
    let _ = writeln!(text, "    Cache mode:       {writes}{direct}{flushes}");
}

fn details(text: &mut String, inserted: &Inserted) {
    let image = &inserted.image;
    let _ = writeln!(text, "\nImages:\nimage: {}\nfile format: {}", image.filename, image.format);
    let (size, bytes) = (human(image.virtual_size), image.virtual_size);
    let _ = writeln!(text, "virtual size: {size} ({bytes} bytes)");
    let disk = image.actual_size.map_or_else(|| "unavailable".into(), human);
    let _ = writeln!(text, "disk size: {disk}");
}

/// `info block -n`: the images and their files, the last first.
#[must_use]
pub fn nodes(all: &[Block], device: Option<&str>) -> String {
    let mut shown = Vec::new();
    for inserted in all.iter().rev().filter_map(|block| block.inserted.as_ref()) {
        let name = &inserted.node_name;
        let file = name.strip_suffix("00").map(|stem| format!("{stem}01"));
        for (name, format) in [(name.clone(), inserted.drv), (file.unwrap_or_default(), "file")] {
            if device.is_none_or(|device| device == name) {
                let mut text = name;
                image(&mut text, inserted, format);
                cache(&mut text, inserted);
                shown.push(text);
            }
        }
    }
    shown.join("\n")
}

/// `info blockstats`.
#[must_use]
pub fn statistics(all: &[BlockStats]) -> String {
    let mut text = String::new();
    for BlockStats { device, stats, .. } in all {
        let DeviceStats {
            rd_bytes,
            wr_bytes,
            rd_operations,
            wr_operations,
            flush_operations,
            wr_total_time_ns,
            rd_total_time_ns,
            flush_total_time_ns,
            ..
        } = stats;
        let device = device.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "{device}: rd_bytes={rd_bytes} wr_bytes={wr_bytes} rd_operations={rd_operations} \
             wr_operations={wr_operations} flush_operations={flush_operations} \
             wr_total_time_ns={wr_total_time_ns} rd_total_time_ns={rd_total_time_ns} \
             flush_total_time_ns={flush_total_time_ns} rd_merged=0 wr_merged=0 idle_time_ns=0"
        );
    }
    text
}

/// A size in the largest unit that leaves something before the point, with three
/// digits.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    // From 1000 on the next unit reads better.
    let mut value = bytes as f64;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = match value {
        value if value < 0.9995 && value > 0.0 => 3,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    let number = format!("{value:.digits$}");
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => &number,
    };
    format!("{number} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (512, "512 B"),
            (1000, "0.977 KiB"),
            (1024, "1 KiB"),
            (65536, "64 KiB"),
            (1 << 20, "1 MiB"),
            (1_474_560, "1.41 MiB"),
            (5_000_000_000, "4.66 GiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(human(bytes), expected);
        }
    }
}
