//! What a stream says of processors.
//!
//! Their state is not loaded here, but kept; a guest whose processors had run must not
//! go on without it.

use vmstate::{Layouts, Stream, Value};

/// The section of each processor.
const NAME: &str = "cpu";

/// QEMU's name of the instruction pointer in it.
const INSTRUCTION_POINTER: &str = "env.eip";

/// Where a processor begins after a reset (Intel SDM, volume 3, 9.1.4).
const RESET: u64 = 0xfff0;

/// Whether a stream holds processors that had run. What cannot be read had.
pub(super) fn have_run(stream: &Stream) -> bool {
    let mut processors = stream.devices.sections.iter().filter(|section| section.name == NAME);
    processors.any(|section| {
        let reading = Layouts::builtin().decode(section).ok();
        let value =
            reading.as_ref().and_then(|reading| reading.structure.get(&[INSTRUCTION_POINTER]));
        !matches!(value, Some(Value::Unsigned(RESET)))
    })
}
