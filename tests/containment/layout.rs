//! What a device says of itself, as the canonical ABI has it in linear memory.

/// Where the data begins.
pub(crate) const BASE: u32 = 0x1000;

/// Data, laid out one piece after the other.
#[derive(Clone)]
pub(crate) struct Layout(Vec<u8>);

impl Layout {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Places bytes and returns where they are.
    pub(crate) fn put(&mut self, align: usize, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(align), 0);
        let at = BASE + self.0.len() as u32;
        self.0.extend(bytes);
        at
    }

    /// Places a record and returns where it is.
    pub(crate) fn record(&mut self, record: &Record) -> u32 {
        self.put(8, &record.bytes)
    }

    /// Places the elements of a list.
    pub(crate) fn list(&mut self, records: &[Record]) -> List {
        let bytes: Vec<_> = records.iter().flat_map(Record::padded).collect();
        List { at: self.put(8, &bytes), length: records.len() as u32 }
    }

    /// Places a string.
    pub(crate) fn text(&mut self, text: impl AsRef<[u8]>) -> List {
        let text = text.as_ref();
        List { at: self.put(1, text), length: text.len() as u32 }
    }

    /// Places a list of strings.
    pub(crate) fn texts(&mut self, texts: &[&str]) -> List {
        let records: Vec<_> =
            texts.iter().map(|text| Record::new().list(self.text(text))).collect();
        self.list(&records)
    }
}

/// A string or list: where it is, and how long.
#[derive(Clone, Copy)]
pub(crate) struct List {
    pub(crate) at: u32,
    pub(crate) length: u32,
}

/// The fields of a record, each aligned as its type is.
#[derive(Clone, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    align: usize,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), align: 1 }
    }

    pub(crate) fn byte(self, value: u8) -> Self {
        self.field(&[value])
    }

    pub(crate) fn word(self, value: u32) -> Self {
        self.field(&value.to_le_bytes())
    }

    pub(crate) fn long(self, value: u64) -> Self {
        self.field(&value.to_le_bytes())
    }

    pub(crate) fn list(self, List { at, length }: List) -> Self {
        self.word(at).word(length)
    }

    /// An optional number.
    pub(crate) fn optional(mut self, value: Option<u32>) -> Self {
        self.pad(4);
        self.byte(value.is_some().into()).word(value.unwrap_or_default())
    }

    /// An optional string that is not there.
    pub(crate) fn no_text(self) -> Self {
        self.optional(None).word(0)
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.pad(bytes.len());
        self.bytes.extend(bytes);
        self
    }

    fn pad(&mut self, align: usize) {
        self.align = self.align.max(align);
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
    }

    /// As an element of a list.
    fn padded(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.resize(bytes.len().next_multiple_of(self.align), 0);
        bytes
    }
}
