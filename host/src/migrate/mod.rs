//! The state of a machine in QEMU's stream, both ways.
//!
//! A machine saves what QEMU's machine of that type would: the same sections
//! under the same names, in the same frame. Loading is all or nothing: the whole
//! stream is compared with the machine, and new instances of all devices take
//! their sections, before the first device is replaced. Sections of devices that
//! no machine here has are kept and written back.

mod changes;
mod clock;
mod convert;
mod fit;
mod formats;
mod load;
mod losses;
mod names;
mod pins;
mod plan;
mod problem;
mod save;
mod take_over;

pub use changes::{Change, Found};
pub use convert::{Converted, NotConverted, convert};
pub(crate) use fit::formats;
pub use fit::{fits, fitting};
pub use formats::{Difference, Format, Missing, Place};
pub use load::Loaded;
pub use losses::Loss;
pub use plan::plan_for;
pub use problem::{Fault, Problem};
