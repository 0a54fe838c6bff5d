//! One walk over the fields of a structure.

use vmstate::{Reader, Truncated, Writer};

use super::table::Table;
use super::{Condition, Shape};
use crate::wit::Scope;

/// Takes a declaration of fields and saves, loads or describes them.
///
/// Each method stands for one field of QEMU's description, with QEMU's name.
/// After an error a load goes on without changing anything more.
pub struct Fields<'w> {
    walk: Walk<'w>,
    whole: bool,
    shape: Shape,
    /// The version of the data that is being loaded.
    version: u32,
    path: Vec<&'static str>,
}

pub(super) enum Walk<'w> {
    Save(&'w mut Writer),
    Load(&'w mut Loading),
    Describe(&'w mut Table),
}

/// A load in progress.
pub(super) struct Loading {
    data: Vec<u8>,
    offset: usize,
    error: Option<Mistake>,
    last: Last,
}

/// What is wrong, and where.
pub(super) struct Mistake {
    pub(super) field: String,
    pub(super) offset: usize,
    pub(super) reason: String,
}

#[derive(Default)]
struct Last {
    field: String,
    offset: usize,
}

impl Loading {
    pub(super) fn new(data: Vec<u8>) -> Self {
        Self { data, offset: 0, error: None, last: Last::default() }
    }

    /// What was wrong with the data, if anything; data that is left over is.
    pub(super) fn finish(self) -> Result<(), Mistake> {
        let Self { data, offset, error, .. } = self;
        match error {
            Some(mistake) => Err(mistake),
            None if offset == data.len() => Ok(()),
            None => {
                Err(Mistake { field: String::new(), offset, reason: left_over(&data[offset..]) })
            }
        }
    }

    fn refuse(&mut self, reason: String) {
        if self.error.is_none() {
            let Last { field, offset } = std::mem::take(&mut self.last);
            self.error = Some(Mistake { field, offset, reason });
        }
    }

    fn take<T>(&mut self, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Truncated>) -> Option<T> {
        if self.error.is_some() {
            return None;
        }
        let mut reader = Reader::new(&self.data[self.offset..]);
        match read(&mut reader) {
            Ok(value) => {
                self.offset += reader.offset();
                Some(value)
            }
            Err(Truncated { needed, left, .. }) => {
                self.refuse(format!("truncated: {needed} bytes expected, {left} left"));
                None
            }
        }
    }

    /// Takes the head of the subsection `shape` if it comes next.
    fn subsection(&mut self, parent: &str, shape: Shape) -> bool {
        let mut reader = Reader::new(&self.data[self.offset..]);
        // A broken head is what the reader stands at when the section ends, and
        // is reported then.
        let Ok(Some((name, version))) = reader.subsection(parent) else { return false };
        if self.error.is_some() || name != shape.name.as_bytes() {
            return false;
        }
        self.last = Last { field: shape.name.into(), offset: self.offset };
        self.offset += reader.offset();
        if let Some(reason) = shape.rejects(version) {
            self.refuse(reason);
        }
        true
    }
}

fn left_over(data: &[u8]) -> String {
    match Reader::new(data).subsection("") {
        Ok(Some((name, _))) => {
            format!("unknown or misplaced subsection {:?}", String::from_utf8_lossy(name))
        }
        _ => format!("{} bytes left over", data.len()),
    }
}

macro_rules! integers {
    ($($(#[$doc:meta])* $method:ident, $array:ident: $type:ty, $unsigned:ty, $name:literal;)*) => {$(
        $(#[$doc])*
        pub fn $method(&mut self, name: &'static str, value: &mut $type) {
            self.$array(name, std::slice::from_mut(value));
        }

        $(#[$doc])*
        /// An array of them.
        pub fn $array(&mut self, name: &'static str, values: &mut [$type]) {
            let size = size_of::<$type>();
            if self.begin(name, $name, size, values.len()) {
                for value in values {
                    let raw = self.word(u64::from(*value as $unsigned), size);
                    *value = raw as $type;
                }
            }
        }
    )*};
}

impl<'w> Fields<'w> {
    pub(super) fn new(walk: Walk<'w>, scope: Scope, shape: Shape, version: u32) -> Self {
        let whole = matches!(scope, Scope::Whole);
        Self { walk, whole, shape, version, path: Vec::new() }
    }

    integers! {
        /// An unsigned 16-bit integer.
        u16, u16s: u16, u16, "uint16";
        /// An unsigned 32-bit integer.
        u32, u32s: u32, u32, "uint32";
        /// An unsigned 64-bit integer.
        u64, u64s: u64, u64, "uint64";
        /// A signed 32-bit integer.
        i32, i32s: i32, u32, "int32";
        /// A signed 64-bit integer.
        i64, i64s: i64, u64, "int64";
    }

    /// An unsigned byte.
    pub fn u8(&mut self, name: &'static str, value: &mut u8) {
        self.u8s(name, std::slice::from_mut(value));
    }

    /// An unsigned byte. An array of them.
    pub fn u8s(&mut self, name: &'static str, values: &mut [u8]) {
        if self.begin(name, "uint8", 1, values.len()) {
            self.bytes(values);
        }
    }

    /// A truth value: a byte that is 0 or 1; anything but 0 reads as true, as in
    /// QEMU.
    pub fn bool(&mut self, name: &'static str, value: &mut bool) {
        if self.begin(name, "bool", 1, 1) {
            *value = self.word(u64::from(*value), 1) != 0;
        }
    }

    /// A timer: its deadline in virtual nanoseconds, or none; all ones on the
    /// wire mean none. QEMU's clocks are signed: a deadline that is negative there
    /// is refused.
    pub fn timer(&mut self, name: &'static str, deadline: &mut Option<u64>) {
        if self.begin(name, "timer", 8, 1) {
            let raw = self.word(deadline.unwrap_or(u64::MAX), 8);
            *deadline = (raw != u64::MAX).then_some(raw);
            self.check(raw == u64::MAX || raw <= i64::MAX as u64, || {
                format!("{raw:#x} found, at most {:#x} or all ones expected", i64::MAX)
            });
        }
    }

    /// Bytes as they are, under the type name QEMU gives them (`buffer`,
    /// `pci config`).
    pub fn buffer(&mut self, name: &'static str, type_name: &'static str, bytes: &mut [u8]) {
        if self.begin(name, type_name, bytes.len(), 1) {
            self.bytes(bytes);
        }
    }

    /// Saves or loads bytes all at once: a disk's buffers are hundreds of thousands.
    fn bytes(&mut self, bytes: &mut [u8]) {
        match &mut self.walk {
            Walk::Save(writer) => writer.bytes(bytes),
            Walk::Load(loading) => {
                loading.take(|reader| {
                    bytes.copy_from_slice(reader.bytes(bytes.len())?);
                    Ok(())
                });
            }
            Walk::Describe(_) => {}
        }
    }

    /// `count` bytes that are written as zeros and skipped when read.
    pub fn unused(&mut self, count: usize) {
        self.buffer("unused", "unused_buffer", &mut vec![0; count]);
    }

    /// An integer that is the same on both sides by construction; another value
    /// is refused.
    pub fn i32_equal(&mut self, name: &'static str, expected: i32) {
        let mut value = expected;
        if self.begin(name, "int32 equal", 4, 1) {
            value = self.word(u64::from(value as u32), 4) as i32;
        }
        self.check(value == expected, || format!("{value} found, {expected} expected"));
    }

    /// An integer of which QEMU accepts any value from 0 to the local one: the
    /// version number inside a `PCIDevice`.
    pub fn i32_at_most(&mut self, name: &'static str, local: i32) {
        let mut value = local;
        if self.begin(name, "int32 le", 4, 1) {
            value = self.word(u64::from(value as u32), 4) as i32;
        }
        let legal = (0..=local).contains(&value);
        self.check(legal, || format!("{value} found, 0 to {local} expected"));
    }

    /// Refuses what has been loaded if the field declared last is not legal.
    /// When saving or describing this does nothing.
    pub fn check(&mut self, legal: bool, reason: impl FnOnce() -> String) {
        if let Walk::Load(loading) = &mut self.walk
            && !legal
        {
            loading.refuse(reason());
        }
    }

    /// Whether this walk loads: for what follows from a field that has been
    /// loaded and is not itself on the wire, or may be left out of it (QEMU's
    /// `pre_load` and `post_load`).
    #[must_use]
    pub fn is_loading(&self) -> bool {
        matches!(self.walk, Walk::Load(_))
    }

    /// Fields that are there only if a condition holds.
    pub fn when(&mut self, condition: Condition, body: impl FnOnce(&mut Fields<'_>)) {
        if let Walk::Describe(table) = &mut self.walk {
            table.conditions.push(condition);
            body(&mut self.reborrow());
            if let Walk::Describe(table) = &mut self.walk {
                table.conditions.pop();
            }
        } else if condition.holds || self.whole {
            body(&mut self.reborrow());
        }
    }

    /// Fields that QEMU does not migrate, but another version of the device in
    /// the same slot must have.
    pub fn private(&mut self, body: impl FnOnce(&mut Fields<'_>)) {
        self.when(Condition::NEVER, body);
    }

    /// Fields that exist from a version of the structure on.
    pub fn since(&mut self, version: u32, body: impl FnOnce(&mut Fields<'_>)) {
        if self.version < version {
            return;
        }
        let mut outer = version;
        if let Walk::Describe(table) = &mut self.walk {
            std::mem::swap(&mut table.since, &mut outer);
        }
        body(&mut self.reborrow());
        if let Walk::Describe(table) = &mut self.walk {
            table.since = outer;
        }
    }

    /// A structure inside this one. It is always read in its newest version, as
    /// QEMU does.
    pub fn structure(
        &mut self,
        name: &'static str,
        shape: Shape,
        body: impl FnOnce(&mut Fields<'_>),
    ) {
        if let Some((row, size)) = self.nested(name, shape, body)
            && let Walk::Describe(table) = &mut self.walk
        {
            table.field(name, "struct", size, 1, Some(row));
        }
    }

    /// An array of structures.
    pub fn structures<T: Default>(
        &mut self,
        name: &'static str,
        shape: Shape,
        elements: &mut [T],
        mut body: impl FnMut(&mut Fields<'_>, &mut T),
    ) {
        let count = elements.len() as u32;
        if let Walk::Describe(_) = self.walk {
            // The first element stands for all; an empty array is described too.
            let described = self.nested(name, shape, |f| body(f, &mut T::default()));
            if let (Some((row, size)), Walk::Describe(table)) = (described, &mut self.walk) {
                table.field(name, "struct", size, count, Some(row));
            }
        } else {
            for element in elements {
                self.nested(name, shape, |f| body(f, element));
            }
        }
    }

    /// A subsection: saved only if needed, and optional when loading. All of a
    /// structure's subsections come after its fields.
    pub fn subsection(
        &mut self,
        shape: Shape,
        needed: Condition,
        body: impl FnOnce(&mut Fields<'_>),
    ) {
        let parent = self.shape.name;
        match &mut self.walk {
            Walk::Save(writer) => {
                if !needed.holds && !self.whole {
                    return;
                }
                writer.subsection(shape.name, shape.version);
            }
            Walk::Load(loading) => {
                if !loading.subsection(parent, shape) {
                    return;
                }
            }
            Walk::Describe(_) => {}
        }
        let described = self.nested(shape.name, shape, body);
        if let (Some((row, _)), Walk::Describe(table)) = (described, &mut self.walk) {
            table.subsection(row);
        }
    }

    /// Walks a nested structure; when describing, returns its row and size.
    fn nested(
        &mut self,
        name: &'static str,
        shape: Shape,
        body: impl FnOnce(&mut Fields<'_>),
    ) -> Option<(u32, u32)> {
        if let Walk::Describe(table) = &mut self.walk {
            table.open(shape);
        }
        let mut path = std::mem::take(&mut self.path);
        path.push(name);
        let mut inner = self.reborrow();
        (inner.shape, inner.version, inner.path) = (shape, shape.version, path);
        body(&mut inner);
        let mut path = inner.path;
        path.pop();
        self.path = path;
        match &mut self.walk {
            Walk::Describe(table) => Some(table.close()),
            _ => None,
        }
    }

    /// Notes that a field comes next. Returns whether its elements are to be
    /// walked one by one.
    fn begin(&mut self, name: &str, type_name: &str, size: usize, count: usize) -> bool {
        match &mut self.walk {
            Walk::Save(_) => true,
            Walk::Load(loading) => {
                // The path is put together only while loading, which is rare.
                let field = self.path.iter().copied().chain([name]).collect::<Vec<_>>().join(".");
                if loading.error.is_none() {
                    loading.last = Last { field, offset: loading.offset };
                }
                true
            }
            Walk::Describe(table) => {
                table.field(name, type_name, size as u32, count as u32, None);
                false
            }
        }
    }

    /// Saves `value`, or returns what has been loaded in its place.
    fn word(&mut self, value: u64, size: usize) -> u64 {
        match &mut self.walk {
            Walk::Save(writer) => writer.integer(value, size),
            Walk::Load(loading) => {
                return loading.take(|reader| reader.integer(size)).unwrap_or(value);
            }
            Walk::Describe(_) => {}
        }
        value
    }

    fn reborrow(&mut self) -> Fields<'_> {
        let walk = match &mut self.walk {
            Walk::Save(writer) => Walk::Save(writer),
            Walk::Load(loading) => Walk::Load(loading),
            Walk::Describe(table) => Walk::Describe(table),
        };
        let (whole, shape, version) = (self.whole, self.shape, self.version);
        Fields { walk, whole, shape, version, path: self.path.clone() }
    }
}
