//! A section's fields by QEMU's names, each as the numbers it consists of.

use std::sync::Arc;

use vmstate::{Error, Field, Layouts, Section, Structure, Subsection, Value};

/// A section that is read, or changed.
pub(super) struct Fields {
    section: Section,
    structure: Structure,
    /// A value has found no room.
    is_too_small: bool,
}

impl Fields {
    /// The fields of a section.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn of(section: &Section) -> Result<Self, Error> {
        let structure = Layouts::builtin().decode(section)?.structure;
        Ok(Self { section: section.clone(), structure, is_too_small: false })
    }

    /// A section of zeros, which has `size` bytes without subsections.
    ///
    /// # Panics
    /// There is no such section: names and sizes are this program's.
    pub(super) fn zeros(name: &str, instance: u32, version: u32, size: usize) -> Self {
        let payload = vec![0; size];
        let section = Section { id: 0, name: name.into(), instance, version, payload, offset: 0 };
        Self::of(&section).expect("the layouts have it")
    }

    /// The fields of the section of that name and instance among these, if there is one
    /// that can be read; else zeros.
    pub(super) fn found_or_zeros(
        sections: &[Section],
        name: &str,
        instance: u32,
        version: u32,
        size: usize,
    ) -> Self {
        let found = find(sections, name, instance).and_then(|section| Self::of(section).ok());
        found.unwrap_or_else(|| Self::zeros(name, instance, version, size))
    }

    /// Where the section begins in its stream.
    pub(super) const fn offset(&self) -> u64 {
        self.section.offset
    }

    /// The numbers of a field, those of structures in it one after the other: none if
    /// there is no such field. Negative ones are extended to 64 bits.
    pub(super) fn numbers(&self, name: &str) -> Vec<u64> {
        numbers(&self.structure, name)
    }

    /// The only number of a field, or its first.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.numbers(name).first().copied().unwrap_or(0)
    }

    /// The numbers of a field of a subsection; none if it is not there.
    pub(super) fn part_numbers(&self, part: &str, name: &str) -> Option<Vec<u64>> {
        self.part(part).map(|part| numbers(&part.content, name))
    }

    /// The names of the subsections.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.structure.subsections.iter().map(|part| &*part.name)
    }

    fn part(&self, name: &str) -> Option<&Subsection> {
        self.structure.subsections.iter().find(|part| *part.name == *name)
    }

    /// Changes the numbers of a field. What there is no field for must be 0.
    pub(super) fn set(&mut self, name: &str, values: impl IntoIterator<Item = u64>) {
        let mut values = values.into_iter();
        if let Some(value) = self.structure.get_mut(&[name]) {
            put(value, &mut values);
        }
        self.is_too_small |= values.any(|value| value != 0);
    }

    /// Puts a subsection in, in place of one of that name. Of each field: name, bytes of
    /// a number, numbers.
    pub(super) fn set_part(&mut self, name: &str, fields: &[(&str, usize, Vec<u64>)]) {
        let fields = fields.iter().map(|(name, size, values)| {
            let value = match values.as_slice() {
                [value] => Value::Unsigned(*value),
                values => Value::List(values.iter().copied().map(Value::Unsigned).collect()),
            };
            let (name, size) = (Arc::from(*name), size * values.len());
            Field { name, offset: 0, size, optional: false, value }
        });
        let content = Structure { fields: fields.collect(), subsections: Vec::new() };
        let part = Subsection { name: name.into(), version: 1, offset: 0, content };
        let subsections = &mut self.structure.subsections;
        match subsections.iter_mut().find(|part| *part.name == *name) {
            Some(old) => *old = part,
            None => subsections.push(part),
        }
    }

    /// Takes a subsection out.
    pub(super) fn drop_part(&mut self, name: &str) {
        self.structure.subsections.retain(|part| *part.name != *name);
    }

    /// The section; none if it has no room for a value.
    pub(super) fn finish(self) -> Option<Section> {
        let payload = self.structure.encode().ok().filter(|_| !self.is_too_small)?;
        Some(Section { payload, ..self.section })
    }
}

/// The section of that name and instance.
pub(super) fn find<'s>(sections: &'s [Section], name: &str, instance: u32) -> Option<&'s Section> {
    sections.iter().find(|section| section.name == name && section.instance == instance)
}

fn numbers(structure: &Structure, name: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    if let Some(value) = structure.get(&[name]) {
        take(value, &mut numbers);
    }
    numbers
}

fn take(value: &Value, numbers: &mut Vec<u64>) {
    match value {
        Value::Unsigned(value) => numbers.push(*value),
        Value::Signed(value) => numbers.push(value.cast_unsigned()),
        Value::Bool(value) => numbers.push(u64::from(*value)),
        Value::Bytes(_) => {}
        Value::List(values) => values.iter().for_each(|value| take(value, numbers)),
        Value::Structure(inner) => {
            inner.fields.iter().for_each(|field| take(&field.value, numbers));
        }
    }
}

fn put(value: &mut Value, numbers: &mut dyn Iterator<Item = u64>) {
    match value {
        Value::Unsigned(value) => *value = numbers.next().unwrap_or(*value),
        Value::Signed(value) => {
            *value = numbers.next().map_or(*value, u64::cast_signed);
        }
        Value::Bool(value) => *value = numbers.next().map_or(*value, |number| number != 0),
        Value::Bytes(_) => {}
        Value::List(values) => values.iter_mut().for_each(|value| put(value, numbers)),
        Value::Structure(inner) => {
            inner.fields.iter_mut().for_each(|field| put(&mut field.value, numbers));
        }
    }
}
