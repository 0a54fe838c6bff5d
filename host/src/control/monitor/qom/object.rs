//! Objects with properties and parts, as QEMU's object model has them.

use serde_json::Value;

/// An object. Its place in the tree is its name in what it is a part of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) properties: Vec<Property>,
    pub(super) parts: Vec<Object>,
}

/// A property that can be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    /// QEMU's name of the type: `bool`, `uint64`, `link<...>`.
    pub(super) kind: String,
    pub(super) value: Value,
}

impl Object {
    pub(super) fn new(name: &str, kind: &str) -> Self {
        Self { name: name.into(), kind: kind.into(), properties: Vec::new(), parts: Vec::new() }
    }

    pub(super) fn with(mut self, name: &str, kind: &str, value: impl Into<Value>) -> Self {
        let (name, kind, value) = (name.into(), kind.into(), value.into());
        self.properties.push(Property { name, kind, value });
        self
    }

    /// A property that leads to the object at a path.
    pub(super) fn with_link(self, name: &str, kind: &str, path: &str) -> Self {
        self.with(name, &format!("link<{kind}>"), path)
    }

    pub(super) fn with_parts(mut self, parts: impl IntoIterator<Item = Self>) -> Self {
        self.parts.extend(parts);
        self
    }

    pub(super) fn part(&self, name: &str) -> Option<&Self> {
        self.parts.iter().find(|part| part.name == name)
    }

    pub(super) fn part_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.parts.iter_mut().find(|part| part.name == name)
    }

    /// The parts in the order in which QEMU prints them.
    pub(super) fn sorted_parts(&self) -> Vec<&Self> {
        let mut parts: Vec<_> = self.parts.iter().collect();
        parts.sort_by(|a, b| a.name.cmp(&b.name));
        parts
    }
}

impl Property {
    /// Where a link leads to.
    pub(super) fn target(&self) -> Option<&str> {
        self.value.as_str().filter(|_| self.kind.starts_with("link<"))
    }
}
