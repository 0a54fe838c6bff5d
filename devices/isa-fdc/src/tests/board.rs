//! The controller with its DMA channel, and memory behind that.

use southbridge_sdk::IsaDmaTarget;
use southbridge_sdk::fake::{Bench, Transfer};
use southbridge_sdk::wit::{Failure, Medium};

use super::{drives, image};
use crate::{DREQ, Fdc};

/// Channel 2 of an 8237 as far as QEMU's behaves: it begins anew for each command.
pub(super) struct Channel {
    address: u16,
    count: u16,
    page: u8,
    upper: bool,
    pub(super) masked: bool,
    position: usize,
}

pub(super) struct Board {
    pub(super) bench: Bench<Fdc>,
    pub(super) channel: Channel,
    /// From address 0 on.
    pub(super) memory: Vec<u8>,
}

impl Board {
    /// Media of so many sectors in the drives; 0 for an empty one, none for no drive.
    pub(super) fn new(a: Option<u32>, b: Option<u32>) -> Self {
        let kind = |drive: Option<u32>| if drive.is_some() { "auto" } else { "none" };
        let mut bench = Bench::configured(&drives(kind(a), kind(b)));
        for (drive, sectors) in (0..).zip([a, b]) {
            if let Some(sectors @ 1..) = sectors {
                bench.insert_disk(drive, image(sectors));
            }
        }
        bench.reset();
        let channel =
            Channel { address: 0, count: 0, page: 0, upper: false, masked: true, position: 0 };
        Self { bench, channel, memory: vec![0; 1 << 20] }
    }

    pub(super) fn insert(&mut self, drive: u32, sectors: u32, read_only: bool) {
        let data = image(sectors);
        let medium = Medium { size: data.len() as u64, read_only };
        self.bench.insert(drive, None);
        self.bench.insert(drive, Some((data, medium)));
    }

    /// Writes a register of the channel; returns whether it is one.
    pub(super) fn program(&mut self, port: u16, byte: u8) -> bool {
        let channel = &mut self.channel;
        match port {
            4 | 5 => {
                let register = if port == 4 { &mut channel.address } else { &mut channel.count };
                let [low, high] = register.to_le_bytes();
                let bytes = if channel.upper { [low, byte] } else { [byte, high] };
                *register = u16::from_le_bytes(bytes);
                channel.upper = !channel.upper;
            }
            0x0a if byte & 3 == 2 => channel.masked = byte & 4 != 0,
            0x0b => {}
            0x0c => channel.upper = false,
            0x81 => channel.page = byte,
            _ => return false,
        }
        true
    }

    /// Ends all requests, and serves the channel, until nothing happens any more.
    pub(super) fn settle(&mut self) {
        loop {
            self.end_requests();
            if !self.bench.fake.line(DREQ) {
                self.channel.position = 0;
                return;
            }
            let moved = !self.channel.masked && self.transfer();
            if !moved && self.bench.fake.requests.is_empty() {
                return;
            }
        }
    }

    /// As the contract says, what is written to a read-only medium fails.
    fn end_requests(&mut self) {
        while let Some(request) = self.bench.fake.requests.first() {
            let writes = matches!(request.transfer, Transfer::Write(_));
            let medium = self.bench.device.drives[request.drive as usize].medium;
            let fails = writes && medium.is_none_or(|medium| medium.read_only);
            self.bench.end_request(fails.then_some(Failure::Io));
        }
    }

    fn transfer(&mut self) -> bool {
        let Channel { address, count, page, position, .. } = self.channel;
        let total = usize::from(count) + 1;
        let start = usize::from(page) << 16 | usize::from(address);
        let rest = start + position..start + total;
        let taken = self.bench.call(|fdc, cx| fdc.take(cx, rest.len() as u32));
        let mut moved = taken.len();
        self.memory[rest.start..][..moved].copy_from_slice(&taken);
        if moved == 0 {
            let data = self.memory[rest.clone()].to_vec();
            moved = self.bench.call(|fdc, cx| fdc.give(cx, &data)) as usize;
        }
        assert!(moved <= rest.len());
        self.channel.position += moved;
        if self.channel.position == total {
            self.bench.call(|fdc, cx| fdc.terminal_count(cx));
        }
        moved > 0
    }
}
