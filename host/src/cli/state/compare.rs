//! Compares two decoded sections field by field.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value as Json;
use vmstate::{Field, Structure, Subsection, Value};

/// A field that differs, or that only one of both sections has.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    /// The way to it: names of fields and subsections, and indices.
    pub(super) field: String,
    pub(super) a: Option<Place>,
    pub(super) b: Option<Place>,
}

/// What one section has.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Place {
    /// In the file.
    pub(super) offset: u64,
    pub(super) bytes: usize,
    pub(super) value: Json,
}

/// Pairs what has the same key, in the order of `a`, and what only `b` has after
/// that. Of several with one key the first goes with the first.
pub(super) fn pairs<'a, T, K: Ord>(
    a: &'a [T],
    b: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut others: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
    for (index, item) in b.iter().enumerate() {
        others.entry(key(item)).or_default().push_back(index);
    }
    let mut alone = vec![true; b.len()];
    let mut pairs = Vec::new();
    for item in a {
        let index = others.get_mut(&key(item)).and_then(VecDeque::pop_front);
        if let Some(index) = index {
            alone[index] = false;
        }
        pairs.push((Some(item), index.map(|index| &b[index])));
    }
    let rest = b.iter().zip(alone).filter(|(_, alone)| *alone);
    pairs.extend(rest.map(|(item, _)| (None, Some(item))));
    pairs
}

/// Compares two sections whose payloads begin at these offsets in their files.
pub(super) fn sections(a: (u64, &Structure), b: (u64, &Structure)) -> Vec<Difference> {
    let mut comparison = Comparison { bases: [a.0, b.0], found: Vec::new() };
    comparison.structures("", a.1, b.1);
    comparison.found
}

struct Comparison {
    bases: [u64; 2],
    found: Vec<Difference>,
}

/// A value, and where it is in its section.
#[derive(Clone, Copy)]
struct At<'a> {
    offset: usize,
    bytes: usize,
    value: &'a Value,
}

impl<'a> From<&'a Field> for At<'a> {
    fn from(field: &'a Field) -> Self {
        Self { offset: field.offset, bytes: field.size, value: &field.value }
    }
}

impl Comparison {
    fn structures(&mut self, path: &str, a: &Structure, b: &Structure) {
        let within = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        for (a, b) in pairs(&a.fields, &b.fields, |field| &field.name) {
            let name = a.or(b).map_or("", |field| &field.name);
            self.values(&within(name), a.map(At::from), b.map(At::from));
        }
        for (a, b) in pairs(&a.subsections, &b.subsections, |subsection| &subsection.name) {
            let name = a.or(b).map_or("", |subsection| &subsection.name);
            self.subsections(&within(name), a, b);
        }
    }

    fn subsections(&mut self, path: &str, a: Option<&Subsection>, b: Option<&Subsection>) {
        if let (Some(a), Some(b)) = (a, b)
            && a.version == b.version
        {
            return self.structures(path, &a.content, &b.content);
        }
        let place = |Subsection { name, version, offset, content }: &Subsection| {
            let mut value = content.to_json();
            value["@version"] = (*version).into();
            // Before its content: a marker, the name with its length, the version.
            let bytes = 1 + 1 + name.len() + 4 + size(content);
            Place { offset: *offset as u64, bytes, value }
        };
        self.differs(path, a.map(place), b.map(place));
    }

    fn values(&mut self, path: &str, a: Option<At<'_>>, b: Option<At<'_>>) {
        if let (Some(a), Some(b)) = (a, b) {
            match (a.value, b.value) {
                (Value::Structure(a), Value::Structure(b)) => {
                    return self.structures(path, a, b);
                }
                (Value::List(x), Value::List(y)) => {
                    for index in 0..x.len().max(y.len()) {
                        let [a, b] = [(a, x), (b, y)].map(|(at, list)| element(at, list, index));
                        self.values(&format!("{path}[{index}]"), a, b);
                    }
                    return;
                }
                (Value::Bytes(x), Value::Bytes(y)) if x.len() == y.len() => {
                    return self.bytes(path, (a.offset, x), (b.offset, y));
                }
                (x, y) if x == y && a.bytes == b.bytes => return,
                _ => {}
            }
        }
        let place = |At { offset, bytes, value }| {
            let value = value.to_json();
            Place { offset: offset as u64, bytes, value }
        };
        self.differs(path, a.map(place), b.map(place));
    }

    /// Every run of bytes that differ is a difference of its own.
    fn bytes(&mut self, path: &str, (at_a, a): (usize, &[u8]), (at_b, b): (usize, &[u8])) {
        let next =
            |from: usize, same: bool| (from..a.len()).find(|&index| (a[index] == b[index]) == same);
        let mut from = 0;
        while let Some(first) = next(from, false) {
            from = next(first, true).unwrap_or(a.len());
            let place = |at: usize, bytes: &[u8]| {
                let run = &bytes[first..from];
                let value = Value::Bytes(run.to_vec()).to_json();
                Some(Place { offset: (at + first) as u64, bytes: run.len(), value })
            };
            self.differs(&format!("{path}[{first:#x}]"), place(at_a, a), place(at_b, b));
        }
    }

    /// Notes a difference; offsets are in the sections still.
    fn differs(&mut self, path: &str, a: Option<Place>, b: Option<Place>) {
        let [base_a, base_b] = self.bases;
        let place = |base: u64, place: Place| Place { offset: base + place.offset, ..place };
        let (a, b) = (a.map(|a| place(base_a, a)), b.map(|b| place(base_b, b)));
        self.found.push(Difference { field: path.to_owned(), a, b });
    }
}

/// An element of a field that is an array.
fn element<'a>(at: At<'a>, list: &'a [Value], index: usize) -> Option<At<'a>> {
    let value = list.get(index)?;
    let bytes = at.bytes / list.len();
    Some(match value {
        // Structures vary in size.
        Value::Structure(structure) => {
            let offset = structure.fields.first().map_or(at.offset, |field| field.offset);
            At { offset, bytes: size(structure), value }
        }
        value => At { offset: at.offset + index * bytes, bytes, value },
    })
}

/// The bytes a structure takes. What was decoded can be encoded.
fn size(structure: &Structure) -> usize {
    structure.encode().map_or(0, |bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn field(name: &str, offset: usize, size: usize, value: Value) -> Field {
        Field { name: name.into(), offset, size, value, optional: false }
    }

    fn structure(fields: Vec<Field>) -> Structure {
        Structure { fields, subsections: Vec::new() }
    }

    fn compared(a: &Structure, b: &Structure) -> Json {
        serde_json::to_value(sections((0x100, a), (0x200, b))).expect("it has no maps")
    }

    #[test]
    fn elements_and_runs_of_bytes_are_named_with_their_places() {
        let of = |numbers: [u64; 3], bytes: &[u8]| {
            let list = Value::List(numbers.map(Value::Unsigned).to_vec());
            let bytes = Value::Bytes(bytes.to_vec());
            structure(vec![field("list", 0, 12, list), field("data", 12, bytes_of(&bytes), bytes)])
        };
        let (a, b) = (of([1, 2, 3], b"abcdef"), of([1, 9, 3], b"aXYdeZ"));
        let place = |offset: u64, bytes: usize, value: Json| json!({"offset": offset, "bytes": bytes, "value": value});
        assert_eq!(
            compared(&a, &b),
            json!([
                {"field": "list[1]", "a": place(0x104, 4, 2.into()), "b": place(0x204, 4, 9.into())},
                {"field": "data[0x1]", "a": place(0x10d, 2, "6263".into()), "b": place(0x20d, 2, "5859".into())},
                {"field": "data[0x5]", "a": place(0x111, 1, "66".into()), "b": place(0x211, 1, "5a".into())},
            ])
        );
        assert_eq!(compared(&a, &a), json!([]));
    }

    fn bytes_of(value: &Value) -> usize {
        let Value::Bytes(bytes) = value else { return 0 };
        bytes.len()
    }

    #[test]
    fn what_one_side_lacks_is_said_whole() {
        let inner = structure(vec![field("x", 0, 1, Value::Bool(true))]);
        let mut a = structure(vec![field("inner", 0, 1, Value::Structure(inner))]);
        a.subsections.push(Subsection {
            name: Arc::from("d/more"),
            version: 1,
            offset: 1,
            content: structure(vec![field("y", 13, 2, Value::Unsigned(5))]),
        });
        let mut b = a.clone();
        b.fields.clear();
        b.subsections[0].version = 2;
        let more = |base: u64, version: u32| json!({"offset": base + 1, "bytes": 14, "value": {"y": 5, "@version": version}});
        let inner = json!({"offset": 0x100, "bytes": 1, "value": {"x": true}});
        assert_eq!(
            compared(&a, &b),
            json!([
                {"field": "inner", "a": inner, "b": null},
                {"field": "d/more", "a": more(0x100, 1), "b": more(0x200, 2)},
            ])
        );
        b.subsections.clear();
        assert_eq!(compared(&b, &a)[1]["a"], Json::Null);
    }

    #[test]
    fn fields_of_one_name_go_together_in_order() {
        let unused = |offset| field("unused", offset, 1, Value::Unsigned(offset as u64));
        let (a, b) = (vec![unused(0), unused(1)], vec![unused(0)]);
        let found = pairs(&a, &b, |field| &field.name);
        assert_eq!(found, [(Some(&a[0]), Some(&b[0])), (Some(&a[1]), None)]);
        assert_eq!(pairs(&b, &a, |field| &field.name)[1], (None, Some(&a[1])));
    }
}
