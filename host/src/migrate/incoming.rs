//! A whole stream to a machine: guest memory, then the devices.
//!
//! Memory is written as it arrives, as QEMU does: there is no room for it elsewhere.
//! So the machine must not have started, and when its memory was touched and the rest
//! is refused it must not start any more. Devices take their state all together or
//! not at all, when the whole stream has been read and checked; the same holds for
//! blocks of memory that are only kept.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use vmstate::{Error as StreamError, Layouts, Scanner, Stream};

use super::blocks::Blocks;
use super::receiver::Receiver;
use super::run_state::{self, RunStateName};
use super::{Loaded, Problem, ProcessorForm, Progress};
use crate::machine::Machine;
use crate::vm::VmState;

/// Bytes that are read at once; a socket seldom has more.
const PIECE: usize = 1 << 18;

/// How long a sender may be silent where its stream may have ended: one without a
/// description has no end of its own.
pub const SILENCE_AT_THE_END: Duration = Duration::from_secs(1);

/// How long a sender may be silent before its stream has ended. A sender that stops
/// its guest for its disks' sake, or a slow network, takes its time.
pub const SILENCE: Duration = Duration::from_secs(300);

/// Where a stream comes from.
pub trait Source: Read {
    /// Sets how long a read may wait from now on. A read that has waited so long fails
    /// with [`ErrorKind::TimedOut`]. Of what never waits nothing is to be set.
    fn set_patience(&mut self, patience: Duration) {
        let _ = patience;
    }

    /// The stream has been read: nothing more is wanted.
    ///
    /// # Errors
    /// Whoever wrote the stream says that it failed.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for &[u8] {}
impl Source for std::fs::File {}

/// A stream that has been loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrived {
    /// The sections of devices that the machine does not have: name and instance. They
    /// are written back when the machine is saved.
    pub kept: Vec<(String, u32)>,
    /// The blocks of memory that the machine does not have: name and size in bytes.
    /// They are written back, too.
    pub kept_blocks: Vec<(String, u64)>,
    /// What the machine did, if the stream says so: the caller goes on with that.
    pub run_state: Option<RunStateName>,
    /// What the processors hold, if there are some here and the stream says it: it is
    /// still to be put into them.
    pub processors: Option<VmState>,
}

/// Why a stream is not loaded.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NotArrived {
    /// Why.
    pub reason: Reason,
    /// Whether the machine's memory was written to: it must not be started then. The
    /// devices are as they were.
    pub memory_is_spoilt: bool,
}

/// Why a stream is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It cannot be read.
    #[error("cannot read the incoming stream: {0}")]
    Read(#[from] io::Error),
    /// The sender said nothing for too long.
    #[error(
        "the sender of the incoming stream has been silent for {} seconds, after {at:#x} bytes",
        SILENCE.as_secs()
    )]
    Silent {
        /// How many bytes had come.
        at: u64,
    },
    /// It is no stream, or a broken one.
    #[error("the incoming stream is wrong: {0}")]
    Stream(#[from] StreamError),
    /// It does not fit the machine.
    #[error(
        "the incoming stream does not fit this machine: {}",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Unfit(Vec<Problem>),
}

/// Loads a stream with guest memory, or without, into a machine that has not been
/// started. Of a stream that ends in a description nothing is read behind that; one
/// without ends where its sender closes it or, when all is there, is silent for
/// [`SILENCE_AT_THE_END`]. What the stream says of processors must fit `processors`; with
/// none, or without guest memory, it is kept.
///
/// # Errors
/// [`NotArrived`] says why, and whether the machine can still be used.
pub fn load(
    machine: &Machine,
    blocks: &Blocks,
    processors: Option<ProcessorForm>,
    source: &mut dyn Source,
    progress: &Progress,
) -> Result<Arrived, NotArrived> {
    let mut receiver = Receiver::new(machine, blocks);
    let received = receive(&mut receiver, source, progress);
    // Without their memory they would run on nothing.
    let processors = processors.filter(|_| receiver.total != 0);
    match received.and_then(|stream| finish(machine, &stream, processors)) {
        Ok(arrived) => {
            blocks.keep(std::mem::take(&mut receiver.kept));
            Ok(Arrived { kept_blocks: blocks.kept(), ..arrived })
        }
        Err(reason) => Err(NotArrived { reason, memory_is_spoilt: receiver.touched }),
    }
}

fn finish(
    machine: &Machine,
    stream: &Stream,
    processors: Option<ProcessorForm>,
) -> Result<Arrived, Reason> {
    let run_state = stream.devices.section(run_state::NAME, 0).map(|section| {
        RunStateName::read(section).ok_or_else(|| Reason::Unfit(vec![Problem::run_state(section)]))
    });
    let run_state = run_state.transpose()?;
    let Loaded { kept, processors } =
        machine.load_with(stream, processors).map_err(Reason::Unfit)?;
    Ok(Arrived { kept, kept_blocks: Vec::new(), run_state, processors })
}

/// Reads a stream to its end. Guest memory goes to the receiver.
fn receive(
    receiver: &mut Receiver<'_>,
    source: &mut dyn Source,
    progress: &Progress,
) -> Result<Stream, Reason> {
    let mut scanner = Scanner::new();
    let mut piece = vec![0; PIECE];
    let mut count = 0;
    // Whether the last read took as long as it may at the end.
    let mut was_silent = false;
    loop {
        let may_end = scanner.in_devices() && !was_silent;
        source.set_patience(if may_end { SILENCE_AT_THE_END } else { SILENCE });
        let length = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                if !may_end {
                    return Err(Reason::Silent { at: count });
                }
                if scanner.may_have_ended(Layouts::builtin()) {
                    break;
                }
                was_silent = true;
                continue;
            }
            Err(error) => return Err(Reason::Read(error)),
        };
        was_silent = false;
        count += length as u64;
        progress.transfer(length);
        let taken = scanner.push_into(&piece[..length], receiver);
        taken.map_err(|error| match receiver.fault.take() {
            Some(fault) => Reason::Unfit(vec![Problem { offset: Some(error.offset), fault }]),
            None => Reason::Stream(error),
        })?;
        let (normal, duplicate) = scanner.page_counts();
        let seen = (normal + duplicate).saturating_mul(vmstate::ram::PAGE_SIZE as u64);
        progress.receive(receiver.total, normal, duplicate, seen);
        if scanner.has_ended() {
            break;
        }
    }
    source.finish()?;
    Ok(scanner.finish(Layouts::builtin())?)
}
