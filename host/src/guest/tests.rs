//! A guest's life, without processors: what it tells, and what it lets happen.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use vm_memory::GuestMemoryMmap;

use super::*;
use crate::component::{Engine, Request, WakeupReason};
use crate::library::Library;
use crate::machine::PowerEvent;
use crate::machine::file::{MachineTypes, Parameters};
use crate::migrate::{Arrived, RunStateName};
use crate::vm::{self, CpuState, ProcessorState, Roms, VmState};

/// Processors that only count.
struct Counting {
    machine: Arc<Machine>,
    blocks: Arc<Blocks>,
    running: Arc<AtomicU32>,
    /// All that the processors hold.
    clock: AtomicU64,
}

impl Processors for Counting {
    fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    fn firmware_len(&self) -> u64 {
        0
    }

    fn threads(&self) -> Vec<u32> {
        Vec::new()
    }

    fn start(&self) {
        assert_eq!(self.running.swap(1, Ordering::Relaxed), 0, "they run already");
    }

    fn stop(&self) {
        self.running.store(0, Ordering::Relaxed);
    }

    fn suspend(&self) {
        self.stop();
    }

    fn still(&self, action: &mut dyn FnMut(&Machine)) {
        assert_eq!(self.running.load(Ordering::Relaxed), 0, "they do not stand still");
        action(&self.machine);
    }

    fn state_of(&self, _cpu: usize) -> Result<Option<CpuState>, Error> {
        Ok(None)
    }

    fn reset(&self) -> Result<(), Error> {
        assert_eq!(self.running.load(Ordering::Relaxed), 0, "they do not stand still");
        Ok(())
    }

    fn end(&self) {}

    fn exits(&self) -> u64 {
        0
    }

    fn save(&self) -> Result<Option<VmState>, Error> {
        assert_eq!(self.running.load(Ordering::Relaxed), 0, "they do not stand still");
        Ok(Some(processors(self.clock.load(Ordering::Relaxed))))
    }

    fn load(&self, state: &VmState) -> Result<(), Error> {
        match state.processors.len() {
            0 => self.clock.store(state.clock, Ordering::Relaxed),
            found => return Err(vm::Error::OtherCpuCount { found, count: 0 }.into()),
        }
        Ok(())
    }
}

/// The state of no processors, which can be told from others.
const fn processors(clock: u64) -> VmState {
    VmState { processors: Vec::new(), chips: None, messages: Vec::new(), clock }
}

/// A guest, what it has told, and whether its processors run.
struct Rig {
    guest: Arc<Guest>,
    told: Arc<Mutex<Vec<Event>>>,
    running: Arc<AtomicU32>,
    power: crate::machine::PowerListener,
    thread: Option<thread::JoinHandle<Outcome>>,
}

impl Rig {
    fn new(policy: Policy) -> Self {
        let library = Library::new(Engine::new(None).unwrap());
        let types = MachineTypes::builtin().unwrap();
        let parameters = Parameters::new(1, 16 << 20);
        let plan = Plan::new(types.get("pc").unwrap(), &[], &library, parameters).unwrap();
        let running = Arc::<AtomicU32>::default();
        let counted = running.clone();
        let mut power = None;
        let (guest, inbox) = Guest::with(policy, |post| {
            power = Some(post.power(None));
            let machine = Machine::build_alone(&plan)?;
            let roms = Roms::new(None)?;
            let blocks = Arc::new(Blocks::new(&GuestMemoryMmap::new(), &roms));
            Ok::<_, Error>(Counting { machine, blocks, running: counted, clock: AtomicU64::new(5) })
        })
        .unwrap();
        let told = Arc::<Mutex<Vec<Event>>>::default();
        let noted = told.clone();
        guest.listen(Arc::new(move |event| noted.lock().unwrap().push(event)));
        let runner = guest.clone();
        let thread = Some(thread::spawn(move || runner.run(inbox)));
        guest.settle();
        Self { guest, told, running, power: power.unwrap(), thread }
    }

    /// Has a device ask, and returns what is told then.
    fn ask(&self, request: Request) -> Vec<Event> {
        (self.power)(PowerEvent::Asked(request));
        self.told()
    }

    fn told(&self) -> Vec<Event> {
        self.guest.settle();
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    fn runs(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 1
    }

    fn outcome(&mut self) -> Outcome {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.guest.quit(Cause::Quit);
    }
}

/// What QEMU 7.2 says to the same commands.
#[test]
fn states_and_events_are_qemus() {
    let rig = Rig::new(Policy { stays_when_off: true, ..Policy::default() });
    let is = |state, events: &[Event]| {
        assert_eq!(rig.told(), events);
        assert_eq!(rig.guest.state(), state);
        assert_eq!(rig.runs(), state == RunState::Running, "{state:?}");
    };
    is(RunState::Running, &[Event::Resume]);
    rig.guest.reset().unwrap();
    is(RunState::Running, &[Event::Reset(Cause::Asked)]);
    rig.guest.pause();
    rig.guest.pause();
    is(RunState::Paused, &[Event::Stop]);
    rig.guest.reset().unwrap();
    is(RunState::Prelaunch, &[Event::Reset(Cause::Asked)]);
    rig.guest.resume().unwrap();
    rig.guest.resume().unwrap();
    is(RunState::Running, &[Event::Resume]);
    assert_eq!(rig.guest.wake(), Err(Refused::NotSuspended));

    assert_eq!(rig.ask(Request::Suspend), [Event::Suspend]);
    rig.guest.pause();
    rig.guest.resume().unwrap();
    is(RunState::Suspended, &[]);
    rig.guest.wake().unwrap();
    is(RunState::Running, &[Event::Wakeup]);
    (rig.power)(PowerEvent::Wake(WakeupReason::Rtc));
    is(RunState::Running, &[]);

    rig.guest.press_power_button();
    is(RunState::Running, &[Event::PowerDown]);
    assert_eq!(rig.ask(Request::Reset), [Event::Reset(Cause::GuestReset)]);
    let off = [Event::SuspendDisk, Event::Shutdown(Cause::GuestShutdown), Event::Stop];
    assert_eq!(rig.ask(Request::SuspendToDisk), off);
    assert_eq!(rig.guest.resume(), Err(Refused::NeedsReset));
    is(RunState::Shutdown, &[]);
    rig.guest.reset().unwrap();
    is(RunState::Prelaunch, &[Event::Reset(Cause::Asked)]);
    rig.guest.resume().unwrap();
    is(RunState::Running, &[Event::Resume]);
}

#[test]
fn a_guest_that_switches_itself_off_ends() {
    let mut rig = Rig::new(Policy::default());
    rig.told();
    assert_eq!(rig.ask(Request::Shutdown), [Event::Shutdown(Cause::GuestShutdown)]);
    assert_eq!(rig.outcome(), Outcome::Shutdown);
    assert!(!rig.guest.settle(), "it has ended");
}

#[test]
fn a_reset_can_count_as_the_end() {
    let policy = Policy { reset_is_shutdown: true, ..Policy::default() };
    let mut rig = Rig::new(policy);
    rig.told();
    assert_eq!(rig.ask(Request::Reset), [Event::Shutdown(Cause::GuestReset)]);
    assert_eq!(rig.outcome(), Outcome::Shutdown);
    let rig = Rig::new(Policy { stays_when_off: true, ..policy });
    rig.told();
    rig.guest.reset().unwrap();
    assert_eq!(rig.told(), [Event::Shutdown(Cause::Asked), Event::Stop]);
    assert_eq!(rig.guest.state(), RunState::Shutdown);
}

#[test]
fn an_end_from_outside_is_told() {
    let mut rig = Rig::new(Policy { start: Start::Paused, ..Policy::default() });
    assert_eq!((rig.guest.state(), &rig.told()[..]), (RunState::Prelaunch, &[][..]));
    rig.guest.quit(Cause::Signal);
    assert_eq!(rig.told(), [Event::Shutdown(Cause::Signal)]);
    assert_eq!(rig.outcome(), Outcome::Quit);
}

#[test]
fn to_those_outside_nothing_happens_while_it_is_held_still() {
    let rig = Rig::new(Policy::default());
    rig.told();
    let running = rig.running.clone();
    let ran = rig.guest.still(|_| running.load(Ordering::Relaxed));
    assert_eq!((ran, rig.runs(), rig.told()), (Some(0), true, vec![]));
}

fn arrived(run_state: Option<RunState>) -> Arrived {
    Arrived { run_state: run_state.map(RunStateName::from), ..Arrived::default() }
}

#[test]
fn a_state_that_arrives_says_whether_the_guest_runs() {
    for (start, saved, expected) in [
        (Start::Incoming, None, RunState::Running),
        (Start::Incoming, Some(RunState::Running), RunState::Running),
        (Start::Incoming, Some(RunState::Paused), RunState::Paused),
        (Start::IncomingPaused, Some(RunState::Running), RunState::Paused),
        (Start::IncomingPaused, Some(RunState::Shutdown), RunState::Shutdown),
    ] {
        let rig = Rig::new(Policy { start, ..Policy::default() });
        assert_eq!(rig.guest.state(), RunState::InMigrate);
        rig.guest.arrived(&arrived(saved)).unwrap();
        assert_eq!((rig.guest.state(), rig.runs()), (expected, expected == RunState::Running));
        assert_eq!(rig.guest.arrived(&arrived(saved)), Err(Refused::NotIncoming(expected)));
    }
}

#[test]
fn who_waits_for_a_state_can_change_its_mind_about_running() {
    let rig = Rig::new(Policy { start: Start::Incoming, ..Policy::default() });
    rig.guest.pause();
    rig.guest.arrived(&arrived(None)).unwrap();
    assert_eq!(rig.guest.state(), RunState::Paused);
    let rig = Rig::new(Policy { start: Start::IncomingPaused, ..Policy::default() });
    rig.guest.resume().unwrap();
    rig.guest.arrived(&arrived(None)).unwrap();
    assert_eq!(rig.guest.state(), RunState::Running);
}

#[test]
fn a_guest_that_did_not_arrive_goes_on() {
    let rig = Rig::new(Policy::default());
    rig.told();
    let leaving = rig.guest.hand_over().unwrap();
    assert_eq!(leaving.stopped().run_state, RunStateName::RUNNING);
    assert_eq!((rig.guest.state(), rig.runs()), (RunState::FinishMigrate, false));
    assert_eq!(rig.guest.resume(), Err(Refused::Migrating));
    assert!(rig.guest.hand_over().is_err());
    drop(leaving);
    assert_eq!(
        (rig.guest.state(), rig.told()),
        (RunState::Running, vec![Event::Stop, Event::Resume])
    );
    rig.guest.hand_over().unwrap().finish();
    assert_eq!((rig.guest.state(), rig.told()), (RunState::PostMigrate, vec![Event::Stop]));
}

#[test]
fn what_processors_hold_goes_along() {
    let rig = Rig::new(Policy::default());
    rig.guest.resume().unwrap();
    let stopped = rig.guest.hand_over().unwrap().stopped();
    assert_eq!(stopped.run_state, RunStateName::RUNNING);
    assert_eq!(stopped.processors, Some(processors(5)));

    let rig = Rig::new(Policy { start: Start::Incoming, ..Policy::default() });
    let state = Arrived { processors: Some(processors(9)), ..Arrived::default() };
    rig.guest.arrived(&state).unwrap();
    assert_eq!(rig.guest.hand_over().unwrap().stopped().processors, Some(processors(9)));
}

#[test]
fn processors_that_refuse_their_state_do_not_run() {
    let rig = Rig::new(Policy { start: Start::Incoming, ..Policy::default() });
    let one = ProcessorState::default();
    let state = VmState { processors: vec![one], ..processors(9) };
    let state = Arrived { processors: Some(state), ..Arrived::default() };
    let refused = rig.guest.arrived(&state).unwrap_err().to_string();
    assert_eq!(refused, "the state is of 1 processors, the machine has 0");
    assert_eq!((rig.guest.state(), rig.told()), (RunState::InMigrate, vec![]));
}
