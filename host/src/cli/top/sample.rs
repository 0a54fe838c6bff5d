//! What the devices have done between two looks at them.

use std::time::{Duration, Instant};

use crate::control::qmp::Device;

/// The devices at some time.
pub(super) struct Sample {
    pub(super) devices: Vec<Device>,
    time: Instant,
}

impl Sample {
    pub(super) fn new(devices: Vec<Device>) -> Self {
        Self { devices, time: Instant::now() }
    }
}

/// The columns; those of numbers begin with `>`.
pub(super) const HEADINGS: [&str; 9] = [
    "SLOT",
    "DEVICE",
    ">READS/s",
    ">WRITES/s",
    ">CALLS/s",
    ">TIME",
    ">PER CALL",
    ">FAULTS",
    "STATE",
];

/// What a device has done.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    slot: String,
    device: String,
    /// A second.
    reads: f64,
    writes: f64,
    calls: f64,
    /// The part of the time that calls took, if it is measured.
    time: Option<f64>,
    per_call: Option<Duration>,
    faults: u64,
    /// Why it is out of service, if it is.
    pub(super) fault: Option<String>,
}

impl Row {
    fn new(before: Option<&Device>, now: &Device, elapsed: Duration) -> Self {
        // A counter does not go back; a slot that was not there has counted from 0.
        let more = |count: fn(&Device) -> u64| count(now).saturating_sub(before.map_or(0, count));
        let rate = |count: u64| count as f64 / elapsed.as_secs_f64().max(1e-9);
        let calls = more(|device| device.calls);
        // The measurement may have begun in between.
        let since = before.and_then(|device| device.time_ns).unwrap_or(0);
        let time = now.time_ns.map(|time| time.saturating_sub(since));
        Self {
            slot: now.slot.clone(),
            device: now.device.clone(),
            reads: rate(more(|device| device.reads)),
            writes: rate(more(|device| device.writes)),
            calls: rate(calls),
            time: time.map(|time| rate(time) / 1e9),
            per_call: time.and_then(|time| time.checked_div(calls)).map(Duration::from_nanos),
            faults: now.faults,
            fault: now.fault.clone(),
        }
    }

    /// As text, in the order of the headings.
    pub(super) fn cells(&self) -> [String; 9] {
        let none = || "-".to_owned();
        [
            self.slot.clone(),
            self.device.clone(),
            rate(self.reads),
            rate(self.writes),
            rate(self.calls),
            self.time.map_or_else(none, |part| format!("{:.1} %", part * 100.0)),
            self.per_call.map_or_else(none, |time| format!("{time:.1?}")),
            self.faults.to_string(),
            match &self.fault {
                Some(fault) => format!("out of service: {fault}"),
                None => "in service".into(),
            },
        ]
    }
}

/// A rate, with a digit behind the point where it matters.
fn rate(rate: f64) -> String {
    if rate == 0.0 || rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// What each device has done between two looks.
pub(super) fn rows(before: &Sample, now: &Sample) -> Vec<Row> {
    let elapsed = now.time.saturating_duration_since(before.time);
    let row = |device: &Device| {
        let before = before.devices.iter().find(|known| known.slot == device.slot);
        Row::new(before, device, elapsed)
    };
    now.devices.iter().map(row).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn device(slot: &str, calls: u64, time_ns: Option<u64>) -> Device {
        Device {
            slot: slot.into(),
            device: "counter 1.0.0".into(),
            hash: String::new(),
            fault: None,
            checkpoint_age_ns: None,
            mapped: 1,
            reads: calls,
            writes: calls / 2,
            calls,
            time_ns,
            swaps: 0,
            restores: 0,
            faults: 0,
            violations: 0,
            messages_dropped: 0,
        }
    }

    pub(in super::super) fn two_samples() -> (Sample, Sample) {
        let time = Instant::now();
        let before = vec![device("a", 100, Some(0)), device("b", 7, None)];
        let mut failed = device("b", 7, None);
        failed.fault = Some("a test".into());
        failed.faults = 1;
        let now = vec![device("a", 300, Some(1_000_000)), failed, device("c", 1, None)];
        let later = time + Duration::from_secs(2);
        (Sample { devices: before, time }, Sample { devices: now, time: later })
    }

    #[test]
    fn rates_are_of_what_happened_in_between() {
        let (before, now) = two_samples();
        let rows = rows(&before, &now);
        let cells: Vec<_> = rows.iter().map(Row::cells).collect();
        assert_eq!(cells[0][2..8], ["100", "50", "100", "0.1 %", "5.0µs", "0"]);
        assert_eq!(cells[1][2..], ["0", "0", "0", "-", "-", "1", "out of service: a test"]);
        assert_eq!(cells[2][2..5], ["0.5", "0", "0.5"]);
    }
}
