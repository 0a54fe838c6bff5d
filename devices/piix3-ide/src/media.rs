//! Media that come and go.

use southbridge_sdk::Context;
use southbridge_sdk::wit::Medium;

use crate::address::Geometry;
use crate::channel::Channel;

impl Channel {
    /// A medium is in a drive, or none. One that comes to a CD-ROM drive while the
    /// machine runs comes through the tray, as it goes.
    pub(crate) fn medium_changed(
        &mut self,
        cx: &mut Context<'_>,
        unit: bool,
        medium: Option<Medium>,
        started: bool,
    ) {
        let drive = &mut self.drives[usize::from(unit)];
        drive.medium = medium.map(|medium| medium.size / 512);
        drive.ahead.forget();
        if !drive.is_present() {
            return;
        }
        if drive.is_cd() {
            if started {
                drive.packet.tray_open = medium.is_none();
                drive.packet.changed = 1;
                drive.packet.new_media = true;
                drive.packet.eject_request = false;
                self.request_interrupt(cx);
            }
            return;
        }
        if !started {
            let guess = || Geometry::guess(drive.total());
            drive.geometry = drive.setup.geometry.unwrap_or_else(guess);
            drive.current = drive.geometry;
        } else if drive.identify_set != 0 {
            drive.identify_size();
        }
    }

    /// What follows from a state that has been loaded.
    pub(crate) fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        let resumed = std::mem::take(&mut self.resumed);
        for unit in [false, true] {
            let number = self.drive_number(unit);
            let drive = &mut self.drives[usize::from(unit)];
            if resumed.whole {
                drive.transfer.buffer[..12].copy_from_slice(&drive.head);
            } else if drive.identify_set != 0 && drive.is_present() && !drive.is_cd() {
                drive.write_cache = drive.shows_write_cache();
            }
            if drive.is_cd() && drive.packet.tray_open {
                cx.drive_tray(number, true);
            }
            if drive.is_cd() && drive.packet.tray_locked {
                cx.drive_lock(number, true);
            }
        }
        self.resume(cx, resumed)
    }
}
