//! Why a question has no answer, in QEMU's words.

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No object is at the path. QMP's class of it is `DeviceNotFound`, of the others
    /// `GenericError`.
    #[error("Device '{0}' not found")]
    NoObject(String),
    /// Several objects are at a path that does not start at the root.
    #[error("Path '{0}' is ambiguous")]
    Ambiguous(String),
    /// The object has no such property.
    #[error("Property '{kind}.{property}' not found")]
    NoProperty {
        /// The object's type.
        kind: String,
        /// What was asked for.
        property: String,
    },
}
