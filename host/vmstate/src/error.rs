//! Why a stream is refused.

/// What is wrong with a stream, and where.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("at offset {offset:#x}: {problem}")]
pub struct Error {
    /// Bytes from the start of the stream to the value that is wrong.
    pub offset: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a stream.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no data at all.
    #[error("there is no data where a device state was expected")]
    Empty,
    /// The magic number is another one.
    #[error("not a QEMU device state: it starts with {0:#010x}, not with \"QEVM\"")]
    NotAStream(u32),
    /// A version of the stream other than 3.
    #[error("stream version {0} is not supported, only version 3 is")]
    StreamVersion(u32),
    /// The data ends before the stream does.
    #[error("the data ends inside {0}")]
    Truncated(String),
    /// Something comes after the end of the stream.
    #[error("{0} bytes follow the end of the stream")]
    Trailing(u64),
    /// A byte that is no section type, where one is expected.
    #[error("unknown section type {0:#04x}")]
    SectionType(u8),
    /// A section nobody has a layout for.
    #[error("unknown section {name:?} instance {instance}")]
    UnknownSection {
        /// The section's name, with its device path.
        name: String,
        /// Its instance.
        instance: u32,
    },
    /// A section's version is not the one its layout is for.
    #[error("section {name:?} has version {version}, only version {known} is known")]
    SectionVersion {
        /// The section's name, with its device path.
        name: String,
        /// The version it states.
        version: u32,
        /// The version its layout is for.
        known: u32,
    },
    /// A section occurs twice.
    #[error("section {name:?} instance {instance} occurs twice")]
    SectionTwice {
        /// The section's name, with its device path.
        name: String,
        /// Its instance.
        instance: u32,
    },
    /// Two sections state the same id.
    #[error("section id {0} is used twice")]
    IdReused(u32),
    /// A part or end of a section that was not started.
    #[error("a part of section id {0}, which is not open")]
    NotOpen(u32),
    /// The devices begin while a section is still open.
    #[error("section id {0} is not ended")]
    NotEnded(u32),
    /// A section's name is not text.
    #[error("a name that is not text")]
    Name,
    /// Nothing marks the section's end, in a stream whose sections have footers.
    #[error("no footer where section {name:?} should end: byte {found:#04x}")]
    NoFooter {
        /// The section's name, with its device path.
        name: String,
        /// What is there instead.
        found: u8,
    },
    /// A footer that names another section.
    #[error("the footer of section id {expected} states id {found}")]
    Footer {
        /// The id of the section that ends.
        expected: u32,
        /// The id the footer states.
        found: u32,
    },
    /// A field's value is impossible.
    #[error("{field:?} is {value}, which is not possible")]
    Value {
        /// The field's name.
        field: String,
        /// Its value.
        value: String,
    },
    /// A subsection the layout does not have, has already had, or has in a lower version.
    #[error("unexpected subsection {name:?} version {version}")]
    Subsection {
        /// The subsection's name.
        name: String,
        /// Its version.
        version: u32,
    },
    /// A subsection the stream's own description promises is not there.
    #[error("subsection {0:?} is missing")]
    SubsectionMissing(String),
    /// More than one reading fits.
    #[error("the sections can be read in more than one way up to here, none can be preferred")]
    Ambiguous,
    /// Too many readings would have to be tried, or too long ones.
    #[error("the sections take too long to read, this is not a device state")]
    TooManyReadings,
    /// The configuration section is not as it should be.
    #[error("bad configuration section: {0}")]
    Configuration(&'static str),
    /// The stream's description of itself is not as it should be.
    #[error("bad description of the stream: {0}")]
    Description(String),
    /// A command that cannot be part of a stream kept in a file.
    #[error("migration command {0} cannot be part of a saved stream")]
    Command(u16),
    /// The memory section is not as it should be.
    #[error("bad memory section: {0}")]
    Ram(&'static str),
    /// Pages in a form that only a receiver of live migration can read.
    #[error(
        "pages of guest memory are sent with capability {0:?}, which needs more than this stream; \
         have the sender switch it off"
    )]
    Encoded(&'static str),
    /// Guest memory that is not taken.
    #[error("guest memory is refused: {0}")]
    Memory(String),
    /// More device state than any machine has.
    #[error("more than {0} bytes of device state, this is not a device state")]
    TooLarge(usize),
    /// A save file of `xl` is not as it should be.
    #[error("bad xl save file: {0}")]
    Xl(&'static str),
}

impl Problem {
    /// This problem at an offset.
    pub(crate) fn at(self, offset: u64) -> Error {
        Error { offset, problem: self }
    }
}
