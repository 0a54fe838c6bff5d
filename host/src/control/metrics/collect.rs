//! What there is to measure, at the moment it is asked for.

use std::sync::Arc;
use std::time::Duration;

use super::text::{Family, Kind, Text};
use crate::guest::{Guest, RunState};
use crate::machine::Machine;
use crate::slot::Status;

/// What metrics are of.
pub trait Source: Send + Sync {
    /// The machine.
    fn machine(&self) -> &Arc<Machine>;

    /// How often its processors have left the guest for an access to a device.
    fn exits(&self) -> u64;

    /// Whether they run.
    fn is_running(&self) -> bool;
}

impl Source for Guest {
    fn machine(&self) -> &Arc<Machine> {
        self.machine()
    }

    fn exits(&self) -> u64 {
        self.exits()
    }

    fn is_running(&self) -> bool {
        self.state() == RunState::Running
    }
}

/// A machine without processors stands still.
impl Source for Arc<Machine> {
    fn machine(&self) -> &Arc<Machine> {
        self
    }

    fn exits(&self) -> u64 {
        0
    }

    fn is_running(&self) -> bool {
        false
    }
}

/// All metrics as text.
pub(super) fn collect(source: &dyn Source) -> String {
    let mut text = Text::default();
    program(&mut text);
    guest(&mut text, source);
    devices(&mut text, source.machine());
    text.finish()
}

fn program(text: &mut Text) {
    text.family("southbridge_build_info", Kind::Gauge, "The program, by its version; always 1.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
}

fn guest(text: &mut Text, source: &dyn Source) {
    let machine = source.machine();
    text.family("southbridge_machine_info", Kind::Gauge, "The machine type; always 1.")
        .sample(&[("machine", machine.name())], 1);
    text.number(
        "southbridge_guest_running",
        Kind::Gauge,
        "Whether the guest's processors run.",
        u8::from(source.is_running()),
    );
    text.number(
        "southbridge_guest_clock_seconds",
        Kind::Gauge,
        "The machine's clock, which stands still while the guest is paused.",
        seconds(Duration::from_nanos(machine.clock().now())),
    );
    text.number(
        "southbridge_vcpu_exits_total",
        Kind::Counter,
        "Times the processors have left the guest for an access to a device.",
        source.exits(),
    );
    text.number(
        "southbridge_board_messages_dropped_total",
        Kind::Counter,
        "Log messages about what is below the devices that were dropped, because there were too \
         many.",
        machine.board_messages_dropped(),
    );
}

/// The slots with their labels.
struct Slots(Vec<Slot>);

struct Slot {
    status: Status,
    device: String,
    version: String,
}

impl Slots {
    fn new(machine: &Machine) -> Self {
        let slots = machine.status().into_iter().map(|status| {
            let description = status.image.description();
            let device = description.name.clone();
            let version = match description.build.as_str() {
                "" => description.version.clone(),
                build => format!("{}+{build}", description.version),
            };
            Slot { status, device, version }
        });
        Self(slots.collect())
    }

    /// Gives `samples` the family, and each slot with its labels.
    fn each(&self, family: &mut Family<'_>, samples: impl Fn(&Status, &mut Sampler<'_, '_, '_>)) {
        for Slot { status, device, version } in &self.0 {
            let labels =
                [("slot", &*status.name), ("device", device.as_str()), ("version", version)];
            samples(status, &mut Sampler { family, labels });
        }
    }
}

/// Adds samples of one slot.
struct Sampler<'f, 't, 'l> {
    family: &'f mut Family<'t>,
    labels: [(&'l str, &'l str); 3],
}

impl Sampler<'_, '_, '_> {
    fn add(&mut self, value: impl std::fmt::Display) {
        self.family.sample(&self.labels, value);
    }

    fn add_kind(&mut self, kind: &str, value: u64) {
        let [slot, device, version] = self.labels;
        self.family.sample(&[slot, device, version, ("kind", kind)], value);
    }
}

fn devices(text: &mut Text, machine: &Machine) {
    let slots = Slots::new(machine);
    let now = machine.clock().now();
    let mut counter = |name, help: &str, value: fn(&Status) -> u64| {
        let mut family = text.family(name, Kind::Counter, help);
        slots.each(&mut family, |status, sampler| sampler.add(value(status)));
    };
    counter(
        "southbridge_device_calls_total",
        "Calls into the device: parts of accesses, line changes, timers, transfers, resets, saves.",
        |status| status.counts.calls,
    );
    counter("southbridge_device_faults_total", "Times the device has failed.", |status| {
        status.counts.faults
    });
    counter("southbridge_device_swaps_total", "Times the device was replaced.", |status| {
        status.counts.swaps
    });
    counter(
        "southbridge_device_restores_total",
        "Times the device was put back in service after a failure.",
        |status| status.counts.restores,
    );
    counter(
        "southbridge_device_violations_total",
        "Effects of the device that named something it never declared.",
        |status| status.counts.violations,
    );
    counter(
        "southbridge_device_messages_dropped_total",
        "Log messages of the device that were dropped, because there were too many.",
        |status| status.counts.messages_dropped,
    );
    let mut family = text.family(
        "southbridge_device_accesses_total",
        Kind::Counter,
        "Accesses by the guest that reached the device's ports, memory or configuration space.",
    );
    slots.each(&mut family, |status, sampler| {
        sampler.add_kind("read", status.counts.reads);
        sampler.add_kind("write", status.counts.writes);
    });
    if slots.0.iter().any(|slot| slot.status.counts.time.is_some()) {
        let mut family = text.family(
            "southbridge_device_seconds_total",
            Kind::Counter,
            "Time of the calls into the device, with that of the devices on its buses.",
        );
        slots.each(&mut family, |status, sampler| {
            status.counts.time.into_iter().for_each(|time| sampler.add(seconds(time)));
        });
    }
    let mut gauge = |name, help: &str, value: &dyn Fn(&Status) -> Option<f64>| {
        let mut family = text.family(name, Kind::Gauge, help);
        slots.each(&mut family, |status, sampler| {
            value(status).into_iter().for_each(|value| sampler.add(value));
        });
    };
    gauge("southbridge_device_in_service", "Whether the device works: 0 after a fault.", &|s| {
        Some(if s.fault.is_none() { 1.0 } else { 0.0 })
    });
    gauge("southbridge_device_regions_mapped", "Regions of the device that are mapped.", &|s| {
        Some(s.mapped as f64)
    });
    gauge(
        "southbridge_device_checkpoint_age_seconds",
        "How old the device's checkpoint is by the machine's clock, if there is one.",
        &|status| {
            let age = now.saturating_sub(status.checkpoint.as_ref()?.time);
            Some(seconds(Duration::from_nanos(age)))
        },
    );
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
