//! The machine that is measured.

use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{DeviceRequest, Plan};

/// Where firmware puts the PIIX4's power management registers.
pub(crate) const PM_BASE: u16 = 0x600;

/// The port of the power management timer.
pub(crate) const PM_TIMER: u16 = PM_BASE + 8;

/// How much RAM the machine has, in bytes.
pub(crate) const RAM_SIZE: u64 = 4 << 20;

/// A PC of the version that QEMU 7.2 has too, with the device by which a guest
/// ends.
pub(crate) fn plan(library: &Library) -> Plan {
    let types = MachineTypes::builtin().expect("the files in the program are sound");
    let machine_type = types.get("pc-i440fx-7.2").expect("it is in the program");
    let exit = DeviceRequest::new("isa-debug-exit");
    let parameters = Parameters::new(1, RAM_SIZE);
    Plan::new(machine_type, &[exit], library, parameters).expect("the machine fits together")
}
