//! What happens when a medium fails.

use std::io;
use std::str::FromStr;

use crate::request::Operation;

/// QEMU's `rerror=`: what a failed read leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnReadError {
    /// The device learns of it.
    #[default]
    Report,
    /// The device is told that all went well.
    Ignore,
    /// The request is held until the operator lets the machine continue.
    Stop,
}

/// QEMU's `werror=`: what a failed write or flush leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnWriteError {
    /// The device learns of it.
    Report,
    /// The device is told that all went well.
    Ignore,
    /// The request is held until the operator lets the machine continue.
    Stop,
    /// The request is held if there is no room; of others the device learns.
    #[default]
    Enospc,
}

/// A drive's policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// For reads.
    pub read: OnReadError,
    /// For writes and flushes.
    pub write: OnWriteError,
}

/// What was done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The device was told of the error.
    Report,
    /// The device was told that all went well.
    Ignore,
    /// The request is held; the machine is to stop.
    Stop,
}

impl Policy {
    /// For drives whose errors are the device's alone.
    pub const REPORT: Self = Self { read: OnReadError::Report, write: OnWriteError::Report };

    /// Whether there are errors that stop the machine.
    #[must_use]
    pub const fn can_stop(&self) -> bool {
        let write = matches!(self.write, OnWriteError::Stop | OnWriteError::Enospc);
        write || matches!(self.read, OnReadError::Stop)
    }

    /// What to do when an operation has failed, for want of room or otherwise.
    #[must_use]
    pub const fn action(&self, operation: Operation, no_space: bool) -> Action {
        match operation {
            Operation::Read => match self.read {
                OnReadError::Report => Action::Report,
                OnReadError::Ignore => Action::Ignore,
                OnReadError::Stop => Action::Stop,
            },
            Operation::Write | Operation::Flush => match self.write {
                OnWriteError::Report => Action::Report,
                OnWriteError::Ignore => Action::Ignore,
                OnWriteError::Stop => Action::Stop,
                OnWriteError::Enospc if no_space => Action::Stop,
                OnWriteError::Enospc => Action::Report,
            },
        }
    }
}

/// Whether an error says that there is no room: the file system is full, or the
/// user's share of it. The operator can mend both.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// A policy that does not exist.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no error policy '{name}'; there are {known}")]
pub struct UnknownPolicy {
    name: String,
    known: &'static str,
}

impl FromStr for OnReadError {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        match name {
            "report" => Ok(Self::Report),
            "ignore" => Ok(Self::Ignore),
            "stop" => Ok(Self::Stop),
            _ => Err(UnknownPolicy { name: name.to_owned(), known: "report, ignore, stop" }),
        }
    }
}

impl FromStr for OnWriteError {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        match name {
            "report" => Ok(Self::Report),
            "ignore" => Ok(Self::Ignore),
            "stop" => Ok(Self::Stop),
            "enospc" => Ok(Self::Enospc),
            _ => {
                Err(UnknownPolicy { name: name.to_owned(), known: "report, ignore, stop, enospc" })
            }
        }
    }
}

impl Action {
    /// As QMP's events call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Ignore => "ignore",
            Self::Stop => "stop",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_qemus() {
        let policy = Policy::default();
        assert_eq!(policy.action(Operation::Read, false), Action::Report);
        assert_eq!(policy.action(Operation::Write, false), Action::Report);
        assert_eq!(policy.action(Operation::Write, true), Action::Stop);
        assert_eq!(policy.action(Operation::Flush, true), Action::Stop);
    }

    #[test]
    fn each_name_does_what_it_says() {
        for (name, action) in
            [("report", Action::Report), ("ignore", Action::Ignore), ("stop", Action::Stop)]
        {
            let policy = Policy { read: name.parse().unwrap(), write: name.parse().unwrap() };
            for operation in [Operation::Read, Operation::Write, Operation::Flush] {
                for no_space in [false, true] {
                    assert_eq!(policy.action(operation, no_space), action);
                }
            }
            assert_eq!(action.name(), name);
        }
        assert_eq!("enospc".parse(), Ok(OnWriteError::Enospc));
        let error = "enospc".parse::<OnReadError>().unwrap_err();
        assert_eq!(error.to_string(), "no error policy 'enospc'; there are report, ignore, stop");
        assert!("".parse::<OnWriteError>().is_err());
    }

    #[test]
    fn a_full_disk_and_a_full_share_are_no_space() {
        for (errno, expected) in [
            (rustix::io::Errno::NOSPC, true),
            (rustix::io::Errno::DQUOT, true),
            (rustix::io::Errno::IO, false),
        ] {
            assert_eq!(is_no_space(&errno.into()), expected);
        }
    }
}
