//! A flat table of the I/O ports.

use super::map::Ranges;

/// How many ports there are.
const PORTS: usize = 1 << 16;

/// What stands in the table where no mapping answers.
const NOTHING: u16 = u16::MAX;

/// For each port the mapping that answers: one look, whatever is mapped.
pub(super) struct PortTable {
    table: Box<[u16]>,
}

impl PortTable {
    pub(super) fn new(ranges: &Ranges) -> Self {
        let mut table = vec![NOTHING; PORTS].into_boxed_slice();
        for (base, last, mapping) in ranges.iter() {
            // More mappings than the table can name would be a machine of
            // thousands of devices; the surplus is not seen.
            let Ok(mapping) = u16::try_from(mapping) else { continue };
            let (base, last) = (base as usize, (last as usize).min(PORTS - 1));
            if let Some(range) = table.get_mut(base..=last) {
                range.fill(mapping);
            }
        }
        Self { table }
    }

    /// The mapping that answers at a port. Beyond the last port there is none.
    pub(super) fn find(&self, port: u64) -> Option<usize> {
        let found = self.table.get(usize::try_from(port).ok()?)?;
        (*found != NOTHING).then_some((*found).into())
    }
}
