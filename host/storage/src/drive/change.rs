//! One medium for another.

use std::io;

use super::state::Shared;
use super::{Held, Medium, unpoisoned};

/// Why a medium could not be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The guest has locked the tray, which is closed.
    #[error("the guest has locked the drive; wait until it opens the tray, or use force")]
    Locked,
    /// Requests for the old medium are held.
    #[error("{} requests wait for the medium to be mended; let the machine continue, or use force", .0.waiting)]
    Held(Held),
    /// What was written to the old medium could not be made last.
    #[error("the medium could not be flushed, and may lack what was written: {0}; or use force")]
    Flush(io::Error),
    /// The drive works no longer: a callback or a backend has panicked.
    #[error("the drive's thread has failed")]
    Dead,
}

pub(super) fn change(
    shared: &Shared,
    medium: Option<Medium>,
    force: bool,
) -> Result<Option<Medium>, ChangeError> {
    let _changing = unpoisoned(shared.changing.lock());
    let mut state = shared.lock();
    if state.locked && !state.tray_open && !force {
        return Err(ChangeError::Locked);
    }
    let barrier = state.next;
    state.barrier = Some(barrier);
    loop {
        state = shared.wait_while(state, |state| {
            let before = state.queue.front().is_some_and(|entry| entry.number < barrier);
            state.busy || (before && !state.held)
        });
        match state.held() {
            Some(_) if force => {
                state.doom(barrier);
                shared.changed.notify_all();
            }
            Some(held) => {
                state.barrier = None;
                return Err(ChangeError::Held(held));
            }
            None => break,
        }
    }
    if state.dead {
        state.barrier = None;
        return Err(ChangeError::Dead);
    }
    // As if this were the drive's thread: nobody else has the medium meanwhile.
    state.busy = true;
    let mut old = state.medium.take();
    drop(state);
    let flushed = old.as_mut().map_or(Ok(()), Medium::flush);
    let mut state = shared.lock();
    let outcome = match flushed {
        Err(error) if !force => {
            state.medium = old;
            Err(ChangeError::Flush(error))
        }
        _ => {
            state.info = medium.as_ref().map(Medium::info);
            state.medium = medium;
            Ok(old)
        }
    };
    state.busy = false;
    state.barrier = None;
    drop(state);
    shared.changed.notify_all();
    outcome
}
