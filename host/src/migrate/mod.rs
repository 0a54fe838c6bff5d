//! The state of a machine in QEMU's stream, both ways.
//!
//! A machine saves what QEMU's machine of that type would: the same sections
//! under the same names, in the same frame. Loading is all or nothing: the whole
//! stream is compared with the machine, and new instances of all devices take
//! their sections, before the first device is replaced. Sections of devices that
//! no machine here has are kept and written back.
//!
//! [`save`] and [`load`] do that for a machine with its memory ([`Blocks`]), and
//! [`Migration`] to and from what QEMU's URIs say ([`Uri`]).

mod blocks;
mod changes;
mod clock;
mod convert;
mod fit;
mod formats;
mod frame;
mod incoming;
mod kept;
mod load;
mod losses;
mod migration;
mod names;
mod outgoing;
mod pins;
mod plan;
mod problem;
mod processors;
mod progress;
mod receiver;
mod run_state;
mod save;
mod status;
mod take_over;
mod transport;
mod xen;

pub use blocks::Blocks;
pub use changes::{Change, Found};
pub use convert::{Converted, NotConverted, convert};
pub(crate) use fit::formats;
pub use fit::{fits, fitting};
pub use formats::{Difference, Format, Missing, Place};
pub use incoming::{Arrived, NotArrived, Reason, SILENCE, SILENCE_AT_THE_END, Source, load};
pub use load::Loaded;
pub use losses::Loss;
pub use migration::{Arriving, Failure, Leaving, Listener, Migration, Stopped};
pub use outgoing::{NotSaved, save};
pub use plan::plan_for;
pub use problem::{Fault, Problem};
pub use processors::ProcessorForm;
pub use progress::{Counts, Progress};
pub use run_state::{RunStateName, UnknownRunState};
pub use status::{Info, RamInfo, Status};
pub use transport::{
    BadUri, Cancel, Channel, Descriptors, NoWay, Origin, Target, Uri, is_cancelled,
};
