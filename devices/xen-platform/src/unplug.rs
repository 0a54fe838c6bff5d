//! Requests of the guest to take emulated disks and network cards away, once
//! its own drivers serve it.

use southbridge_sdk::Context;
use southbridge_sdk::wit::Level;

use crate::regs::Unplug;

/// Says what the guest has asked for. QEMU keeps no state of it, and neither
/// does this device: the machines it is part of have no such disks and cards.
pub(crate) fn request(cx: &mut Context<'_>, mask: Unplug) {
    let asked = [
        (mask.disks(), "IDE and SCSI disks"),
        (mask.network_cards(), "network cards"),
        // All disks include these.
        (mask.auxiliary_disks() && !mask.disks(), "IDE disks but the first"),
        (mask.nvme(), "NVMe disks"),
    ];
    let names: Vec<_> = asked.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    if !names.is_empty() {
        let names = names.join(", ");
        cx.log(Level::Info, &format!("the guest asks to unplug {names}: there are none"));
    }
}
