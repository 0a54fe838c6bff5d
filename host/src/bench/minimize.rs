//! Makes a list of actions shorter while something stays true of it.

use std::time::{Duration, Instant};

use super::action::Action;

/// How long that may take. What is found until then is short already.
const PATIENCE: Duration = Duration::from_secs(20);

/// The shortest list that is found of which `fails` is true: delta debugging (Zeller
/// and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), then
/// simpler actions in place of others, until neither helps. `fails` must be true of
/// `actions`.
pub fn minimize(actions: Vec<Action>, fails: impl FnMut(&[Action]) -> bool) -> Vec<Action> {
    let mut search = Search { fails, end: Instant::now() + PATIENCE };
    let mut actions = actions;
    loop {
        let before = actions.len();
        actions = search.without_parts(actions);
        let simplified = search.with_simpler(&mut actions);
        if actions.len() == before && !simplified {
            return actions;
        }
    }
}

struct Search<F> {
    fails: F,
    end: Instant,
}

impl<F: FnMut(&[Action]) -> bool> Search<F> {
    fn fails(&mut self, actions: &[Action]) -> bool {
        Instant::now() < self.end && (self.fails)(actions)
    }

    /// Leaves out ever smaller parts, the later ones first: what comes after the
    /// failure is the easiest to go.
    fn without_parts(&mut self, mut actions: Vec<Action>) -> Vec<Action> {
        let mut part = actions.len();
        while part != 0 {
            let mut end = actions.len();
            while end != 0 {
                let start = end.saturating_sub(part);
                let mut fewer = actions.clone();
                fewer.drain(start..end);
                if self.fails(&fewer) {
                    actions = fewer;
                }
                end = start;
            }
            part = if part > actions.len() { actions.len() } else { part / 2 };
        }
        actions
    }

    /// Puts simpler actions in place of others; returns whether any did.
    fn with_simpler(&mut self, actions: &mut [Action]) -> bool {
        let mut simplified = false;
        for at in 0..actions.len() {
            while let Some(simpler) = self.simpler(actions, at) {
                actions[at] = simpler;
                simplified = true;
            }
        }
        simplified
    }

    fn simpler(&mut self, actions: &[Action], at: usize) -> Option<Action> {
        let mut tried = actions.to_vec();
        actions[at].simpler().into_iter().find(|simpler| {
            tried[at] = simpler.clone();
            self.fails(&tried)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: u64, value: u64) -> Action {
        Action::Write { region: 0, offset, size: 4, value }
    }

    #[test]
    fn what_matters_is_left() {
        // Two writes matter, in this order, and of one of them that it has bit 8 set.
        let value = |at: u64| at << 12 | 0x1ff;
        let all = (0..500).map(|at| write(at, value(at))).collect();
        let written = |action: &Action| match *action {
            Action::Write { offset, value, .. } => (offset, value),
            _ => unreachable!("there are writes only"),
        };
        let fails = |actions: &[Action]| {
            let mut writes = actions.iter().map(written);
            let second = |(offset, value): (u64, u64)| offset == 401 && value & 0x100 != 0;
            writes.by_ref().any(|(offset, _)| offset == 77) && writes.any(second)
        };
        let least = minimize(all, fails);
        let [
            Action::Write { offset: 77, value: 0, .. },
            Action::Write { offset: 401, value: left, .. },
        ] = least[..]
        else {
            panic!("{} are left: {least:?}", least.len());
        };
        assert!(left < value(401) && left & 0x100 != 0);
    }

    #[test]
    fn nothing_is_left_if_nothing_matters() {
        assert!(minimize(vec![write(0, 1); 3], |_| true).is_empty());
        assert!(minimize(Vec::new(), |_| true).is_empty());
    }
}
