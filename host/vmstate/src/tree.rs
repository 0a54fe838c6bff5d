//! A section decoded: named fields with offsets and values, and back to bytes.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::wire::Writer;

/// The fields of a structure and the subsections that follow them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Its fields, in the order of the wire.
    pub fields: Vec<Field>,
    /// Its subsections, in the order of the wire.
    pub subsections: Vec<Subsection>,
}

/// One named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// QEMU's name of the field; an element described on its own has its index
    /// in brackets.
    pub name: Arc<str>,
    /// Where it begins, in bytes from the start of the section's payload.
    pub offset: usize,
    /// How many bytes it takes.
    pub size: usize,
    /// Whether an earlier field of the section decides if it is there.
    pub optional: bool,
    /// What it holds.
    pub value: Value,
}

/// Optional state that follows a structure's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsection {
    /// Its full name, which begins with its structure's.
    pub name: Arc<str>,
    /// Its version.
    pub version: u32,
    /// Where its head begins, in bytes from the start of the section's payload.
    pub offset: usize,
    /// What it holds.
    pub content: Structure,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An unsigned integer, or the expiry of a timer: nanoseconds of its clock,
    /// all ones if it is not pending.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A truth value.
    Bool(bool),
    /// Bytes without further meaning.
    Bytes(Vec<u8>),
    /// The elements of an array.
    List(Vec<Value>),
    /// A structure inside the structure.
    Structure(Structure),
}

/// A value does not fit the size of its field.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("field {name:?} cannot hold its value in {size} bytes")]
pub struct Unencodable {
    /// The field's name.
    pub name: String,
    /// The field's size in bytes.
    pub size: usize,
}

impl Field {
    /// How many of its bytes every section in this format has: without
    /// subsections, and without what the section's own contents decide.
    #[must_use]
    pub fn fixed_size(&self) -> usize {
        match &self.value {
            Value::Structure(inner) => inner.fixed_size(),
            Value::List(elements) => {
                let sizes = elements.iter().map(|element| match element {
                    Value::Structure(inner) => Some(inner.fixed_size()),
                    _ => None,
                });
                sizes.sum::<Option<usize>>().unwrap_or(self.size)
            }
            _ => self.size,
        }
    }
}

impl Structure {
    fn is_shaped_as(&self, other: &Self) -> bool {
        let same_field = |(a, b): (&Field, &Field)| {
            a.name == b.name && a.size == b.size && a.value.is_shaped_as(&b.value)
        };
        let same_part = |(a, b): (&Subsection, &Subsection)| {
            a.name == b.name && a.version == b.version && a.content.is_shaped_as(&b.content)
        };
        self.fields.len() == other.fields.len()
            && self.subsections.len() == other.subsections.len()
            && self.fields.iter().zip(&other.fields).all(same_field)
            && self.subsections.iter().zip(&other.subsections).all(same_part)
    }

    fn fixed_size(&self) -> usize {
        self.fields.iter().filter(|field| !field.optional).map(Field::fixed_size).sum()
    }

    /// The value of a field, or of a field of a field: one name per level. A
    /// subsection is a level too.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (name, rest) = path.split_first()?;
        if let Some(subsection) = self.subsections.iter().find(|found| *found.name == **name) {
            return subsection.content.get(rest);
        }
        let field = self.fields.iter().find(|field| *field.name == **name)?;
        match (&field.value, rest) {
            (value, []) => Some(value),
            (Value::Structure(inner), rest) => inner.get(rest),
            _ => None,
        }
    }

    /// The same, to change it. A changed value must keep its size.
    pub fn get_mut(&mut self, path: &[&str]) -> Option<&mut Value> {
        let (name, rest) = path.split_first()?;
        let mut subsections = self.subsections.iter_mut();
        if let Some(subsection) = subsections.find(|found| *found.name == **name) {
            return subsection.content.get_mut(rest);
        }
        let field = self.fields.iter_mut().find(|field| *field.name == **name)?;
        match (&mut field.value, rest) {
            (value, []) => Some(value),
            (Value::Structure(inner), rest) => inner.get_mut(rest),
            _ => None,
        }
    }

    /// How many bytes its fields and subsections take.
    pub(crate) fn size(&self) -> usize {
        let fields = self.fields.iter().map(|field| field.size);
        // A subsection's head is a marker, its name with its length, and its version.
        let head = |name: &str| 1 + 1 + name.len() + 4;
        let subsections = self.subsections.iter();
        let subsections =
            subsections.map(|subsection| head(&subsection.name) + subsection.content.size());
        fields.chain(subsections).sum()
    }

    /// The payload this structure stands for: what it was decoded from, byte
    /// for byte, unless it was changed.
    ///
    /// # Errors
    /// [`Unencodable`] names the field whose value does not fit its size.
    pub fn encode(&self) -> Result<Vec<u8>, Unencodable> {
        let mut writer = Writer::new();
        self.write(&mut writer)?;
        Ok(writer.into_bytes())
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Unencodable> {
        for field in &self.fields {
            let unencodable = || Unencodable { name: field.name.to_string(), size: field.size };
            field.value.write(field.size, writer, &unencodable)?;
        }
        for subsection in &self.subsections {
            writer.subsection(&subsection.name, subsection.version);
            subsection.content.write(writer)?;
        }
        Ok(())
    }

    /// The structure as JSON: one member per field, bytes in hexadecimal, each
    /// subsection a member with `::` before its name and its version in
    /// `@version`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut object = Map::new();
        for field in &self.fields {
            object.insert(field.name.to_string(), field.value.to_json());
        }
        for subsection in &self.subsections {
            let mut content = subsection.content.to_json();
            content["@version"] = subsection.version.into();
            object.insert(format!("::{}", subsection.name), content);
        }
        Json::Object(object)
    }
}

impl Value {
    /// Whether another value has the same fields of the same sizes, whatever is in
    /// them.
    pub(crate) fn is_shaped_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Structure(a), Self::Structure(b)) => a.is_shaped_as(b),
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_shaped_as(b))
            }
            (Self::Bytes(a), Self::Bytes(b)) => a.len() == b.len(),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }

    fn write(
        &self,
        size: usize,
        writer: &mut Writer,
        unencodable: &dyn Fn() -> Unencodable,
    ) -> Result<(), Unencodable> {
        match self {
            Self::Unsigned(value) if size == 8 || (size < 8 && value >> (size * 8) == 0) => {
                writer.integer(*value, size);
            }
            Self::Signed(value) if size == 8 || fits(*value, size) => {
                writer.integer(value.cast_unsigned(), size);
            }
            Self::Bool(value) if size == 1 => writer.integer(u64::from(*value), 1),
            Self::Bytes(bytes) if bytes.len() == size => writer.bytes(bytes),
            // Structures vary in size: each writes its own.
            Self::Structure(structure) => structure.write(writer)?,
            Self::List(list) => {
                let each = size.checked_div(list.len()).unwrap_or(0);
                for value in list {
                    value.write(each, writer, unencodable)?;
                }
            }
            _ => return Err(unencodable()),
        }
        Ok(())
    }

    /// The value as JSON, see [`Structure::to_json`].
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Unsigned(value) => (*value).into(),
            Self::Signed(value) => (*value).into(),
            Self::Bool(value) => (*value).into(),
            Self::Bytes(bytes) => {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
            }
            Self::List(list) => list.iter().map(Self::to_json).collect(),
            Self::Structure(structure) => structure.to_json(),
        }
    }
}

/// Whether a signed value can be told from its low `size` bytes.
fn fits(value: i64, size: usize) -> bool {
    (1..8).contains(&size) && {
        let unused = 64 - 8 * size;
        (value << unused) >> unused == value
    }
}
