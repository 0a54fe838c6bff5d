//! The floppy disk controller and the DMA controller: a FIFO that is written to
//! without end, and transfers that leave their page, the memory or the disk.

use super::disk::SECTOR;
use super::machine::Machine;
use super::pair::Pair;

pub(crate) const SIZE: usize = 1_474_560;

/// A floppy disk of which each sector is full of its number.
pub(crate) fn numbered() -> Vec<u8> {
    let sectors = 1000..1000 + (SIZE / SECTOR) as u32;
    sectors.flat_map(|number| number.to_le_bytes().repeat(SECTOR / 4)).collect()
}

/// Registers of the controller (82078, 2).
const DOR: u16 = 0x3f2;
const MSR: u16 = 0x3f4;
const FIFO: u16 = 0x3f5;

/// MSR: the FIFO can be used, and from the controller to the guest.
const RQM: u8 = 0x80;
const DIO: u8 = 0x40;

/// The mode of a DMA channel (8237A): single transfers of channel 2.
mod mode {
    pub(crate) const VERIFY: u8 = 0x42;
    pub(crate) const TO_MEMORY: u8 = 0x46;
    pub(crate) const FROM_MEMORY: u8 = 0x4a;
    pub(crate) const AGAIN: u8 = 0x10;
    pub(crate) const DOWN: u8 = 0x20;
    pub(crate) const CASCADE: u8 = 0xc2;
}

impl Machine {
    /// Lets the controller's timers and its drive come to an end.
    fn let_floppy_rest(&mut self) {
        self.ask("clock_step 200000000");
        // A drive that carries a request out does so in its own time; what waits for a
        // DMA channel that is not set up does so for ever.
        for tried in 0..50 {
            std::thread::sleep(std::time::Duration::from_millis(2));
            self.ask("clock_step 1000000");
            if tried > 4 && self.in8(MSR) & RQM != 0 {
                break;
            }
        }
    }

    fn reset_floppy(&mut self) {
        self.out8(DOR, 0);
        self.out8(DOR, 0x1c);
        self.let_floppy_rest();
        for _ in 0..4 {
            self.send_floppy(&[0x08]);
            self.floppy_result();
        }
    }

    fn send_floppy(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.out8(FIFO, *byte);
        }
    }

    /// The bytes of a command's result, up to 20, and the status before each.
    fn floppy_result(&mut self) -> String {
        let mut said = String::new();
        for _ in 0..20 {
            let status = self.in8(MSR);
            said += &format!("{status:02x}");
            if status & (RQM | DIO) != RQM | DIO {
                break;
            }
            said += &format!(":{:02x} ", self.in8(FIFO));
        }
        said
    }

    /// Sets DMA channel 2 up (8237A).
    fn floppy_dma(&mut self, page: u8, address: u16, count: u16, mode: u8) {
        let ([low, high], [count_low, count_high]) = (address.to_le_bytes(), count.to_le_bytes());
        let registers = [(0x0a, 6), (0x0c, 0), (0x0b, mode), (0x04, low), (0x04, high)];
        let counts = [(0x81, page), (0x05, count_low), (0x05, count_high), (0x0a, 2)];
        for (port, value) in registers.into_iter().chain(counts) {
            self.out8(port, value);
        }
    }

    /// Where the channel has got to, and the DMA controller's status.
    fn dma_registers(&mut self) -> String {
        self.out8(0x0c, 0);
        [0x04, 0x04, 0x05, 0x05, 0x81, 0x08].map(|port| format!("{:02x}", self.in8(port))).join(" ")
    }

    /// Reads a sector from the floppy disk and one from the disk, after a reset of
    /// the controller.
    fn probe(&mut self) -> Vec<String> {
        self.reset_floppy();
        self.floppy_dma(1, 0x8000, 511, mode::TO_MEMORY);
        self.send_floppy(&[0xe6, 0, 2, 0, 1, 2, 18, 0x1b, 0xff]);
        self.let_floppy_rest();
        let floppy = self.memory(0x1_8000, 8);
        // Which one, that is for the drive's geometry to say, which RESTORE (0x4e) sets.
        let numbers = floppy.strip_prefix("0x").is_some_and(|digits| digits[..8] == digits[8..]);
        assert!(numbers && floppy.ends_with("040000"), "a sector's number, not {floppy}");
        let mut said = vec![self.floppy_result(), floppy, self.dma_registers()];
        said.extend(self.probe_disk());
        said
    }
}

/// CVE-2015-3456: commands whose data would go on for ever in the FIFO.
#[test]
fn no_command_writes_beyond_the_fifo() {
    let mut pair = Pair::new();
    for command in 0..=255 {
        // The commands of VENOM: READ ID, DRIVE SPECIFICATION.
        let bytes = if matches!(command, 0x0a | 0x4a | 0x8e) { 3000 } else { 40 };
        // The disk would be written to; formatting is tried elsewhere.
        let writes = matches!(command & 0x1f, 0x05 | 0x09 | 0x0d);
        if writes {
            continue;
        }
        pair.alike(&format!("command {command:#x}"), |machine| {
            machine.reset_floppy();
            let mut said = vec![format!("{:02x}", machine.in8(MSR))];
            machine.out8(FIFO, command);
            // The parameters' top bits are clear: those of DRIVE SPECIFICATION are
            // over with the first that is not.
            for _ in 0..bytes {
                machine.out8(FIFO, 0x42);
            }
            machine.let_floppy_rest();
            said.push(machine.floppy_result());
            if bytes > 40 {
                said.extend(machine.probe());
            }
            said
        });
    }
    pair.alike("a read after all that", Machine::probe);
}

struct Transfer {
    what: &'static str,
    page: u8,
    address: u16,
    count: u16,
    mode: u8,
    /// READ DATA or WRITE DATA, and all that follows.
    command: [u8; 9],
}

const READ: [u8; 9] = [0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff];
const WRITE: [u8; 9] = [0xc5, 0, 1, 0, 1, 2, 18, 0x1b, 0xff];

/// A sector to look for: cylinder, head, sector, and the last one of the track.
const fn at(command: [u8; 9], [cylinder, head, sector, last]: [u8; 4]) -> [u8; 9] {
    let [code, _, _, _, _, size, _, gap, length] = command;
    [code, head << 2, cylinder, head, sector, size, last, gap, length]
}

fn transfers() -> Vec<Transfer> {
    use mode::{AGAIN, CASCADE, DOWN, FROM_MEMORY, TO_MEMORY, VERIFY};
    let transfer = |what, (page, address, count), mode, command| Transfer {
        what,
        page,
        address,
        count,
        mode,
        command,
    };
    vec![
        transfer("beyond a page", (1, 0xff00, 1023), TO_MEMORY, READ),
        transfer("down below a page", (1, 0x0100, 1023), TO_MEMORY | DOWN, READ),
        transfer("beyond RAM", (0xff, 0xff00, 1023), TO_MEMORY, READ),
        transfer("one byte", (1, 0x100, 0), TO_MEMORY, READ),
        transfer("64 KiB", (1, 0x100, 0xffff), TO_MEMORY, READ),
        transfer("again and again", (1, 0x100, 99), TO_MEMORY | AGAIN, READ),
        transfer("the wrong direction", (1, 0x100, 511), FROM_MEMORY, READ),
        transfer("without memory", (1, 0x100, 511), VERIFY, READ),
        transfer("a cascade", (1, 0x100, 511), CASCADE, READ),
        transfer("the last sector and on", (1, 0, 0xffff), TO_MEMORY, at(READ, [79, 1, 18, 18])),
        transfer("no such cylinder", (1, 0, 0xffff), TO_MEMORY, at(READ, [200, 1, 1, 18])),
        transfer("no such head", (1, 0, 0xffff), TO_MEMORY, at(READ, [0, 7, 1, 18])),
        transfer("sector 0", (1, 0, 0xffff), TO_MEMORY, at(READ, [0, 0, 0, 18])),
        transfer("sector 255", (1, 0, 0xffff), TO_MEMORY, at(READ, [0, 0, 255, 255])),
        transfer("no last sector", (1, 0, 0xffff), TO_MEMORY, at(READ, [0, 0, 1, 0])),
        transfer("written from beyond a page", (1, 0xff00, 1023), FROM_MEMORY, WRITE),
        transfer("written from half beyond RAM", (0xff, 0xff00, 511), FROM_MEMORY, WRITE),
        transfer("written the wrong way", (1, 0xff00, 1023), TO_MEMORY, WRITE),
    ]
}

#[test]
fn transfers_that_leave_page_memory_or_disk() {
    let mut pair = Pair::new();
    for transfer in transfers() {
        let Transfer { what, page, address, count, mode, command } = transfer;
        pair.alike(what, |machine| {
            machine.reset_floppy();
            machine.write(0x8000, &[0x77; 0x8000]);
            machine.write(0x1_0000, &[0x88; 0x1_1000]);
            machine.write(0xff_f000, &[0x99; 0x1000]);
            machine.floppy_dma(page, address, count, mode);
            machine.send_floppy(&command);
            machine.let_floppy_rest();
            let mut said = vec![machine.floppy_result(), machine.dma_registers()];
            for (address, length) in
                [(0x8000, 0x8000), (0x1_0000, 0x1_1000), (0xff_f000, 0x1000), (0, 0x400)]
            {
                said.push(machine.memory(address, length));
            }
            // What was written, read back.
            machine.reset_floppy();
            machine.floppy_dma(1, 0x4000, 1023, mode::TO_MEMORY);
            machine.send_floppy(&at(READ, [1, 0, 1, 18]));
            machine.let_floppy_rest();
            said.push(machine.memory(0x1_4000, 1024));
            said.extend(machine.probe());
            said
        });
    }
}
