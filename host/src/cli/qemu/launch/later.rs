//! Something that is there later, or never.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Gives it. Dropped before, those who wait learn that there will be none.
pub(super) struct Giver<T>(Arc<Shared<T>>);

/// Waits for it.
pub(super) struct Later<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

enum State<T> {
    Awaited,
    There(T),
    Never,
}

pub(super) fn later<T>() -> (Giver<T>, Later<T>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::Awaited), changed: Condvar::new() });
    (Giver(shared.clone()), Later(shared))
}

impl<T> Giver<T> {
    pub(super) fn give(self, value: T) {
        self.0.set(State::There(value));
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.set(State::Never);
    }
}

impl<T> Clone for Later<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Later<T> {
    /// Waits for it; none if there will be none.
    pub(super) fn wait(&self) -> Option<T> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let awaited = |state: &mut State<T>| matches!(state, State::Awaited);
        let state = self.0.changed.wait_while(state, awaited);
        match &*state.unwrap_or_else(PoisonError::into_inner) {
            State::There(value) => Some(value.clone()),
            State::Awaited | State::Never => None,
        }
    }
}

impl<T> Shared<T> {
    /// What is there stays.
    fn set(&self, new: State<T>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Awaited) {
            *state = new;
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::later;

    #[test]
    fn those_who_wait_get_it_or_learn_that_there_is_none() {
        let (giver, wanted) = later();
        let waiting = std::thread::spawn({
            let wanted = wanted.clone();
            move || wanted.wait()
        });
        giver.give(7);
        assert_eq!((waiting.join().unwrap(), wanted.wait()), (Some(7), Some(7)));
        let (giver, wanted) = later::<i32>();
        drop(giver);
        assert_eq!(wanted.wait(), None);
    }
}
