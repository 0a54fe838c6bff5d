//! Commands (ATA-4, clause 8), as QEMU performs them.

use southbridge_sdk::Context;

use crate::channel::Channel;
use crate::dma::Dma;
use crate::drive::{Drive, MOST_MULTIPLE, Status};
use crate::identify::{ENABLED, NOP_AND_SMART, WRITE_CACHE};
use crate::request::{After, Purpose};
use crate::setup::Kind;
use crate::smart;
use crate::transfer::Then;

/// Commands, with the names of ATA-4.
mod code {
    pub(super) const DATA_SET_MANAGEMENT: u8 = 0x06;
    pub(super) const DEVICE_RESET: u8 = 0x08;
    pub(super) const RECALIBRATE: u8 = 0x10;
    pub(super) const READ: [u8; 3] = [0x20, 0x21, 0x24];
    pub(super) const READ_DMA: [u8; 3] = [0x25, 0xc8, 0xc9];
    pub(super) const READ_NATIVE_MAX: [u8; 2] = [0x27, 0xf8];
    pub(super) const READ_MULTIPLE: [u8; 2] = [0x29, 0xc4];
    pub(super) const WRITE: [u8; 4] = [0x30, 0x31, 0x34, 0x3c];
    pub(super) const WRITE_DMA: [u8; 3] = [0x35, 0xca, 0xcb];
    pub(super) const WRITE_MULTIPLE: [u8; 2] = [0x39, 0xc5];
    pub(super) const READ_VERIFY: [u8; 3] = [0x40, 0x41, 0x42];
    pub(super) const SEEK: u8 = 0x70;
    pub(super) const DIAGNOSTIC: u8 = 0x90;
    pub(super) const INITIALIZE_PARAMETERS: u8 = 0x91;
    pub(super) const PACKET: u8 = 0xa0;
    pub(super) const IDENTIFY_PACKET: u8 = 0xa1;
    pub(super) const SMART: u8 = 0xb0;
    pub(super) const SET_MULTIPLE: u8 = 0xc6;
    pub(super) const FLUSH_CACHE: u8 = 0xe7;
    pub(super) const FLUSH_CACHE_EXT: u8 = 0xea;
    pub(super) const IDENTIFY: u8 = 0xec;
    pub(super) const SET_FEATURES: u8 = 0xef;
    /// SECURITY FREEZE LOCK, once CFA WEAR LEVEL.
    pub(super) const FREEZE_LOCK: u8 = 0xf5;

    /// Those that use 48-bit addresses.
    pub(super) const EXTENDED: [u8; 8] = [0x24, 0x25, 0x27, 0x29, 0x34, 0x35, 0x39, 0x42];
    /// Power management but for its checks, old codes and new ones.
    pub(super) const POWER: [u8; 10] = [0x94, 0x95, 0x96, 0x97, 0x99, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6];
    pub(super) const CHECK_POWER_MODE: [u8; 2] = [0x98, 0xe5];
    /// What a CD-ROM drive takes.
    pub(super) const OF_CD: [u8; 8] = [
        DEVICE_RESET,
        READ[0],
        DIAGNOSTIC,
        PACKET,
        IDENTIFY_PACKET,
        FLUSH_CACHE,
        IDENTIFY,
        SET_FEATURES,
    ];
    /// What only a CD-ROM drive takes.
    pub(super) const OF_CD_ONLY: [u8; 3] = [DEVICE_RESET, PACKET, IDENTIFY_PACKET];
}

/// The drive does not stand by.
const ACTIVE: u32 = 0xff;

/// How a command has ended, or goes on.
enum Outcome {
    /// It is done.
    Done,
    /// It is done, and the heads have settled.
    Settled,
    Aborted,
    /// It has set the status and what goes on is none of the dispatcher's business.
    Going,
}

impl Channel {
    /// A command to the selected drive. Drive 1 does not answer where there is
    /// none; for drive 0 QEMU does.
    pub(crate) fn command(&mut self, cx: &mut Context<'_>, byte: u8) {
        let is_cd = self.selected().is_cd();
        let status = self.selected().status;
        let may = byte == code::DEVICE_RESET && is_cd || !status.working();
        if self.unit && !self.selected().is_present() || !may {
            return;
        }
        let list: &[u8] = if is_cd { &code::OF_CD } else { &code::OF_CD_ONLY };
        if list.contains(&byte) != is_cd {
            self.drive().abort();
            return self.request_interrupt(cx);
        }
        if byte == code::DEVICE_RESET {
            return self.device_reset(cx);
        }
        let drive = self.drive();
        drive.status = Status::new().with_ready(true).with_busy(true);
        drive.error = 0;
        drive.ahead.forget();
        match self.perform(cx, byte) {
            Outcome::Going => return,
            Outcome::Done => {}
            Outcome::Settled => self.drive().status.set_seek_complete(true),
            Outcome::Aborted => self.drive().abort(),
        }
        self.drive().status.set_busy(false);
        self.request_interrupt(cx);
    }

    fn perform(&mut self, cx: &mut Context<'_>, command: u8) -> Outcome {
        let wide = code::EXTENDED.contains(&command);
        let drive = self.drive();
        let kind = drive.setup.kind;
        match command {
            code::RECALIBRATE | code::SEEK => Outcome::Settled,
            code::DIAGNOSTIC => {
                self.diagnose(cx, self.unit);
                Outcome::Going
            }
            code::FREEZE_LOCK => {
                drive.sectors = 0;
                Outcome::Settled
            }
            code::SET_MULTIPLE if is_multiple(drive.sectors) => {
                drive.multiple = i32::from(drive.sectors as u8);
                Outcome::Settled
            }
            code::FLUSH_CACHE | code::FLUSH_CACHE_EXT => {
                self.flush(cx);
                Outcome::Going
            }
            code::SMART => match smart::perform(drive) {
                smart::Outcome::Done => Outcome::Settled,
                smart::Outcome::Data => self.give_page(cx),
                smart::Outcome::Aborted => Outcome::Aborted,
            },
            _ if code::READ_VERIFY.contains(&command) => {
                drive.widen(wide);
                Outcome::Settled
            }
            _ if code::POWER.contains(&command) => Outcome::Done,
            _ if code::CHECK_POWER_MODE.contains(&command) => {
                drive.sectors = ACTIVE;
                Outcome::Settled
            }
            _ if kind == Kind::None => Outcome::Aborted,
            code::SET_FEATURES => self.set_features(cx),
            _ if kind == Kind::CdRom => self.perform_cd(cx, command),
            _ => self.perform_disk(cx, command, wide),
        }
    }

    fn perform_cd(&mut self, cx: &mut Context<'_>, command: u8) -> Outcome {
        let drive = self.drive();
        match command {
            code::PACKET => {
                // Overlapping commands are not supported.
                if drive.feature.current & 2 != 0 {
                    return Outcome::Aborted;
                }
                drive.status = Status::DONE;
                drive.packet.dma = drive.feature.current & 1 != 0;
                drive.sectors = 1;
                self.begin_transfer(0, 12, Then::Packet);
                Outcome::Going
            }
            code::IDENTIFY_PACKET => {
                drive.identify();
                self.give_page(cx)
            }
            // READ SECTORS and IDENTIFY DEVICE: ATA-4, 8.12.5.2 and 8.27.5.2.
            _ => {
                drive.sign();
                Outcome::Aborted
            }
        }
    }

    fn perform_disk(&mut self, cx: &mut Context<'_>, command: u8, wide: bool) -> Outcome {
        let drive = self.drive();
        let by_multiple = match u8::try_from(drive.multiple) {
            Ok(0) | Err(_) => None,
            Ok(multiple) => Some(multiple.into()),
        };
        match command {
            code::IDENTIFY => {
                drive.identify();
                self.give_page(cx)
            }
            code::INITIALIZE_PARAMETERS => {
                drive.current.heads = u32::from(drive.select & 0x0f) + 1;
                drive.current.sectors = drive.sectors;
                Outcome::Settled
            }
            _ if code::READ_NATIVE_MAX.contains(&command) => {
                let Some(last) = drive.total().checked_sub(1) else { return Outcome::Aborted };
                drive.widen(wide);
                drive.set_address(last as i64);
                Outcome::Settled
            }
            _ if code::READ.contains(&command) => self.begin_read(cx, wide, Some(1)),
            _ if code::READ_MULTIPLE.contains(&command) => self.begin_read(cx, wide, by_multiple),
            _ if code::WRITE.contains(&command) => self.begin_write(wide, Some(1)),
            _ if code::WRITE_MULTIPLE.contains(&command) => self.begin_write(wide, by_multiple),
            _ if code::READ_DMA.contains(&command) => self.begin_dma(cx, wide, Dma::Read),
            _ if code::WRITE_DMA.contains(&command) => self.begin_dma(cx, wide, Dma::Write),
            code::DATA_SET_MANAGEMENT if drive.feature.current == 1 => {
                self.start_data_dma(cx, Dma::Trim);
                Outcome::Going
            }
            _ => Outcome::Aborted,
        }
    }

    fn begin_read(&mut self, cx: &mut Context<'_>, wide: bool, block: Option<i32>) -> Outcome {
        let Some(block) = block else { return Outcome::Aborted };
        let drive = self.drive();
        drive.widen(wide);
        drive.block = block;
        self.read_block(cx);
        Outcome::Going
    }

    fn begin_write(&mut self, wide: bool, block: Option<i32>) -> Outcome {
        let Some(block) = block else { return Outcome::Aborted };
        let drive = self.drive();
        drive.widen(wide);
        drive.block = block;
        drive.status = Status::DONE;
        self.take_block();
        Outcome::Going
    }

    fn begin_dma(&mut self, cx: &mut Context<'_>, wide: bool, dma: Dma) -> Outcome {
        self.drive().widen(wide);
        self.start_data_dma(cx, dma);
        Outcome::Going
    }

    /// 512 bytes of the buffer go to the guest.
    fn give_page(&mut self, cx: &mut Context<'_>) -> Outcome {
        self.drive().status = Status::DONE;
        self.begin_transfer(0, 512, Then::Stop);
        self.request_interrupt(cx);
        Outcome::Going
    }

    /// SET FEATURES (ATA-4, 8.37).
    fn set_features(&mut self, cx: &mut Context<'_>) -> Outcome {
        let drive = self.drive();
        match drive.feature.current {
            0x02 => {
                drive.write_cache = true;
                drive.set_word(ENABLED, NOP_AND_SMART | WRITE_CACHE);
            }
            0x82 => {
                drive.write_cache = false;
                drive.set_word(ENABLED, NOP_AND_SMART);
                self.flush(cx);
                return Outcome::Going;
            }
            0x03 => return set_transfer_mode(drive),
            // Read look-ahead, power-on defaults, power and noise management, and
            // codes without a meaning that old systems send.
            0x05 | 0x42 | 0x55 | 0x66 | 0x67 | 0x69 | 0x85 | 0x96 | 0x9a | 0xaa | 0xc2 | 0xcc => {}
            _ => return Outcome::Aborted,
        }
        Outcome::Settled
    }

    /// FLUSH CACHE, and what else ends with all that was written on the medium.
    pub(crate) fn flush(&mut self, cx: &mut Context<'_>) {
        let drive = self.drive();
        if !drive.is_present() {
            drive.status = Status::DONE;
            return self.request_interrupt(cx);
        }
        drive.status.set_busy(true);
        self.set_retry();
        self.submit_flush(cx, Purpose::Flush);
    }

    /// DEVICE RESET (ATA-4, 8.7), which waits for a request to end.
    pub(crate) fn device_reset(&mut self, cx: &mut Context<'_>) {
        self.drive().stop_transfer();
        if self.request.is_some() {
            self.drive().status.set_busy(true);
            self.after = After::DeviceReset;
        } else {
            self.dma = None;
            self.reset_drive(cx, self.unit);
            self.drive().status = Status::new();
        }
    }
}

/// SET FEATURES, set transfer mode (ATA-4, 8.37.7): the identify data shows what has
/// been chosen.
fn set_transfer_mode(drive: &mut Drive) -> Outcome {
    let chosen = 1_u16 << ((drive.sectors & 7) + 8);
    let (mut single, mut multi, mut ultra) = (0x07, 0x07, 0x3f);
    match drive.sectors >> 3 {
        0 | 1 => {}
        2 => single |= chosen,
        4 => multi |= chosen,
        8 => ultra |= chosen,
        _ => return Outcome::Aborted,
    }
    [(62, single), (63, multi), (88, ultra)]
        .into_iter()
        .for_each(|(word, value)| drive.set_word(word, value));
    Outcome::Settled
}

/// Whether so many sectors can be moved at once; 0 switches READ MULTIPLE off.
/// A count that an earlier command has widened is no power of two for QEMU.
fn is_multiple(sectors: u32) -> bool {
    let count = sectors as u8;
    count == 0 || count <= MOST_MULTIPLE && sectors.is_power_of_two()
}
