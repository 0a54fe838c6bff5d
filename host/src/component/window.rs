//! Which of the guest's addresses a device reaches by DMA.

use std::fmt;
use std::str::FromStr;

/// A range of the guest's physical addresses, at least one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DmaWindow {
    start: u64,
    last: u64,
}

impl DmaWindow {
    /// All addresses there are.
    pub const ALL: Self = Self { start: 0, last: u64::MAX };

    /// The window of `size` bytes from `start`; none if it is empty or does not end
    /// at the last address at the latest.
    #[must_use]
    pub const fn new(start: u64, size: u64) -> Option<Self> {
        let Some(more) = size.checked_sub(1) else { return None };
        match start.checked_add(more) {
            Some(last) => Some(Self { start, last }),
            None => None,
        }
    }

    /// The first address.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// The last address.
    #[must_use]
    pub const fn last(self) -> u64 {
        self.last
    }

    /// What two windows have in common; none if that is nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let (start, last) = (self.start.max(other.start), self.last.min(other.last));
        (start <= last).then_some(Self { start, last })
    }

    /// The same addresses as windows that do not touch, in order.
    #[must_use]
    pub fn merged(windows: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut windows: Vec<_> = windows.into_iter().collect();
        windows.sort_unstable();
        windows.dedup_by(|next, before| {
            let touches = next.start <= before.last.saturating_add(1);
            if touches {
                before.last = before.last.max(next.last);
            }
            touches
        });
        windows
    }
}

impl fmt::Display for DmaWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.write_str("all"),
            // A window that is not all of them is smaller than 2^64.
            Self { start, last } => write!(f, "{start:#x}+{:#x}", last - start + 1),
        }
    }
}

impl FromStr for DmaWindow {
    type Err = String;

    /// Reads `all`, or `START+SIZE` in bytes, decimal or hexadecimal with `0x`. The
    /// error is a phrase.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::ALL);
        }
        let number = |text: &str| match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        let parts = text.split_once('+');
        let numbers = parts.and_then(|(start, size)| Some((number(start)?, number(size)?)));
        let Some((start, size)) = numbers else {
            return Err(format!(
                "{text:?} is no window of memory: expected \"all\" or \"START+SIZE\", such as \
                 \"0x100000+0x4000\""
            ));
        };
        Self::new(start, size).ok_or_else(|| match size {
            0 => format!("the window {text:?} of memory is empty"),
            _ => format!("the window {text:?} of memory does not end below 2^64"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_a_text() {
        for text in ["all", "0x0+0x1", "0x100000+0x4000", "0xffffffffffffffff+0x1"] {
            assert_eq!(text.parse::<DmaWindow>().unwrap().to_string(), text);
        }
        assert_eq!("4096+16".parse(), Ok(DmaWindow { start: 4096, last: 4111 }));
        for (text, why) in [
            ("", "no window"),
            ("ALL", "no window"),
            ("0x1000", "no window"),
            ("0x1000+", "no window"),
            ("-1+2", "no window"),
            ("0x1000+0", "is empty"),
            ("0xffffffffffffffff+2", "does not end"),
            ("2+0xffffffffffffffff", "does not end"),
        ] {
            let problem = text.parse::<DmaWindow>().unwrap_err();
            assert!(problem.contains(why), "{problem}");
        }
    }

    #[test]
    fn windows_that_touch_are_one() {
        let window = |start, size| DmaWindow::new(start, size).unwrap();
        let merged = DmaWindow::merged([
            window(0x3000, 0x10),
            window(0x1000, 0x1000),
            window(0x2000, 0x10),
            window(0x1800, 0x10),
            window(u64::MAX, 1),
        ]);
        assert_eq!(merged, [window(0x1000, 0x1010), window(0x3000, 0x10), window(u64::MAX, 1)]);
        assert_eq!(DmaWindow::merged([window(5, 1), DmaWindow::ALL]), [DmaWindow::ALL]);
        assert_eq!(DmaWindow::merged([]), []);
    }
}
