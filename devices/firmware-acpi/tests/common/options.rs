//! QEMU's command line, as far as the recorded runs use it.

/// The words, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Each option with its argument, which flags do not have.
    options: Vec<(String, String)>,
}

/// An argument: what comes first, and the keys that follow.
#[derive(Debug)]
pub(crate) struct Argument<'a> {
    pub(crate) first: &'a str,
    keys: Vec<(&'a str, &'a str)>,
}

impl Options {
    pub(crate) fn new(words: &[String]) -> Self {
        let mut options = Vec::<(String, String)>::new();
        for word in words {
            match (word.strip_prefix('-'), options.last_mut()) {
                (Some(option), _) => options.push((option.to_owned(), String::new())),
                (None, Some((_, argument))) => argument.clone_from(word),
                (None, None) => panic!("{word}: an argument without an option"),
            }
        }
        Self { options }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| option == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Argument<'a>> {
        let named = self.options.iter().filter(move |(option, _)| option == name);
        named.map(|(_, argument)| Argument::new(argument))
    }

    pub(crate) fn one<'a>(&'a self, name: &'a str) -> Option<Argument<'a>> {
        self.all(name).last()
    }

    /// What a device's property was set to for all such devices.
    pub(crate) fn global<'a>(&'a self, property: &'a str) -> Option<&'a str> {
        let globals = self.options.iter().filter(|(option, _)| option == "global");
        globals
            .filter_map(|(_, set)| set.split_once('='))
            .rev()
            .find_map(|(name, value)| (name == property).then_some(value))
    }

    /// Whether a property of that kind is on; `default` if it was not set.
    pub(crate) fn switch(&self, property: &str, default: bool) -> bool {
        self.global(property).map_or(default, is_on)
    }
}

impl<'a> Argument<'a> {
    fn new(argument: &'a str) -> Self {
        let (first, rest) = argument.split_once(',').unwrap_or((argument, ""));
        let parts = [first].into_iter().chain(rest.split(','));
        let keys = parts.filter_map(|part| part.split_once('=')).collect();
        Self { first, keys }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.keys.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        self.get(key).map(|value| value.parse().expect("a number"))
    }
}

pub(crate) fn is_on(value: &str) -> bool {
    ["on", "1", "true"].contains(&value)
}

/// A size with its suffix; MiB without.
pub(crate) fn size(text: &str) -> u64 {
    let (digits, shift) = match text.strip_suffix('G') {
        Some(digits) => (digits, 30),
        None => (text.strip_suffix('M').unwrap_or(text), 20),
    };
    digits.parse::<u64>().expect("a size") << shift
}
