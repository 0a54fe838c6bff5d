//! The firmware configuration device.

use super::ports::HIDDEN;
use crate::aml::{Term, device as aml_device, io, name, scope, string, template};
use crate::board::FwCfg;

/// The device, which claims its ports.
pub(super) fn device(fw_cfg: FwCfg) -> Term {
    let terms = [
        name("_HID", string("QEMU0002")),
        name("_STA", HIDDEN),
        name("_CRS", template([io(fw_cfg.port, 1, fw_cfg.length)])),
    ];
    scope("\\_SB.PCI0", aml_device("FWCF", terms))
}
