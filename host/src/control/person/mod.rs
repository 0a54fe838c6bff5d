//! What a person sees of a guest and does to it, as QEMU's monitors offer it: the
//! screen in a file, keys, the mouse, media in drives.

pub mod block;
mod console;
mod error;
mod input;
mod keys;
mod picture;

pub(crate) use console::not_saved;
pub use console::{picture, save, screen_text};
pub use error::{Kind, Problem};
pub use input::{Event, Mouse, hold, mouse_button, mouse_move, press, send};
pub use keys::Key;
pub(crate) use keys::NAMES;
pub use picture::Format;
