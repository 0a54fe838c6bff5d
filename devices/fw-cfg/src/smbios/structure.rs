//! How a structure is put together (6.1).

/// Structures back to back.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) data: Vec<u8>,
    pub(super) count: u16,
    /// Bytes of the largest, with its strings.
    pub(super) largest: u16,
}

/// A structure under construction: the formatted area, then strings.
#[derive(Debug)]
pub(super) struct Structure {
    formatted: Vec<u8>,
    strings: Vec<u8>,
    string_count: u8,
}

impl Structure {
    pub(super) fn new(kind: u8, handle: u16) -> Self {
        let mut formatted = vec![kind, 0];
        formatted.extend(handle.to_le_bytes());
        Self { formatted, strings: Vec::new(), string_count: 0 }
    }

    /// Bytes of the formatted area.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.formatted.extend(bytes);
        self
    }

    pub(super) fn word(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn double_word(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn quad_word(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// The number of a string, which is 0 if it is empty.
    pub(super) fn string(&mut self, text: &str) -> &mut Self {
        if text.is_empty() {
            return self.bytes(&[0]);
        }
        self.string_count += 1;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        self.bytes(&[self.string_count])
    }

    pub(super) fn add_to(&mut self, tables: &mut Tables) {
        self.formatted[1] = self.formatted.len() as u8;
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        self.strings.push(0);
        let length = self.formatted.len() + self.strings.len();
        tables.largest = tables.largest.max(u16::try_from(length).unwrap_or(u16::MAX));
        tables.count += 1;
        tables.data.append(&mut self.formatted);
        tables.data.append(&mut self.strings);
    }
}
