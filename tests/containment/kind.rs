//! What a hostile device leads to, and the checks that are the same for all of them.

use southbridge::component::{Error, Fault};
use southbridge::slot::SwapError;

use super::device::Device;
use super::ground::{Ground, HOSTILE, engine, good, good_image};

/// A kind of hostile device.
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) device: Device,
    /// The export in which it is hostile.
    pub(crate) export: &'static str,
    pub(crate) outcome: Outcome,
}

/// What comes of it.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    /// It is never plugged in; why.
    Refused(&'static str),
    /// It is taken out of service; why, and a function that was active then. Nothing
    /// is active when the call has come to its end.
    Fault(&'static str, &'static str),
    /// It is plugged in and goes on; effects on what it never declared are counted.
    GoesOn { violations: u64 },
}

impl Kind {
    pub(crate) fn new(
        name: impl Into<String>,
        device: Device,
        export: &'static str,
        outcome: Outcome,
    ) -> Self {
        Self { name: name.into(), device, export, outcome }
    }

    /// Checks that nobody but the device itself is hurt.
    pub(crate) fn check(&self) {
        match self.outcome {
            Outcome::Refused(reason) => self.check_refused(reason),
            Outcome::Fault(reason, function) => self.check_fault(reason, function),
            Outcome::GoesOn { violations } => self.check_goes_on(violations),
        }
    }

    fn check_refused(&self, reason: &str) {
        let (name, component) = (&self.name, self.device.component());
        check_refused(name, &component, self.export, reason);
        // A machine that is to begin with it is not built, but for what only a swap
        // asks of a device.
        match Ground::try_new(&component) {
            Ok(_) => assert!(matches!(self.export, "load" | "save"), "{name}: it is plugged in"),
            Err(error) => {
                check_machine_error(name, &error, self.export);
                assert!(error.to_string().contains(reason), "{name}: {error}");
            }
        }
    }

    fn check_fault(&self, reason: &str, function: &str) {
        let Self { name, device, export, .. } = self;
        let ground = Ground::new(&device.component());
        ground.beside_neighbour(name, || ground.provoke(export));
        let told = ground.told();
        assert_eq!(told.len(), 1, "{name}: the fault is told once");
        let record = &told[0];
        assert_eq!((&*record.slot, record.number), ("hostile", 1), "{name}");
        assert_eq!(record.fault.export, *export, "{name}");
        let fault = &record.fault;
        assert!(fault.reason.contains(reason), "{name}: {}", fault.reason);
        assert!(fault.backtrace.contains(function), "{name}: {}", fault.backtrace);
        assert_eq!(ground.status().counts.faults, 1, "{name}");

        // It reads as ones, and nobody calls it any more.
        for port in [HOSTILE, HOSTILE + 12] {
            assert_eq!(ground.read(port), 0xffff_ffff, "{name}");
        }
        ground.provoke(export);
        assert_eq!(ground.told().len(), 1, "{name}: it is told again");

        ground.machine.swap("hostile", &good_image()).unwrap_or_else(|e| panic!("{name}: {e}"));
        ground.check_service(name);
        ground.beside_neighbour(name, || ground.provoke(export));
        assert_eq!(ground.told().len(), 1, "{name}");
    }

    fn check_goes_on(&self, violations: u64) {
        let Self { name, device, export, .. } = self;
        let ground = Ground::new(&device.component());
        ground.beside_neighbour(name, || ground.provoke(export));
        ground.check_service(name);
        let status = ground.status();
        assert!(status.fault.is_none(), "{name}: {:?}", status.fault);
        assert_eq!(status.counts.violations, violations, "{name}");
        assert_eq!(ground.memory.changed(), None, "{name}: the guest's memory has changed");
        ground.machine.swap("hostile", &good_image()).unwrap_or_else(|e| panic!("{name}: {e}"));
        ground.check_service(name);
        assert_eq!(ground.told().len(), 0, "{name}");
    }
}

/// Checks that a component does not take the place of a device that behaves, which does
/// not notice.
pub(crate) fn check_refused(name: &str, component: &[u8], export: &str, reason: &str) {
    let ground = Ground::new(&good().component());
    ground.write(HOSTILE, 7);
    ground.beside_neighbour(name, || {
        let error = match engine().load(component) {
            Ok(image) => {
                let error = ground.machine.swap("hostile", &image).expect_err(name);
                check_machine_error(name, &error, export);
                error.to_string()
            }
            Err(error) => {
                check_error(name, &error, export);
                error.to_string()
            }
        };
        assert!(error.contains(reason), "{name}: {error}");
        assert!(!error.contains('\n') && error.len() < 4096, "{name}: {} bytes", error.len());
    });
    assert_eq!(ground.told().len(), 0, "{name}: the device in the slot has not failed");
    assert_eq!(ground.read(HOSTILE), 7, "{name}");
    ground.check_service(name);
}

/// Checks that an error tells the export that failed.
fn check_machine_error(name: &str, error: &southbridge::machine::Error, export: &str) {
    use southbridge::machine::Error as Refused;
    match error {
        Refused::Swap { slot, source } => {
            assert_eq!(slot, "hostile", "{name}");
            match &**source {
                SwapError::Unusable(error) => check_error(name, error, export),
                SwapError::NewFaulted(fault) => check_fault(name, fault, export),
                SwapError::Refused(_) | SwapError::StateLost(_) => assert_eq!(export, "load"),
                error => panic!("{name}: {error:?}"),
            }
        }
        Refused::Plug { device, source, .. } => {
            assert_eq!(device, "hostile", "{name}");
            check_error(name, source, export);
        }
        Refused::Component { device, .. } => assert_eq!(device, "hostile", "{name}"),
        error => panic!("{name}: {error:?}"),
    }
}

fn check_error(name: &str, error: &Error, export: &str) {
    if let Error::Fault(fault) = error {
        check_fault(name, fault, export);
    }
}

fn check_fault(name: &str, fault: &Fault, export: &str) {
    assert_eq!(fault.export, export, "{name}");
    // What is wrong with an answer is seen after the call.
    let was_active = ["unreachable", "deadline"].iter().any(|word| fault.reason.contains(word));
    assert_eq!(!fault.backtrace.is_empty(), was_active, "{name}: {}", fault.backtrace);
}
