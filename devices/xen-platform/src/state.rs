//! The saved state: QEMU's section platform.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::XenPlatform;
use crate::log::Log;
use crate::regs::Flags;

const SECTION: Shape = Shape::new("platform", 4, 4);

/// Declares the section. QEMU does not migrate what follows the flags.
pub(crate) fn declare(device: &mut XenPlatform, sections: &mut Sections<'_>) {
    let XenPlatform { function, flags, product, log: Log { line, length } } = device;
    sections.section_with_path(SECTION, Condition::ALWAYS, |f| {
        function.state(f, "parent_obj");
        let mut raw = flags.into_bits();
        f.u8("flags", &mut raw);
        // QEMU writes loaded flags as a guest does.
        *flags = Flags::kept(raw);
        f.private(|f| {
            f.u16("driver_product_version", product);
            f.buffer("log_buffer", "buffer", line);
            f.u32("log_buffer_off", length);
            let room = line.len();
            f.check(*length as usize <= room, || {
                format!("{length} found, at most {room} expected")
            });
        });
    });
}
