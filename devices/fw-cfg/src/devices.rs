//! The machine's devices, as the host lists them.
//!
//! One a line: `COMPONENT [at ADDRESS] [PROPERTY=VALUE ...]`, with the properties
//! that are not the component's defaults. An address with a dot is a slot and a
//! function of the PCI bus; others are on buses that nobody here asks for.

use std::fmt::Display;
use std::str::FromStr;

const SLOTS: u8 = 32;
const FUNCTIONS: u8 = 8;

/// The devices, in the host's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Devices(pub(crate) Vec<Listed>);

/// A device.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) component: String,
    pub(crate) pci: Option<PciAddress>,
    properties: Vec<(String, String)>,
}

/// A slot and a function of it. The default is the host bridge's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PciAddress {
    pub(crate) slot: u8,
    pub(crate) function: u8,
}

impl Devices {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(Listed::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Nobody has said what there is.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first device of a kind.
    pub(crate) fn find(&self, component: &str) -> Option<&Listed> {
        self.0.iter().find(|device| device.component == component)
    }
}

impl Listed {
    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace().peekable();
        let component = words.next().unwrap_or_default().into();
        let mut pci = None;
        if words.next_if_eq(&"at").is_some() {
            let address = words.next().ok_or_else(|| refusal(line, "an address after `at`"))?;
            if let Some((slot, function)) = address.split_once('.') {
                let address = PciAddress::parse(slot, function);
                let expected = "a slot and a function as in 1f.7";
                pci = Some(address.ok_or_else(|| refusal(line, expected))?);
            }
        }
        let property = |word: &str| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        let properties = words.map(property).collect::<Option<_>>();
        let properties = properties.ok_or_else(|| refusal(line, "PROPERTY=VALUE"))?;
        Ok(Self { component, pci, properties })
    }

    /// A property; `default` if it is not listed.
    pub(crate) fn get<T: FromStr + Display>(&self, name: &str, default: T) -> Result<T, String> {
        let Some(value) = self.text(name) else { return Ok(default) };
        let refused = |_| {
            format!("property devices: {}: {name}={value}, e.g. {default} expected", self.component)
        };
        value.parse().map_err(refused)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl PciAddress {
    fn parse(slot: &str, function: &str) -> Option<Self> {
        let hexadecimal = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| plain)
        };
        let slot = hexadecimal(slot).filter(|slot| *slot < SLOTS)?;
        let function = hexadecimal(function).filter(|function| *function < FUNCTIONS)?;
        Some(Self { slot, function })
    }
}

fn refusal(line: &str, expected: &str) -> String {
    format!("property devices: {line:?}, {expected} expected")
}
