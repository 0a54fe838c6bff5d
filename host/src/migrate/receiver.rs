//! Guest memory as it arrives.

use vmstate::Configuration;
use vmstate::ram::{Block, Memory, PAGE_SIZE};

use super::blocks::{Blocks, Own};
use super::kept::{Kept, MOST, Room};
use super::{Fault, frame};
use crate::machine::Machine;

/// Puts pages into the machine's memory, and keeps those of blocks that it does not
/// have.
pub(super) struct Receiver<'a> {
    machine: &'a Machine,
    /// The machine's memory and that of its devices.
    own: Vec<Own>,
    /// Where each block of the stream goes.
    targets: Vec<Target>,
    pub(super) kept: Vec<Kept>,
    room: Room,
    /// Why the memory was refused, if it was.
    pub(super) fault: Option<Fault>,
    /// Whether a page has been written to memory that the machine has.
    pub(super) touched: bool,
    pub(super) total: u64,
}

/// The position of a block among those the machine has, or those that are kept.
#[derive(Clone, Copy)]
enum Target {
    Own(usize),
    Kept(usize),
}

impl<'a> Receiver<'a> {
    pub(super) fn new(machine: &'a Machine, blocks: &Blocks) -> Self {
        Self {
            machine,
            own: blocks.all(machine),
            targets: Vec::new(),
            kept: Vec::new(),
            room: Room::default(),
            fault: None,
            touched: false,
            total: 0,
        }
    }

    fn place(&mut self, block: &Block) -> Result<Target, Fault> {
        if let Some(number) = self.own.iter().position(|own| own.name == block.name) {
            let expected = self.own[number].size;
            return match block.size == expected {
                true => Ok(Target::Own(number)),
                false => {
                    Err(Fault::BlockSize { block: block.name.clone(), found: block.size, expected })
                }
            };
        }
        let claimed: u64 = self.kept.iter().map(Kept::size).sum();
        let fits = claimed.checked_add(block.size).is_some_and(|all| all <= CLAIMED);
        if !fits || !block.size.is_multiple_of(PAGE_SIZE as u64) {
            return Err(Fault::Foreign {
                block: block.name.clone(),
                size: block.size,
                most: CLAIMED,
            });
        }
        self.kept.push(Kept::new(block));
        Ok(Target::Kept(self.kept.len() - 1))
    }

    fn target(&self, block: usize) -> Result<Target, String> {
        self.targets.get(block).copied().ok_or_else(|| "a block that is not listed".to_owned())
    }

    fn refuse(&mut self, fault: Fault) -> String {
        let reason = fault.to_string();
        self.fault = Some(fault);
        reason
    }

    fn too_much(&mut self, number: usize) -> String {
        let block = self.kept[number].name().to_owned();
        self.refuse(Fault::ForeignContent { block, most: MOST })
    }
}

/// The most that all blocks of devices that are not there may claim together: their
/// zero pages are saved again one by one.
const CLAIMED: u64 = 1 << 30;

impl Memory for Receiver<'_> {
    fn blocks(
        &mut self,
        configuration: Option<&Configuration>,
        blocks: &[Block],
    ) -> Result<(), String> {
        if let Some(fault) = frame::other_machine(self.machine, configuration, true) {
            return Err(self.refuse(fault));
        }
        let capabilities = configuration.and_then(|found| found.capabilities.as_deref());
        if capabilities.unwrap_or_default().iter().any(|name| name == "x-ignore-shared") {
            return Err(self.refuse(Fault::SharedMemory));
        }
        for block in blocks {
            match self.place(block) {
                Ok(target) => self.targets.push(target),
                Err(fault) => return Err(self.refuse(fault)),
            }
        }
        self.total = blocks.iter().map(|block| block.size).sum();
        Ok(())
    }

    fn bytes(&mut self, block: usize, offset: u64, bytes: &[u8]) -> Result<(), String> {
        match self.target(block)? {
            Target::Own(number) => {
                self.touched = true;
                let written = self.own[number].write(offset, bytes);
                written.map_err(|error| error.to_string())
            }
            Target::Kept(number) => {
                let written = self.kept[number].write(offset, bytes, &mut self.room);
                written.map_err(|_| self.too_much(number))
            }
        }
    }

    fn fill(&mut self, block: usize, offset: u64, byte: u8) -> Result<(), String> {
        match self.target(block)? {
            Target::Own(number) => {
                self.touched = true;
                self.own[number].fill(offset, byte).map_err(|error| error.to_string())
            }
            Target::Kept(number) => {
                let written = self.kept[number].fill(offset, byte, &mut self.room);
                written.map_err(|_| self.too_much(number))
            }
        }
    }
}
