//! The mouse: PS/2 with two or three buttons, or IntelliMouse with a wheel
//! (IMPS/2) and two more buttons (IMEX), which a system asks for by a sequence
//! of sample rates.

use bitfield_struct::bitfield;

use crate::queue::Queue;

/// Commands from the system.
mod command {
    pub(super) const SET_SCALING_1_1: u8 = 0xe6;
    pub(super) const SET_SCALING_2_1: u8 = 0xe7;
    pub(super) const SET_RESOLUTION: u8 = 0xe8;
    pub(super) const STATUS_REQUEST: u8 = 0xe9;
    pub(super) const SET_STREAM_MODE: u8 = 0xea;
    pub(super) const READ_DATA: u8 = 0xeb;
    pub(super) const RESET_WRAP_MODE: u8 = 0xec;
    pub(super) const SET_WRAP_MODE: u8 = 0xee;
    pub(super) const SET_REMOTE_MODE: u8 = 0xf0;
    pub(super) const READ_DEVICE_TYPE: u8 = 0xf2;
    pub(super) const SET_SAMPLE_RATE: u8 = 0xf3;
    pub(super) const ENABLE: u8 = 0xf4;
    pub(super) const DISABLE: u8 = 0xf5;
    pub(super) const SET_DEFAULT: u8 = 0xf6;
    pub(super) const RESET: u8 = 0xff;
}

const ACK: u8 = 0xfa;
const TEST_PASSED: u8 = 0xaa;

/// The device types of mice with a wheel.
const IMPS2: u8 = 3;
const IMEX: u8 = 4;

/// The first byte of a status report.
#[bitfield(u8)]
pub(crate) struct MouseStatus {
    #[bits(4)]
    __: u8,
    /// Scaling 2:1.
    scaling_2_1: bool,
    enabled: bool,
    remote_mode: bool,
    __: bool,
}

/// The mouse.
#[derive(Clone, Debug)]
pub(crate) struct Mouse {
    pub(crate) queue: Queue,
    /// The command that waits for its data byte; -1 if none does.
    pub(crate) write_cmd: i32,
    pub(crate) status: MouseStatus,
    pub(crate) resolution: u8,
    pub(crate) sample_rate: u8,
    /// In wrap mode bytes come back as they are.
    pub(crate) wrap: u8,
    /// 0, 3 or 4.
    pub(crate) device_type: u8,
    /// How far a sequence of sample rates has come.
    pub(crate) detect_state: u8,
    /// Movement that has not been reported.
    pub(crate) movement: [i32; 3],
    pub(crate) buttons: u8,
}

impl Default for Mouse {
    fn default() -> Self {
        Self {
            queue: Queue::default(),
            write_cmd: -1,
            status: MouseStatus::new(),
            resolution: 0,
            sample_rate: 0,
            wrap: 0,
            device_type: 0,
            detect_state: 0,
            movement: [0; 3],
            buttons: 0,
        }
    }
}

impl Mouse {
    /// A system reset.
    pub(crate) fn reset(&mut self) {
        self.queue.clear();
        *self = Self { queue: self.queue.clone(), ..Self::default() };
    }

    /// Takes a byte from the system. Returns whether an answer was queued.
    pub(crate) fn write(&mut self, byte: u8) -> bool {
        // A value that is no command with data counts as none, as in QEMU.
        let waiting = u8::try_from(self.write_cmd).unwrap_or(0);
        match waiting {
            command::SET_SAMPLE_RATE => {
                self.sample_rate = byte;
                self.detect(byte);
            }
            command::SET_RESOLUTION => self.resolution = byte,
            _ if self.wrap != 0 && !matches!(byte, command::RESET_WRAP_MODE | command::RESET) => {
                return self.queue.push(&[byte]);
            }
            _ => return self.command(byte),
        }
        self.write_cmd = -1;
        self.queue.push(&[ACK])
    }

    fn command(&mut self, byte: u8) -> bool {
        match byte {
            command::SET_SCALING_1_1 => self.status.set_scaling_2_1(false),
            command::SET_SCALING_2_1 => self.status.set_scaling_2_1(true),
            command::SET_STREAM_MODE => self.status.set_remote_mode(false),
            command::SET_REMOTE_MODE => self.status.set_remote_mode(true),
            command::SET_WRAP_MODE => self.wrap = 1,
            // Outside wrap mode QEMU does not answer.
            command::RESET_WRAP_MODE if self.wrap != 0 => self.wrap = 0,
            command::ENABLE => self.status.set_enabled(true),
            command::DISABLE => self.status.set_enabled(false),
            command::SET_DEFAULT => self.set_default(),
            command::SET_RESOLUTION | command::SET_SAMPLE_RATE => self.write_cmd = byte.into(),
            command::READ_DEVICE_TYPE => return self.queue.push(&[ACK, self.device_type]),
            command::STATUS_REQUEST => {
                let Self { status, resolution, sample_rate, .. } = *self;
                return self.queue.push(&[ACK, status.into_bits(), resolution, sample_rate]);
            }
            command::READ_DATA => {
                let acknowledged = self.queue.push(&[ACK]);
                return self.report() || acknowledged;
            }
            command::RESET => {
                self.set_default();
                self.device_type = 0;
                self.queue.clear();
                return self.queue.push(&[ACK, TEST_PASSED, self.device_type]);
            }
            _ => return false,
        }
        self.queue.push(&[ACK])
    }

    fn set_default(&mut self) {
        self.sample_rate = 100;
        self.resolution = 2;
        self.status = MouseStatus::new();
    }

    /// Follows the sequences of sample rates 200, 100, 80 and 200, 200, 80.
    fn detect(&mut self, rate: u8) {
        self.detect_state = match (self.detect_state, rate) {
            (1, 100) => 2,
            (1, 200) => 3,
            (state @ (2 | 3), _) => {
                if rate == 80 {
                    self.device_type = if state == 2 { IMPS2 } else { IMEX };
                }
                0
            }
            (1, _) => 0,
            (_, 200) => 1,
            (state, _) => state,
        };
    }

    /// Whether the mouse takes notice of what is done to it.
    pub(crate) const fn is_enabled(&self) -> bool {
        self.status.enabled()
    }

    /// Whether it reports by itself.
    pub(crate) const fn streams(&self) -> bool {
        !self.status.remote_mode()
    }

    /// Moves the mouse or its wheel: right, up, and towards the user.
    pub(crate) fn add(&mut self, movement: [i32; 3]) {
        for (axis, by) in self.movement.iter_mut().zip(movement) {
            *axis = axis.wrapping_add(by);
        }
    }

    /// Presses or releases a button.
    pub(crate) const fn set_button(&mut self, bit: u8, down: bool) {
        self.buttons = if down { self.buttons | bit } else { self.buttons & !bit };
    }

    /// Queues a report of buttons and movement. Returns whether there was room.
    pub(crate) fn report(&mut self) -> bool {
        let [dx, dy, dz] = self.movement;
        let (x, y) = (dx.clamp(-127, 127), dy.clamp(-127, 127));
        let (z, wheel) = match self.device_type {
            IMPS2 => (dz.clamp(-127, 127), Some(dz.clamp(-127, 127) as u8)),
            IMEX => {
                let z = dz.clamp(-7, 7);
                (z, Some(z as u8 & 0x0f | (self.buttons & 0x18) << 1))
            }
            // A mouse without a wheel forgets its movement.
            _ => (dz, None),
        };
        let signs = u8::from(x < 0) << 4 | u8::from(y < 0) << 5;
        let report = [0x08 | signs | self.buttons & 0x07, x as u8, y as u8];
        let room = match wheel {
            Some(wheel) => self.queue.push(&[report[0], report[1], report[2], wheel]),
            None => self.queue.push(&report),
        };
        if room {
            self.movement = [dx - x, dy - y, dz - z];
        }
        room
    }
}
