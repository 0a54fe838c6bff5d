//! Media for the drives of devices: disks, CDs, floppies.
//!
//! A [`Drive`] carries out the requests that a device makes through the
//! contract's `storage`, in order and one at a time, on a thread of its own. In it
//! lies a [`Medium`], or none: a [`Backend`] that bytes are read from and written
//! to, mostly an [`Image`], which is a raw file or a block device. Data goes
//! straight between the backend and the guest's memory, which the host lends as
//! [`GuestMemory`].
//!
//! What the operator can say has QEMU's names and defaults: the cache mode
//! ([`Cache`]), what happens on errors ([`Policy`]), and locks that keep two guests
//! from writing to one image ([`Locking`]), which QEMU's processes understand and
//! heed.
//!
//! What a flush was acknowledged for is on the medium, whatever happens to the
//! process: [`Backend::flush`] returns when the kernel says so.
//!
//! ```
//! use std::sync::{Arc, mpsc};
//! use storage::{Callbacks, Drive, Medium, Null, Policy, Request, Setup};
//! use vm_memory::{GuestAddress, GuestMemoryMmap};
//!
//! let (sender, ended) = mpsc::sync_channel(16);
//! let drive = Drive::new(Setup {
//!     name: "ide0-hd0".to_owned(),
//!     policy: Policy { write: "stop".parse()?, ..Policy::default() },
//!     medium: Some(Medium {
//!         backend: Box::new(Null::new(1 << 20)),
//!         read_only: false,
//!         cache: "writethrough".parse()?,
//!     }),
//!     memory: Arc::new(GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 0x1000)])?),
//!     callbacks: Callbacks {
//!         completed: Box::new(move |tag, outcome| sender.send((tag, outcome)).unwrap()),
//!         failed: Box::new(|report| eprintln!("{}: {}", report.drive, report.reason)),
//!     },
//! });
//! drive.submit(7, Request::Read { offset: 512, length: 512 })?;
//! assert_eq!(drive.drain(), None);
//! assert_eq!(ended.try_recv()?, (7, Ok(vec![0; 512])));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod bounce;
mod cache;
mod drive;
mod faulty;
mod file;
mod gather;
mod image;
mod lock;
mod memory;
mod null;
mod policy;
mod problem;
mod ram;
mod request;
mod statistics;

pub use backend::{Backend, Buffer, read_exact, write_all};
pub use cache::{Cache, UnknownCache};
pub use drive::{
    Callbacks, ChangeError, Completed, Drive, ErrorReport, Held, LIMIT_BYTES, LIMIT_REQUESTS,
    Medium, MediumInfo, Setup, SubmitError,
};
pub use faulty::{Fault, Faults, Faulty};
pub use image::{Access, Image, ImageOptions};
pub use lock::{Locking, UnknownLocking};
pub use memory::{Direction, GuestMemory, Part};
pub use null::Null;
pub use policy::{Action, OnReadError, OnWriteError, Policy, UnknownPolicy};
pub use problem::{OpenError, Warning};
pub use ram::{Ram, RamView};
pub use request::{Failure, Operation, Piece, READ_LIMIT, Request, SECTOR};
pub use statistics::{Counts, Statistics};
