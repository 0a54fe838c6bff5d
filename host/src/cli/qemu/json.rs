//! Options written as one JSON object, which QEMU takes where it takes more than
//! flat lists: `-device`, `-object`, `-blockdev`, `-display`, `-audiodev`.

use serde_json::Value;

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::opts::Opts;

/// How an option writes its lists if not in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With flags: [`Opts::parse`].
    Flags,
    /// Without: [`Opts::keyval`].
    Keyval,
}

/// Reads a list or an object.
pub(super) fn list(
    all: &mut Collected,
    given: &Given<'_>,
    implied: &str,
    kind: Kind,
) -> Result<Opts, Error> {
    let text = given.text()?;
    if text.starts_with('{') {
        return object(text).map_err(|problem| problem.at(&given.place()));
    }
    match kind {
        Kind::Flags => given.opts(all, Some(implied)),
        Kind::Keyval => given.keyval(Some(implied)),
    }
}

/// An object as a list: members of inner objects and elements of arrays have keys
/// with full stops, as QEMU writes them in lists.
fn object(text: &str) -> Result<Opts, Problem> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("JSON parse error, {error}"))?;
    let mut pairs = Vec::new();
    flatten("", value, &mut pairs);
    Ok(pairs.into_iter().collect())
}

fn flatten(path: &str, value: Value, pairs: &mut Vec<(String, String)>) {
    let inner = |key: &str| if path.is_empty() { key.into() } else { format!("{path}.{key}") };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                flatten(&inner(&key), value, pairs);
            }
        }
        Value::Array(elements) => {
            for (number, value) in elements.into_iter().enumerate() {
                flatten(&inner(&number.to_string()), value, pairs);
            }
        }
        Value::Null => {}
        Value::Bool(flag) => pairs.push((path.into(), if flag { "on" } else { "off" }.into())),
        Value::Number(number) => pairs.push((path.into(), number.to_string())),
        Value::String(text) => pairs.push((path.into(), text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_lists() {
        let list = object(r#"{"driver":"x","n":244,"on":true,"a":{"b":["c","d"]},"e":null}"#);
        let list = list.expect("an object");
        let pairs: Vec<_> = list.last().collect();
        let expected =
            [("driver", "x"), ("n", "244"), ("on", "on"), ("a.b.0", "c"), ("a.b.1", "d")];
        assert_eq!(pairs.len(), expected.len());
        assert!(expected.iter().all(|pair| pairs.contains(pair)), "{pairs:?}");
        let problem = object(r#"{"driver":"foo""#).expect_err("it is cut");
        assert!(problem.text.starts_with("JSON parse error, "), "{}", problem.text);
    }

    #[test]
    fn depth_is_bounded() {
        assert!(object(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err());
    }
}
