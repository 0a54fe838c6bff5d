//! The saved state: QEMU's section `fdc`.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::Fdc;
use crate::drive::{Drive, SECTOR};
use crate::media::Kind;
use crate::ports::RESET_SENSES;
use crate::regs::{Direction, Dor, Phase};
use crate::requests::Held;

const FDC: Shape = Shape::new("fdc", 2, 2);

/// What QEMU's `data_state` can have: a transfer over both sides.
const MULTI_TRACK: u8 = 1;

/// The most bytes of a command, and of a result.
const LONGEST_COMMAND: u32 = 18;
const LONGEST_RESULT: u32 = 15;

/// A kind that a drive has not got yet.
const NO_KIND: u8 = 0xff;

const fn shape(name: &'static str) -> Shape {
    Shape::new(name, 1, 1)
}

impl Fdc {
    pub(crate) fn walk(&mut self, sections: &mut Sections<'_>) {
        sections.section(FDC, Condition::ALWAYS, |f| {
            f.structure("state", FDC, |f| self.fields(f));
        });
    }

    fn fields(&mut self, f: &mut Fields<'_>) {
        register(f, "sra", &mut self.sra);
        register(f, "srb", &mut self.srb);
        self.selection(f);
        f.u8("tdr", &mut self.tdr);
        register(f, "dsr", &mut self.dsr);
        register(f, "msr", &mut self.msr);
        register(f, "status0", &mut self.status0);
        f.u8("status1", &mut self.status1);
        f.u8("status2", &mut self.status2);
        f.u8s("fifo", &mut self.fifo);
        f.u32("data_pos", &mut self.data_pos);
        f.u32("data_len", &mut self.data_len);
        let mut state = u8::from(self.multi_track) * MULTI_TRACK;
        f.u8("data_state", &mut state);
        f.check(state & !MULTI_TRACK == 0, || format!("{state} found, 0 or 1 expected"));
        self.multi_track = state & MULTI_TRACK != 0;
        let mut direction = self.direction as u8;
        f.u8("data_dir", &mut direction);
        let legal = Direction::from_byte(direction);
        f.check(legal.is_some(), || format!("{direction} found, 0 to 5 expected"));
        self.direction = legal.unwrap_or(self.direction);
        f.u8("eot", &mut self.eot);
        f.u8("timer0", &mut self.timer0);
        f.u8("timer1", &mut self.timer1);
        f.u8("precomp_trk", &mut self.precomp_trk);
        register(f, "config", &mut self.config);
        f.u8("lock", &mut self.lock);
        f.u8("pwrd", &mut self.pwrd);
        let own = self.drives.len() as u8;
        let mut drives = own;
        f.u8("num_floppies", &mut drives);
        f.check(drives == own, || format!("{drives} found, {own} expected"));
        let shape = shape("fdrive");
        f.structure("drives[0]", shape, |f| drive_fields(f, &mut self.drives[0]));
        f.structure("drives[1]", shape, |f| drive_fields(f, &mut self.drives[1]));
        self.data_on_the_way(f);
        self.subsections(f);
    }

    /// QEMU saves the current drive in the register, and takes it out again: what the
    /// register itself said of it is lost.
    fn selection(&mut self, f: &mut Fields<'_>) {
        let mut dor = self.selected();
        f.u8("dor_vmstate", &mut dor);
        if f.is_loading() {
            let saved = Dor::from(dor);
            (self.second, self.dor) = (saved.drive(), saved.with_drive(false));
        }
        f.private(|f| {
            register(f, "dor", &mut self.dor);
            f.bool("cur_drv", &mut self.second);
        });
    }

    fn data_on_the_way(&mut self, f: &mut Fields<'_>) {
        let requests = &mut self.requests;
        f.private(|f| {
            let mut partial = requests.partial as u32;
            f.u32("given_len", &mut partial);
            let legal = partial < SECTOR as u32;
            f.check(legal, || format!("{partial} found, at most {} expected", SECTOR - 1));
            requests.partial = if legal { partial as usize } else { 0 };
            f.u8s("given", &mut requests.given);
            let mut is_held = requests.held.is_some();
            f.bool("read_ahead", &mut is_held);
            let Held { place: (drive, mut sector), mut data } =
                requests.held.unwrap_or(Held { place: (0, 0), data: [0; SECTOR] });
            let mut drive = drive as u8;
            f.u8("read_ahead_drive", &mut drive);
            f.check(drive < 2, || format!("{drive} found, 0 or 1 expected"));
            f.i64("read_ahead_sector", &mut sector);
            f.u8s("read_ahead_data", &mut data);
            requests.held = is_held.then(|| Held { place: (drive.into(), sector), data });
        });
    }

    fn subsections(&mut self, f: &mut Fields<'_>) {
        if f.is_loading() {
            (self.reset_sensei, self.result_timer) = (0, None);
            self.phase = Phase::seen_in(self.msr);
        }
        let needed = Condition::new("after a reset", self.reset_sensei != 0);
        f.subsection(shape("fdc/reset_sensei"), needed, |f| {
            let mut left = i32::from(self.reset_sensei);
            f.i32("reset_sensei", &mut left);
            let legal = u8::try_from(left).ok().filter(|left| *left <= RESET_SENSES);
            f.check(legal.is_some(), || format!("{left} found, 0 to {RESET_SENSES} expected"));
            self.reset_sensei = legal.unwrap_or(0);
        });
        let needed = Condition::new("running", self.result_timer.is_some());
        f.subsection(shape("fdc/result_timer"), needed, |f| {
            f.timer("result_timer", &mut self.result_timer);
        });
        let unclear = Phase::seen_in(self.msr) != self.phase;
        f.subsection(shape("fdc/phase"), Condition::new("not what msr tells", unclear), |f| {
            let mut phase = self.phase as u8;
            f.u8("phase", &mut phase);
            f.check(phase <= 3, || format!("{phase} found, 0 to 3 expected"));
            self.phase = match phase {
                1 => Phase::Command,
                2 => Phase::Execution,
                3 => Phase::Result,
                _ => Phase::seen_in(self.msr),
            };
        });
    }

    /// What no single field tells: what the phases take for granted.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { phase, msr, data_pos, data_len, .. } = *self;
        let has = |what: &str| {
            Err(format!("msr {:#04x} in phase {}: {what}", u8::from(msr), phase as u8))
        };
        let within = |longest| data_pos < data_len && data_len <= longest;
        match phase {
            Phase::Command | Phase::Result if msr.non_dma() => has("bit 5 expected clear"),
            Phase::Command if msr.to_host() => has("bit 6 expected clear"),
            Phase::Result if !msr.to_host() => has("bit 6 expected set"),
            Phase::Execution if msr.request() && !msr.non_dma() => has("bit 5 expected set"),
            Phase::Command if !within(LONGEST_COMMAND) => Err(format!(
                "data_pos {data_pos} and data_len {data_len} in a command: expected less, and at most {LONGEST_COMMAND}"
            )),
            Phase::Result if !within(LONGEST_RESULT) => Err(format!(
                "data_pos {data_pos} and data_len {data_len} in a result: expected less, and at most {LONGEST_RESULT}"
            )),
            _ if self.position() + self.requests.partial > SECTOR => Err(format!(
                "data_pos {data_pos} and given_len {}: beyond a sector",
                self.requests.partial
            )),
            _ => Ok(()),
        }
    }
}

fn drive_fields(f: &mut Fields<'_>, drive: &mut Drive) {
    let (is_connected, changed) = (drive.connected, drive.media_changed);
    let Drive {
        wanted: _,
        fallback: _,
        kind,
        connected,
        medium: _,
        head,
        track,
        sect,
        last_sect,
        max_track,
        double_sided,
        media_changed,
        media_rate,
        perpendicular,
    } = drive;
    f.u8("head", head);
    f.u8("track", track);
    f.u8("sect", sect);
    f.private(|f| {
        let mut number = kind.map_or(NO_KIND, |kind| kind as u8);
        f.u8("drive", &mut number);
        let legal = number == NO_KIND || Kind::from_byte(number).is_some();
        f.check(legal, || format!("{number} found, 0 to 2 or 255 expected"));
        *kind = Kind::from_byte(number);
        f.bool("connected", connected);
        f.u8("last_sect", last_sect);
        f.u8("max_track", max_track);
        f.bool("double_sided", double_sided);
    });
    if f.is_loading() {
        (*media_changed, *perpendicular) = (1, 0);
    }
    let needed = Condition::new("a medium has been found", is_connected && changed != 1);
    f.subsection(shape("fdrive/media_changed"), needed, |f| f.u8("media_changed", media_changed));
    f.subsection(shape("fdrive/media_rate"), Condition::ALWAYS, |f| f.u8("media_rate", media_rate));
    let needed = Condition::new("not 0", *perpendicular != 0);
    f.subsection(shape("fdrive/perpendicular"), needed, |f| f.u8("perpendicular", perpendicular));
}

/// A register, which is a byte in the stream.
fn register<R: Copy + From<u8> + Into<u8>>(f: &mut Fields<'_>, name: &'static str, value: &mut R) {
    let mut byte = (*value).into();
    f.u8(name, &mut byte);
    *value = byte.into();
}
