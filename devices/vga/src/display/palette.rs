//! Colours.

use crate::core::Core;
use crate::regs::attribute;

/// Red, green and blue.
pub(super) type Rgb = [u8; 3];

/// Six bits of a colour as eight: QEMU repeats the last one.
const fn widen(colour: u8) -> u8 {
    let colour = colour & 0x3f;
    let last = colour & 1;
    colour << 2 | last << 1 | last
}

impl Core {
    fn dac_entry(&self, index: u8) -> Rgb {
        let at = 3 * usize::from(index);
        [0, 1, 2].map(|colour| self.dac.palette[at + colour])
    }

    /// The 16 colours behind the attribute controller.
    pub(super) fn colours_16(&self) -> [Rgb; 16] {
        let select = self.ar[attribute::COLOR_SELECT];
        let split = self.attribute_mode().palette_size();
        std::array::from_fn(|index| {
            let colour = self.ar[index];
            let entry = if split {
                (select & 0xf) << 4 | colour & 0xf
            } else {
                (select & 0xc) << 4 | colour & 0x3f
            };
            self.dac_entry(entry).map(widen)
        })
    }

    /// The 256 colours of the palette.
    pub(super) fn colours_256(&self) -> [Rgb; 256] {
        let wide = self.dispi.dac_8_bit();
        std::array::from_fn(|index| {
            let entry = self.dac_entry(index as u8);
            if wide { entry } else { entry.map(widen) }
        })
    }
}
