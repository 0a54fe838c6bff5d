//! What a bad device does.

use std::hint::black_box;

use southbridge_sdk::Context;
use southbridge_sdk::wit::Level;

use crate::kind::Kind;

/// A number beyond anything the device declares.
const NOWHERE: u32 = 99;

impl Kind {
    /// Traps if this is the kind that does so here.
    pub(crate) fn traps_if(self, kind: Self) {
        assert!(self != kind, "a trap on purpose");
    }

    /// What kinds do that fail at any read.
    pub(crate) fn make_trouble(self, cx: &mut Context<'_>) {
        match self {
            Self::TrapsInRead => {
                // Effects of a call that traps are dropped.
                cx.set_line(crate::OUT, true);
                cx.put(crate::DATA, b'!');
                self.traps_if(Self::TrapsInRead);
            }
            Self::Loops => endless(),
            Self::Grows => grow(),
            Self::Recurses => {
                black_box(recurse(0));
            }
            Self::Floods => loop {
                cx.put(crate::DATA, 0);
            },
            Self::Undeclared => {
                cx.set_line(NOWHERE, true);
                // An input is not the device's to drive.
                cx.set_line(1, true);
                cx.map(NOWHERE, 0x700, 0);
                cx.unmap(NOWHERE);
                cx.arm(NOWHERE, 1);
                cx.disarm(NOWHERE);
                cx.put(NOWHERE, b'!');
                cx.ready(NOWHERE);
            }
            // Two lines, and what a terminal would obey.
            Self::Chatty => cx.log(Level::Warn, "a read\nERROR forged \x1b[2J"),
            _ => {}
        }
    }
}

fn endless() -> ! {
    loop {
        black_box(());
    }
}

fn grow() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn recurse(depth: u64) -> u64 {
    // The compiler is not to see that there is no end.
    if black_box(true) { black_box(recurse(depth + 1)) + 1 } else { depth }
}
