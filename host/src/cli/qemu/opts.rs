//! QEMU's lists `key=value,key=value`, of which there are two kinds.
//!
//! In both the first item may be the value of an implied key, and two commas in
//! a value are one. The older kind ([`Opts::parse`]) has flags: `server` is
//! `server=on`, `nowait` is `wait=off`; the newer one ([`Opts::keyval`]), of
//! `-machine`, `-accel`, `-object` and others, has none. In both the last one of
//! a key counts.

use super::error::Problem;
use super::value;

/// A list, in the order in which it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Opts {
    pairs: Vec<(String, String)>,
    /// Flags in it: what QEMU warns of, with what to write instead.
    pub(super) flags: Vec<(String, String)>,
}

impl Opts {
    /// Reads a list of the older kind.
    pub(in crate::cli) fn parse(text: &str, implied: Option<&str>) -> Self {
        let (mut list, mut rest, mut implied) = (Self::default(), text, implied);
        while !rest.is_empty() {
            let key = &rest[..rest.find(['=', ',']).unwrap_or(rest.len())];
            if rest[key.len()..].starts_with('=') {
                let (value, after) = split_value(&rest[key.len() + 1..]);
                list.set(key, value);
                rest = after;
            } else if let Some(implied) = implied {
                let (value, after) = split_value(rest);
                list.set(implied, value);
                rest = after;
            } else {
                let (name, value) = match key.strip_prefix("no") {
                    Some(name) => (name, "off"),
                    None => (key, "on"),
                };
                list.set(name, value.into());
                if !matches!(key, "help" | "?") {
                    list.flags.push((key.into(), format!("{name}={value}")));
                }
                rest = rest[key.len()..].strip_prefix(',').unwrap_or_default();
            }
            implied = None;
        }
        list
    }

    /// Reads a list of the newer kind.
    pub(super) fn keyval(text: &str, implied: Option<&str>) -> Result<Self, Problem> {
        let (mut list, mut rest, mut implied) = (Self::default(), text, implied);
        while !rest.is_empty() {
            let key = &rest[..rest.find(['=', ',']).unwrap_or(rest.len())];
            let after = &rest[key.len()..];
            if let (Some(implied), false, false) = (implied, key.is_empty(), after.starts_with('='))
            {
                // Unlike a value after `=` this one cannot have a comma in it.
                list.set(implied, key.into());
                rest = after.strip_prefix(',').unwrap_or_default();
            } else if !key.split('.').all(is_fragment) {
                return Err(format!("Invalid parameter '{key}'").into());
            } else if let Some(after) = after.strip_prefix('=') {
                let (value, after) = split_value(after);
                list.set(key, value);
                rest = after;
            } else if matches!(key, "help" | "?") {
                list.set(key, "on".into());
                rest = after.strip_prefix(',').unwrap_or_default();
            } else {
                return Err(format!("Expected '=' after parameter '{key}'").into());
            }
            implied = None;
        }
        Ok(list)
    }

    pub(super) fn set(&mut self, key: &str, value: String) {
        self.pairs.push((key.into(), value));
    }

    /// Appends another list: what it says prevails.
    pub(super) fn merge(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
    }

    /// The last value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let pair = self.pairs.iter().rev().find(|(name, _)| name == key);
        pair.map(|(_, value)| value.as_str())
    }

    /// The last value of a key, which is then no longer in the list.
    pub(in crate::cli) fn take(&mut self, key: &str) -> Option<String> {
        let value = self.get(key).map(str::to_owned);
        self.pairs.retain(|(name, _)| name != key);
        value
    }

    /// The keys with a prefix, without it, in order and each once, with their
    /// last values.
    pub(super) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.last().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value)))
    }

    /// All of it, in order.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Each key once, where it stands last, with that value.
    pub(in crate::cli) fn last(&self) -> impl Iterator<Item = (&str, &str)> {
        let later = |at: usize, key: &str| self.pairs[at + 1..].iter().any(|(name, _)| name == key);
        let pairs = self.pairs.iter().enumerate();
        let last = pairs.filter(move |(at, (key, _))| !later(*at, key));
        last.map(|(_, (key, value))| (key.as_str(), value.as_str()))
    }

    /// Whether help is asked for.
    pub(super) fn asks_help(&self) -> bool {
        let named = |(key, _): &(String, String)| matches!(key.as_str(), "help" | "?");
        self.pairs.iter().any(named)
    }

    /// Refuses keys that are none of these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.pairs.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => Err(format!("Invalid parameter '{key}'").into()),
        }
    }

    pub(in crate::cli) fn flag(&self, key: &str) -> Result<Option<bool>, Problem> {
        self.get(key).map(|text| value::flag(key, text)).transpose()
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, Problem> {
        self.get(key).map(|text| value::number(key, text)).transpose()
    }

    pub(super) fn identifier(&self, key: &str) -> Result<Option<String>, Problem> {
        self.get(key).map(|text| value::identifier(key, text)).transpose()
    }
}

impl FromIterator<(String, String)> for Opts {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().collect(), flags: Vec::new() }
    }
}

/// A value up to a single comma, and what is behind the comma.
fn split_value(text: &str) -> (String, &str) {
    let (mut value, mut rest) = (String::new(), text);
    while let Some(comma) = rest.find(',') {
        value += &rest[..comma];
        rest = &rest[comma + 1..];
        match rest.strip_prefix(',') {
            Some(after) => {
                value.push(',');
                rest = after;
            }
            None => return (value, rest),
        }
    }
    (value + rest, "")
}

/// Whether it is a part of a key between full stops.
fn is_fragment(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &Opts) -> Vec<(&str, &str)> {
        list.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    #[test]
    fn the_older_kind_has_flags_and_doubled_commas() {
        let list = Opts::parse("socket,id=a,path=/a,,b=c,server,nowait,x=", Some("backend"));
        assert_eq!(
            pairs(&list),
            [
                ("backend", "socket"),
                ("id", "a"),
                ("path", "/a,b=c"),
                ("server", "on"),
                ("wait", "off"),
                ("x", "")
            ]
        );
        let flags = [("server", "server=on"), ("nowait", "wait=off")];
        assert_eq!(list.flags, flags.map(|(a, b)| (a.into(), b.into())));
        assert_eq!(pairs(&Opts::parse("null,,x,id=a", Some("backend")))[0], ("backend", "null,x"));
        assert_eq!(pairs(&Opts::parse("a=1,b", Some("x"))), [("a", "1"), ("b", "on")]);
        assert_eq!(pairs(&Opts::parse("", Some("x"))), []);
    }

    #[test]
    fn the_newer_kind_has_no_flags() {
        let list = Opts::keyval("pc,smm=off,a.b=c,,d", Some("type")).expect("right");
        assert_eq!(pairs(&list), [("type", "pc"), ("smm", "off"), ("a.b", "c,d")]);
        for (text, problem) in [
            ("pc,smm", "Expected '=' after parameter 'smm'"),
            ("pc,=1", "Invalid parameter ''"),
            (",", "Invalid parameter ''"),
            ("pc,,x", "Invalid parameter ''"),
            ("pc,a b=1", "Invalid parameter 'a b'"),
            ("pc,a..b=1", "Invalid parameter 'a..b'"),
        ] {
            assert_eq!(Opts::keyval(text, Some("type")).expect_err(text).text, problem);
        }
        assert!(Opts::keyval("pc,help", Some("type")).expect("right").asks_help());
    }

    #[test]
    fn the_last_one_of_a_key_counts() {
        let mut list = Opts::parse("a=1,b=2,a=3", None);
        assert_eq!(list.get("a"), Some("3"));
        assert_eq!(list.last().collect::<Vec<_>>(), [("b", "2"), ("a", "3")]);
        list.merge(Opts::parse("b=4", None));
        assert_eq!(list.take("b").as_deref(), Some("4"));
        assert_eq!(list.get("b"), None);
        assert_eq!(list.only(&["a"]), Ok(()));
        assert_eq!(list.only(&["c"]).expect_err("unknown").text, "Invalid parameter 'a'");
    }
}
