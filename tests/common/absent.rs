//! What the recordings' machines had and Southbridge's have not: the one list of
//! what a replay leaves out.

#![allow(dead_code, reason = "each test uses a part")]

use southbridge_sdk::fake::trace::Request;

/// The inputs of the I/O APIC but for 0, which belongs to the interval timer,
/// which is not there.
pub(crate) const PINS: [u8; 23] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];

/// Whether a request is for a device that is not there. Writes that nothing
/// answers are not left out: nothing must come of them.
pub(crate) fn is_absent(request: Request<'_>) -> bool {
    match request {
        // DMA and its pages, interrupt controllers, timer and speaker, firmware
        // configuration, floppy disks.
        Request::In { port, .. } => matches!(
            port,
            0x00..0x10 | 0x20 | 0x21 | 0x40..0x44 | 0x61 | 0x80..0x90 | 0xa0 | 0xa1 | 0xc0..0xe0
                | 0x3f0..=0x3f5 | 0x3f7 | 0x510..0x51c
        ),
        _ => false,
    }
}
