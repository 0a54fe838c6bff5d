//! The run state of a machine, and how its vCPU threads follow it.

use std::sync::{Arc, Condvar, Mutex};

use super::kick::Threads;
use super::sync::{lock, wait};
use super::vcpu::Vcpu;

/// Something a parked vCPU thread is to do with its vCPU.
pub(super) type Work = Box<dyn FnOnce(&mut Vcpu) + Send>;

/// What a parked vCPU thread does next.
pub(super) enum Turn {
    /// Run the guest.
    Run,
    /// Do this, and ask again.
    Work(Work),
    /// End.
    Stop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Paused,
    Running,
    Stopped,
}

/// What one vCPU thread is doing, as far as the others need to know.
#[derive(Default)]
struct Seat {
    /// It waits here, outside the guest and outside any door call, or it has
    /// ended.
    parked: bool,
    /// It has ended, and takes no more work.
    ended: bool,
    work: Option<Work>,
}

struct State {
    phase: Phase,
    /// How many there are who hold the processors.
    holds: usize,
    seats: Vec<Seat>,
}

/// The run state, and where vCPU threads park.
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
    threads: Arc<Threads>,
}

impl Control {
    /// A paused machine with `cpus` processors.
    pub(super) fn new(cpus: usize, threads: Arc<Threads>) -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Paused,
                holds: 0,
                seats: (0..cpus).map(|_| Seat::default()).collect(),
            }),
            changed: Condvar::new(),
            threads,
        }
    }

    /// Called by the thread of `cpu` when a kick has interrupted it or it has
    /// nothing to run (`idle`): parks it until it has a turn.
    pub(super) fn next_turn(&self, cpu: usize, idle: bool) -> Turn {
        let mut state = lock(&self.state);
        loop {
            let (phase, held) = (state.phase, state.holds != 0);
            let seat = &mut state.seats[cpu];
            let turn = match (phase, seat.work.take()) {
                (Phase::Stopped, _) => Some(Turn::Stop),
                (_, Some(work)) => Some(Turn::Work(work)),
                (Phase::Running, None) if !idle && !held => Some(Turn::Run),
                _ => None,
            };
            seat.parked = turn.is_none();
            match turn {
                Some(turn) => return turn,
                None => {
                    self.changed.notify_all();
                    state = wait(&self.changed, state);
                }
            }
        }
    }

    /// Called when the thread of `cpu` ends, so that nobody waits for it.
    pub(super) fn leave(&self, cpu: usize) {
        let mut state = lock(&self.state);
        let seat = &mut state.seats[cpu];
        seat.parked = true;
        seat.ended = true;
        // Dropped, its channel tells who waits for it that nobody will do it.
        seat.work = None;
        self.changed.notify_all();
    }

    /// Lets the vCPUs run. No effect on a stopped machine.
    pub(super) fn resume(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Paused {
            state.phase = Phase::Running;
            self.changed.notify_all();
        }
    }

    /// Parks every vCPU, and returns when all are.
    pub(super) fn pause(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Running {
            state.phase = Phase::Paused;
            self.threads.kick(state.unparked());
        }
        while state.unparked().next().is_some() {
            state = wait(&self.changed, state);
        }
    }

    /// Keeps the vCPUs from running on, whatever the phase, without waiting for them.
    pub(super) fn hold(&self) {
        let mut state = lock(&self.state);
        state.holds += 1;
        self.threads.kick(state.unparked());
    }

    /// Takes back one [`hold`](Self::hold).
    pub(super) fn release(&self) {
        let mut state = lock(&self.state);
        state.holds -= 1;
        self.changed.notify_all();
    }

    /// Ends every vCPU thread, without waiting for it.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Stopped;
        self.changed.notify_all();
        self.threads.kick(state.unparked());
    }

    /// Whether the vCPUs run.
    pub(super) fn is_running(&self) -> bool {
        lock(&self.state).phase == Phase::Running
    }

    /// Has the parked thread of `cpu` do `work`. If the machine is not paused,
    /// or the thread has ended, the work is dropped instead.
    pub(super) fn give_work(&self, cpu: usize, work: Work) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Paused && !state.seats[cpu].ended {
            state.seats[cpu].work = Some(work);
            self.changed.notify_all();
        }
    }
}

impl State {
    fn unparked(&self) -> impl Iterator<Item = usize> {
        self.seats.iter().enumerate().filter(|(_, seat)| !seat.parked).map(|(cpu, _)| cpu)
    }
}
