//! The saved state: QEMU's section ide.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::Piix3Ide;
use crate::bus_master::{BusMaster, STATUS_IN_SUBSECTION};
use crate::channel::Channel;
use crate::drive::{BUSY, DATA_REQUEST, Drive, Left};

const SECTION: Shape = Shape::new("ide", 3, 0);
const BUS_MASTER: Shape = Shape::new("ide bmdma", 3, 0);
const CURRENT: Shape = Shape::new("ide bmdma_current", 1, 1);
const STATUS: Shape = Shape::new("ide bmdma/status", 1, 1);
const BUS: Shape = Shape::new("ide_bus", 1, 1);
const DRIVE: Shape = Shape::new("ide_drive", 3, 0);
const TRAY: Shape = Shape::new("ide_drive/tray_state", 1, 1);
const EVENTS: Shape = Shape::new("ide_drive/atapi/gesn_state", 1, 1);

/// Declares the section.
///
/// QEMU does not save the levels of the interrupts: the interrupt controller
/// has seen their edges. Only a device that takes over from another version in
/// its slot gets them, from the private fields.
pub(crate) fn declare(device: &mut Piix3Ide, sections: &mut Sections<'_>) {
    let Piix3Ide { function, channels } = device;
    sections.section_with_path(SECTION, Condition::ALWAYS, |f| {
        function.state(f, "parent_obj");
        f.structures("bmdma", BUS_MASTER, channels, |f, Channel { bus_master: half, .. }| {
            bus_master(half, f);
        });
        f.structures("bus", BUS, channels, bus);
        let [primary, secondary] = channels;
        f.structures("bus[0].ifs", DRIVE, &mut primary.drives, drive);
        f.structures("bus[1].ifs", DRIVE, &mut secondary.drives, drive);
        f.private(|f| {
            f.bool("primary interrupt", &mut primary.interrupt);
            f.bool("secondary interrupt", &mut secondary.interrupt);
        });
    });
}

fn bus_master(half: &mut BusMaster, f: &mut Fields<'_>) {
    let BusMaster { command, status, table, current, retry } = half;
    let mut raw = command.into_bits();
    f.u8("cmd", &mut raw);
    *command = raw.into();
    let mut raw = status.into_bits() & !STATUS_IN_SUBSECTION;
    f.u8("migration_compat_status", &mut raw);
    f.u32("addr", table);
    let (sector, sectors, unit) = retry;
    f.i64("migration_retry_sector_num", sector);
    f.u32("migration_retry_nsector", sectors);
    f.u8("migration_retry_unit", unit);
    let mut whole = status.into_bits();
    if f.is_loading() {
        whole = raw & !STATUS_IN_SUBSECTION;
    }
    f.subsection(CURRENT, Condition::new("a descriptor is in use", current[3] != 0), |f| {
        let names = ["cur_addr", "cur_prd_last", "cur_prd_addr", "cur_prd_len"];
        names.into_iter().zip(current).for_each(|(name, value)| f.u32(name, value));
    });
    let needed = Condition::new("DMA capable", whole & STATUS_IN_SUBSECTION != 0);
    f.subsection(STATUS, needed, |f| f.u8("status", &mut whole));
    *status = whole.into();
}

fn bus(f: &mut Fields<'_>, channel: &mut Channel) {
    let mut raw = channel.control.into_bits();
    f.u8("cmd", &mut raw);
    channel.control = raw.into();
    let mut unit = u8::from(channel.unit);
    f.u8("unit", &mut unit);
    f.check(unit <= 1, || format!("{unit} found, 0 or 1 expected"));
    channel.unit = unit != 0;
}

fn drive(f: &mut Fields<'_>, drive: &mut Drive) {
    let Drive {
        multiple,
        feature,
        error,
        sectors,
        previous_sectors,
        sector,
        cylinder_low,
        cylinder_high,
        select,
        status,
        lba48,
        left,
    } = drive;
    f.i32("mult_sectors", multiple);
    let Left { identify_set, identify, sense, tray, events } = left;
    f.i32("identify_set", identify_set);
    f.when(Condition::new("identify_set", *identify_set != 0), |f| {
        f.buffer("identify_data", "buffer", identify);
    });
    f.u8("feature", &mut feature.current);
    f.u8("error", error);
    f.u32("nsector", sectors);
    f.u8("sector", &mut sector.current);
    f.u8("lcyl", &mut cylinder_low.current);
    f.u8("hcyl", &mut cylinder_high.current);
    f.u8("hob_feature", &mut feature.previous);
    f.u8("hob_sector", &mut sector.previous);
    f.u8("hob_nsector", previous_sectors);
    f.u8("hob_lcyl", &mut cylinder_low.previous);
    f.u8("hob_hcyl", &mut cylinder_high.previous);
    f.u8("select", select);
    f.u8("status", status);
    f.check(*status & (BUSY | DATA_REQUEST) == 0, || {
        format!("{status:#04x} found, a drive that is neither busy nor moves data expected")
    });
    let mut raw = u8::from(*lba48);
    f.u8("lba48", &mut raw);
    f.check(raw <= 1, || format!("{raw} found, 0 or 1 expected"));
    *lba48 = raw != 0;
    let [key, code, changed] = sense;
    f.u8("sense_key", key);
    f.u8("asc", code);
    f.since(3, |f| f.u8("cdrom_changed", changed));
    let needed = Condition::new("the tray is open or locked", *tray != [false; 2]);
    pair(f, TRAY, needed, ["tray_open", "tray_locked"], tray);
    let needed = Condition::new("an event waits", *events != [false; 2]);
    pair(f, EVENTS, needed, ["events.new_media", "events.eject_request"], events);
}

/// A subsection of two truth values.
fn pair(
    f: &mut Fields<'_>,
    shape: Shape,
    needed: Condition,
    names: [&'static str; 2],
    values: &mut [bool; 2],
) {
    f.subsection(shape, needed, |f| {
        names.into_iter().zip(values).for_each(|(name, value)| f.bool(name, value));
    });
}
