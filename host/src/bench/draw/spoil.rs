//! Spoils saved states.

use crate::bench::random::Random;
use crate::component::Section;

/// Changes something in a saved state, a byte of it mostly.
pub(super) fn spoil(sections: &mut Vec<Section>, random: &mut Random) {
    if sections.is_empty() {
        return;
    }
    let at = random.below(sections.len() as u64) as usize;
    let Section { version, data, .. } = &mut sections[at];
    let place = random.below(data.len() as u64) as usize;
    match random.below(16) {
        0 => data.truncate(place),
        1 => data.extend(random.bytes(3)),
        2 => *version = random.magnitude(4) as u32,
        3 => drop(sections.remove(at)),
        4 => {
            let again = sections[at].clone();
            sections.push(again);
        }
        5..=7 => {
            let value = *random.pick(&[0, 1, 0x7f, 0x80, 0xff]);
            data.iter_mut().skip(place).take(4).for_each(|byte| *byte = value);
        }
        8..=11 => data.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1),
        _ => {
            let byte = random.next() as u8;
            data.iter_mut().skip(place).take(1).for_each(|old| *old = byte);
        }
    }
}
