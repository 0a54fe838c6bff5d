//! The saved state: QEMU's section ide.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::Piix3Ide;
use crate::ahead::{Ahead, MOST};
use crate::bus_master::STATUS_IN_SUBSECTION;
use crate::channel::Channel;
use crate::dma::Dma;
use crate::drive::{Drive, Packet};
use crate::request::Purpose;
use crate::retry::{Resumed, Retry};
use crate::smart::Smart;
use crate::transfer::{BUFFER, Then, Transfer};

const SECTION: Shape = Shape::new("ide", 3, 0);
const BUS_MASTER: Shape = Shape::new("ide bmdma", 3, 0);
const CURRENT: Shape = Shape::new("ide bmdma_current", 1, 1);
const STATUS: Shape = Shape::new("ide bmdma/status", 1, 1);
const BUS: Shape = Shape::new("ide_bus", 1, 1);
const ERROR: Shape = Shape::new("ide_bus/error", 2, 1);
const DRIVE: Shape = Shape::new("ide_drive", 3, 0);
const PIO: Shape = Shape::new("ide_drive/pio_state", 1, 1);
const TRAY: Shape = Shape::new("ide_drive/tray_state", 1, 1);
const EVENTS: Shape = Shape::new("ide_drive/atapi/gesn_state", 1, 1);

/// Declares the section.
///
/// QEMU does not save the levels of the interrupts: the interrupt controller
/// has seen their edges. Only a device that takes over from another version in
/// its slot gets them, from the private fields.
pub(crate) fn declare(device: &mut Piix3Ide, sections: &mut Sections<'_>) {
    let Piix3Ide { function, channels, started: _ } = device;
    sections.section_with_path(SECTION, Condition::ALWAYS, |f| {
        function.state(f, "parent_obj");
        f.structures("bmdma", BUS_MASTER, channels, bus_master);
        f.structures("bus", BUS, channels, bus);
        let [primary, secondary] = channels;
        drives("bus[0].ifs", primary, f);
        drives("bus[1].ifs", secondary, f);
        f.private(|f| {
            f.bool("primary interrupt", &mut primary.interrupt);
            f.bool("secondary interrupt", &mut secondary.interrupt);
        });
    });
}

fn bus_master(f: &mut Fields<'_>, channel: &mut Channel) {
    let mut again = channel.again();
    let mut retry = channel.saved_retry();
    let half = &mut channel.bus_master;
    let mut raw = half.command.into_bits();
    f.u8("cmd", &mut raw);
    half.command = raw.into();
    // QEMU once kept what is to be done again in the status.
    let mut raw =
        half.status.into_bits() & !STATUS_IN_SUBSECTION | again as u8 & STATUS_IN_SUBSECTION;
    f.u8("migration_compat_status", &mut raw);
    f.u32("addr", &mut half.table);
    f.i64("migration_retry_sector_num", &mut retry.sector);
    f.u32("migration_retry_nsector", &mut retry.sectors);
    f.u8("migration_retry_unit", &mut retry.unit);
    let mut whole = half.status.into_bits();
    if f.is_loading() {
        whole = raw & !STATUS_IN_SUBSECTION;
        again = (raw & STATUS_IN_SUBSECTION).into();
        channel.retry = retry;
        channel.resumed = Resumed { again, ..Resumed::default() };
    }
    f.private(|f| f.bool("longer", &mut half.longer));
    let current = &mut half.current;
    f.subsection(CURRENT, Condition::new("a descriptor is in use", current[3] != 0), |f| {
        let names = ["cur_addr", "cur_prd_last", "cur_prd_addr", "cur_prd_len"];
        names.into_iter().zip(current).for_each(|(name, value)| f.u32(name, value));
    });
    let needed = Condition::new("DMA capable", whole & STATUS_IN_SUBSECTION != 0);
    f.subsection(STATUS, needed, |f| f.u8("status", &mut whole));
    half.status = whole.into();
}

fn bus(f: &mut Fields<'_>, channel: &mut Channel) {
    let mut raw = channel.saved_control().into_bits();
    f.u8("cmd", &mut raw);
    let mut unit = u8::from(channel.unit);
    f.u8("unit", &mut unit);
    f.check(unit <= 1, || format!("{unit} found, 0 or 1 expected"));
    if f.is_loading() {
        channel.control = raw.into();
        channel.unit = unit != 0;
    }
    f.private(|f| command_in_progress(f, channel));
    let mut again = if f.is_loading() { channel.resumed.again } else { channel.again() };
    let mut retry = if f.is_loading() { channel.retry } else { channel.saved_retry() };
    f.subsection(ERROR, Condition::new("a command is to be done again", again != 0), |f| {
        f.i32("error_status", &mut again);
        f.since(2, |f| {
            let Retry { unit, sector, sectors } = &mut retry;
            f.i64("retry_sector_num", sector);
            f.u32("retry_nsector", sectors);
            f.u8("retry_unit", unit);
        });
    });
    if f.is_loading() {
        channel.resumed.again = again;
        channel.retry = retry;
    }
}

/// What goes on, for another version of the device in this slot.
fn command_in_progress(f: &mut Fields<'_>, channel: &mut Channel) {
    let mut whole = true;
    f.bool("whole", &mut whole);
    let mut dma = channel.dma.map_or(0, |dma| dma as u8);
    f.u8("dma", &mut dma);
    let mut purpose = channel.request.map_or(0, |request| request.purpose as u8);
    f.u8("request", &mut purpose);
    // A request that has not ended is made again, under its mark.
    let in_flight = u32::from(channel.request.is_some());
    let mut tag = channel.tag.wrapping_sub(in_flight);
    f.u32("tag", &mut tag);
    let known = |number: &u8, all: usize| usize::from(*number) <= all;
    let legal = known(&dma, Dma::ALL.len()) && known(&purpose, Purpose::ALL.len());
    f.check(legal, || format!("{dma} and {purpose} found, a kind of DMA and request expected"));
    if f.is_loading() {
        channel.tag = tag;
        channel.resumed.whole = whole;
        channel.resumed.dma = Dma::ALL.into_iter().find(|known| *known as u8 == dma);
        channel.resumed.purpose = Purpose::ALL.into_iter().find(|known| *known as u8 == purpose);
    }
}

fn drives(name: &'static str, channel: &mut Channel, f: &mut Fields<'_>) {
    channel.show();
    f.structures(name, DRIVE, &mut channel.drives, drive);
}

fn drive(f: &mut Fields<'_>, drive: &mut Drive) {
    f.i32("mult_sectors", &mut drive.multiple);
    f.i32("identify_set", &mut drive.identify_set);
    f.when(Condition::new("identify_set", drive.identify_set != 0), |f| {
        f.buffer("identify_data", "buffer", &mut drive.identify);
    });
    f.u8("feature", &mut drive.feature.current);
    f.u8("error", &mut drive.error);
    f.u32("nsector", &mut drive.sectors);
    f.u8("sector", &mut drive.sector.current);
    f.u8("lcyl", &mut drive.cylinder_low.current);
    f.u8("hcyl", &mut drive.cylinder_high.current);
    f.u8("hob_feature", &mut drive.feature.previous);
    f.u8("hob_sector", &mut drive.sector.previous);
    f.u8("hob_nsector", &mut drive.previous_sectors);
    f.u8("hob_lcyl", &mut drive.cylinder_low.previous);
    f.u8("hob_hcyl", &mut drive.cylinder_high.previous);
    f.u8("select", &mut drive.select);
    let mut status = drive.shown.status.into_bits();
    f.u8("status", &mut status);
    if f.is_loading() {
        drive.status = status.into();
        let idle = drive.is_present() || !drive.status.working();
        f.check(idle, || {
            format!("{status:#04x} found, a drive that is neither busy nor moves data expected")
        });
    }
    let mut raw = u8::from(drive.lba48);
    f.u8("lba48", &mut raw);
    f.check(raw <= 1, || format!("{raw} found, 0 or 1 expected"));
    drive.lba48 = raw != 0;
    f.u8("sense_key", &mut drive.packet.key);
    f.u8("asc", &mut drive.packet.code);
    f.since(3, |f| f.u8("cdrom_changed", &mut drive.packet.changed));
    f.private(|f| private(f, drive));
    let needed = Condition::new("the drive moves data", drive.shown.pio_state);
    f.subsection(PIO, needed, |f| pio_state(f, drive));
    let Packet { tray_open, tray_locked, new_media, eject_request, .. } = &mut drive.packet;
    let needed = Condition::new("the tray is open or locked", *tray_open || *tray_locked);
    f.subsection(TRAY, needed, |f| {
        f.bool("tray_open", tray_open);
        f.bool("tray_locked", tray_locked);
    });
    let needed = Condition::new("an event waits", *new_media || *eject_request);
    f.subsection(EVENTS, needed, |f| {
        f.bool("events.new_media", new_media);
        f.bool("events.eject_request", eject_request);
    });
}

fn pio_state(f: &mut Fields<'_>, drive: &mut Drive) {
    f.i32("req_nb_sectors", &mut drive.block);
    let Transfer { buffer, start, end, then } = &mut drive.transfer;
    // The packet that is to be carried out again takes its place in the buffer.
    let mut head = [0; 12];
    head.copy_from_slice(&buffer[..12]);
    let (mut offset, mut left) = (*start as i32, (*end - *start) as i32);
    let mut number = *then as u8;
    if let Some(packet) = drive.shown.packet {
        buffer[..12].copy_from_slice(&packet);
        (offset, left, number) = (12, 0, Then::Packet as u8);
    }
    f.u8s("io_buffer", buffer);
    if !f.is_loading() {
        buffer[..12].copy_from_slice(&head);
    }
    f.i32("cur_io_buffer_offset", &mut offset);
    let within = |value: i32, most: usize| usize::try_from(value).is_ok_and(|v| v <= most);
    f.check(within(offset, BUFFER), || format!("{offset} found, 0 to {BUFFER} expected"));
    f.i32("cur_io_buffer_len", &mut left);
    let room = BUFFER.saturating_sub(offset.max(0) as usize);
    f.check(within(left, room), || format!("{left} found, 0 to {room} expected"));
    f.u8("end_transfer_fn_idx", &mut number);
    let next = Then::ALL.into_iter().find(|known| *known as u8 == number);
    f.check(next.is_some_and(|next| drive.setup.kind.can(next)), || {
        format!("{number} found, what such a drive does next expected")
    });
    if f.is_loading() {
        let size = left.max(0) as usize;
        drive.transfer.begin(offset.max(0) as usize, size, next.unwrap_or(Then::Stop));
        // What QEMU does not save, it finds in the registers.
        if !drive.whole {
            drive.packet.dma = drive.feature.current & 1 != 0;
        }
    }
    f.i32("elementary_transfer_size", &mut drive.packet.announced);
    f.i32("packet_transfer_size", &mut drive.packet.left);
}

/// What QEMU does not save of a drive.
fn private(f: &mut Fields<'_>, drive: &mut Drive) {
    drive.whole = f.is_loading();
    f.u32("heads", &mut drive.current.heads);
    f.check(drive.current.heads <= 16, || "at most 16 expected".into());
    f.u32("sectors per track", &mut drive.current.sectors);
    f.bool("write cache", &mut drive.write_cache);
    let Smart { enabled, autosave, tests, log, used } = &mut drive.smart;
    f.bool("smart enabled", enabled);
    f.bool("smart autosave", autosave);
    f.u8("self-tests", tests);
    f.u8("self-tests ever", used);
    let most = log.len();
    f.check(usize::from(*tests.max(used)) <= most, || format!("at most {most} expected"));
    f.buffer("self-test log", "buffer", log);
    let Packet { command, dma, block, block_size, index, reply, .. } = &mut drive.packet;
    f.buffer("packet", "buffer", command);
    f.bool("packet by DMA", dma);
    f.i32("block", block);
    f.i32("block size", block_size);
    f.check(matches!(block_size, 0 | 2048 | 2352), || "0, 2048 or 2352 expected".into());
    f.i32("index", index);
    f.i32("reply", reply);
    if !f.is_loading() {
        drive.head.copy_from_slice(&drive.transfer.buffer[..12]);
    }
    f.buffer("buffer head", "buffer", &mut drive.head);
    let Ahead { sector, data, careful } = &mut drive.ahead;
    f.bool("careful", careful);
    f.u64("ahead of", sector);
    let mut length = data.len() as u32;
    f.u32("ahead", &mut length);
    f.check(length as usize <= MOST, || format!("{length} found, at most {MOST} expected"));
    data.resize(MOST, 0);
    f.buffer("ahead data", "buffer", data);
    data.truncate(length as usize);
}
