//! Reading TOML so that every error names the file, the line and the key.

use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Item, Table, TableLike, Value as TomlValue};

use super::{Error, Origin, Position, names};

/// Parses a file and hands its root to `read`.
pub(super) fn read_toml<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Node<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let file: Arc<str> = file.into();
    let lines = Lines::new(text);
    let document = Document::parse(text).map_err(|error| {
        let origin = Origin {
            file: file.clone(),
            position: Some(lines.position(error.span().map_or(0, |span| span.start))),
            key: String::new(),
        };
        origin.error(error.message().trim_end().replace('\n', ", "))
    })?;
    read(&Node {
        lines: &lines,
        content: Content::Item(document.as_item()),
        origin: Origin {
            file,
            position: Some(Position { line: 1, column: 1 }),
            key: String::new(),
        },
    })
}

/// A value in the file, with the path of keys that leads to it.
pub(super) struct Node<'a> {
    lines: &'a Lines<'a>,
    content: Content<'a>,
    /// Where the value's key is, or the value if it is in an array.
    pub(super) origin: Origin,
}

enum Content<'a> {
    Item(&'a Item),
    /// An element of an array.
    Element(&'a TomlValue),
    /// An element of an array of tables.
    Table(&'a Table),
}

impl<'a> Node<'a> {
    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        self.origin.error(message)
    }

    /// The entries of a table, in the order of the file.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
        let table = self.table()?;
        let entry = |(name, item): (&'a str, &'a Item)| {
            let key = if self.origin.key.is_empty() {
                quoted(name)
            } else {
                format!("{}.{}", self.origin.key, quoted(name))
            };
            let span = table.key(name).and_then(toml_edit::Key::span);
            (name, self.child(Content::Item(item), key, span))
        };
        Ok(table.iter().map(entry).collect())
    }

    /// The entries of a table that may have no others than those named.
    pub(super) fn fields(&self, known: &[&str]) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
        let entries = self.entries()?;
        match entries.iter().find(|(name, _)| !known.contains(name)) {
            None => Ok(entries),
            Some((name, node)) => Err(node
                .error(format!("unknown key {name:?}"))
                .hint(names::hint(name, known.iter().copied()))),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, Error> {
        let flag = self.value().and_then(TomlValue::as_bool);
        flag.ok_or_else(|| self.expected("true or false"))
    }

    pub(super) fn number(&self) -> Result<u64, Error> {
        let number = self.value().and_then(TomlValue::as_integer);
        let number = number.ok_or_else(|| self.expected("an integer"))?;
        u64::try_from(number).map_err(|_| self.error(format!("{number} is negative")))
    }

    pub(super) fn string(&self) -> Result<&'a str, Error> {
        let text = self.value().and_then(TomlValue::as_str);
        text.ok_or_else(|| self.expected("a string"))
    }

    /// The elements of an array.
    pub(super) fn elements(&self) -> Result<Vec<Node<'a>>, Error> {
        let key = || self.origin.key.clone();
        if let Content::Item(Item::ArrayOfTables(array)) = self.content {
            let element = |table: &'a Table| self.child(Content::Table(table), key(), table.span());
            return Ok(array.iter().map(element).collect());
        }
        let array = self.value().and_then(TomlValue::as_array);
        let array = array.ok_or_else(|| self.expected("an array"))?;
        let element =
            |value: &'a TomlValue| self.child(Content::Element(value), key(), value.span());
        Ok(array.iter().map(element).collect())
    }

    pub(super) fn expected(&self, what: &str) -> Error {
        self.error(format!("expected {what}, found {}", self.type_name()))
    }

    pub(super) fn type_name(&self) -> &'static str {
        match self.content {
            Content::Item(item) => item.type_name(),
            Content::Element(value) => value.type_name(),
            Content::Table(_) => "table",
        }
    }

    pub(super) fn is_table(&self) -> bool {
        self.table().is_ok()
    }

    fn table(&self) -> Result<&'a dyn TableLike, Error> {
        let table: Option<&'a dyn TableLike> = match self.content {
            Content::Item(item) => item.as_table_like(),
            Content::Element(value) => value.as_inline_table().map(|table| table as _),
            Content::Table(table) => Some(table),
        };
        table.ok_or_else(|| self.expected("a table"))
    }

    fn value(&self) -> Option<&'a TomlValue> {
        match self.content {
            Content::Item(item) => item.as_value(),
            Content::Element(value) => Some(value),
            Content::Table(_) => None,
        }
    }

    fn child(&self, content: Content<'a>, key: String, span: Option<Range<usize>>) -> Node<'a> {
        let position = span.map(|span| self.lines.position(span.start));
        Node {
            lines: self.lines,
            content,
            origin: Origin {
                file: self.origin.file.clone(),
                position: position.or(self.origin.position),
                key,
            },
        }
    }
}

/// A text and where its lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The position of the byte at `offset`.
    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: number(line), column: number(before.chars().count() + 1) }
    }
}

/// A key as it is written in a path of keys.
fn quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") }
}
