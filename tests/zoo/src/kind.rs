//! What a component of this crate does wrong, if anything.

use std::hint::black_box;

/// The name of the kind, padded with spaces. A test makes another component of
/// the one that was built by writing another name here: much faster than a
/// build for each.
static KIND: [u8; 9 + 24] = *b"zoo-kind:first                   ";

/// How a component behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Well, as version 1.
    #[default]
    First,
    /// Well, as version 2, which has one field more.
    Second,
    /// Refuses any state.
    Refuses,
    /// Takes a state and forgets the count.
    Loses,
    /// Calls its output line something else.
    OtherLines,
    /// Has a longer region.
    OtherRegions,
    TrapsInDescribe,
    TrapsInConfigure,
    TrapsInLoad,
    TrapsInSave,
    /// The others fail at any read.
    TrapsInRead,
    /// Never returns.
    Loops,
    /// Takes memory until it is refused.
    Grows,
    /// Calls itself until the stack ends.
    Recurses,
    /// Sends bytes for ever.
    Floods,
    /// Works, and records effects on what it never declared.
    Undeclared,
    /// Works, and has something to say at every read.
    Chatty,
    /// Counts its resets.
    CountsResets,
    /// Counts its saves.
    CountsSaves,
    /// Shows how many writes it has seen, and does not save that.
    Hides,
    /// Saves a byte that it has not described.
    Misdescribes,
    /// Believes a deadline that it never had.
    Trusts,
    /// Declares all widths, and looks at no more than the first byte's place.
    AnyWidth,
    /// Has a stream that it does not declare.
    NoStream,
    /// Believes a property.
    TrustsProperty,
}

impl Kind {
    /// The kind of this component.
    pub(crate) fn of_this() -> Self {
        // The compiler must not know what is in there.
        let name = &black_box(&KIND)[9..];
        match name.trim_ascii_end() {
            b"second" => Self::Second,
            b"refuses" => Self::Refuses,
            b"loses" => Self::Loses,
            b"other-lines" => Self::OtherLines,
            b"other-regions" => Self::OtherRegions,
            b"traps-in-describe" => Self::TrapsInDescribe,
            b"traps-in-configure" => Self::TrapsInConfigure,
            b"traps-in-load" => Self::TrapsInLoad,
            b"traps-in-save" => Self::TrapsInSave,
            b"traps-in-read" => Self::TrapsInRead,
            b"loops" => Self::Loops,
            b"grows" => Self::Grows,
            b"recurses" => Self::Recurses,
            b"floods" => Self::Floods,
            b"undeclared" => Self::Undeclared,
            b"chatty" => Self::Chatty,
            b"counts-resets" => Self::CountsResets,
            b"counts-saves" => Self::CountsSaves,
            b"hides" => Self::Hides,
            b"misdescribes" => Self::Misdescribes,
            b"trusts" => Self::Trusts,
            b"any-width" => Self::AnyWidth,
            b"no-stream" => Self::NoStream,
            b"trusts-property" => Self::TrustsProperty,
            _ => Self::First,
        }
    }
}
