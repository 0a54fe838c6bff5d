//! Random requests, faults and changes, against a model of a few lines.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Request(Request),
    /// The n-th of the following backend calls fails once.
    Fail(Operation, u64, Fault),
    Shorten(Option<u64>),
    Drain,
}

const RAM: u64 = 0x4000;

fn request() -> impl Strategy<Value = Request> {
    let offset = || (0_u64..SIZE as u64 / 512 + 1).prop_map(|sector| sector * 512);
    // Pairs of pieces that are whole sectors together.
    let pieces = || {
        vec((0..RAM + 0x800, 0..RAM + 0x800, 0_u32..=1024), 0..4).prop_map(|pairs| {
            let pair = |(first, second, length): (u64, u64, u32)| {
                let second_length = 1024 - length;
                [Piece { address: first, length }, Piece { address: second, length: second_length }]
            };
            pairs.into_iter().flat_map(pair).collect::<Vec<_>>()
        })
    };
    prop_oneof![
        (offset(), 0_u32..5).prop_map(|(offset, n)| read(offset, n * 512)),
        (offset(), 0_usize..5, any::<u8>())
            .prop_map(|(offset, n, value)| Request::Write { offset, data: vec![value; n * 512] }),
        (offset(), pieces()).prop_map(|(offset, pieces)| Request::ToMemory { offset, pieces }),
        (offset(), pieces()).prop_map(|(offset, pieces)| Request::FromMemory { offset, pieces }),
        Just(Request::Flush),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let operation =
        prop_oneof![Just(Operation::Read), Just(Operation::Write), Just(Operation::Flush)];
    let fault = prop_oneof![Just(Fault::Io), Just(Fault::NoSpace)];
    prop_oneof![
        8 => request().prop_map(Step::Request),
        1 => (operation, 0_u64..4, fault).prop_map(|(o, n, f)| Step::Fail(o, n, f)),
        1 => proptest::option::of(1_u64..3000).prop_map(Step::Shorten),
        1 => Just(Step::Drain),
    ]
}

/// What medium and memory hold, if nothing is lost.
struct Model {
    disk: Vec<u8>,
    flushed: Vec<u8>,
    ram: Vec<u8>,
}

impl Model {
    fn run(&mut self, request: &Request, cache: Cache) -> Result<Vec<u8>, Failure> {
        if !request.fits(SIZE as u64) {
            return Err(Failure::Io);
        }
        let (offset, length) = request.extent();
        let range = offset as usize..(offset + length) as usize;
        match request {
            Request::Read { .. } => return Ok(self.disk[range].to_vec()),
            Request::Write { data, .. } => self.disk[range].copy_from_slice(data),
            Request::ToMemory { pieces, .. } => {
                for (address, at) in addresses(pieces).zip(range) {
                    if let Some(byte) = self.ram.get_mut(address as usize) {
                        *byte = self.disk[at];
                    }
                }
            }
            Request::FromMemory { pieces, .. } => {
                for (address, at) in addresses(pieces).zip(range) {
                    self.disk[at] = self.ram.get(address as usize).copied().unwrap_or(0);
                }
            }
            Request::Flush if cache.ignores_flushes() => {}
            Request::Flush => self.flushed.clone_from(&self.disk),
        }
        if request.operation() == Operation::Write && cache.flushes_writes() {
            self.flushed.clone_from(&self.disk);
        }
        Ok(Vec::new())
    }
}

fn addresses(pieces: &[Piece]) -> impl Iterator<Item = u64> {
    pieces.iter().flat_map(|piece| piece.address..piece.address + u64::from(piece.length))
}

fn cache() -> impl Strategy<Value = Cache> {
    prop_oneof![Just(Cache::Writeback), Just(Cache::Writethrough), Just(Cache::Unsafe)]
}

proptest! {
    /// With policies that hold, faults cost time and nothing else.
    #[test]
    fn nothing_is_lost_and_nothing_is_out_of_order(
        steps in vec(step(), 1..40),
        cache in cache(),
    ) {
        let policy = Policy { read: OnReadError::Stop, write: OnWriteError::Stop };
        let rig = Rig::new(policy, cache);
        let ram: Vec<u8> = (0..RAM).map(|address| (address ^ address >> 8) as u8).collect();
        rig.memory.write_slice(&ram, GuestAddress(0)).unwrap();
        let mut model = Model { disk: vec![0x11; SIZE], flushed: vec![0x11; SIZE], ram };
        let mut expected = Vec::new();
        for (tag, step) in (0..).zip(&steps) {
            match step {
                Step::Request(request) => {
                    expected.push((tag, model.run(request, cache)));
                    rig.submit(tag, request.clone());
                }
                Step::Fail(operation, n, fault) => rig.faults.fail(*operation, *n, 1, *fault),
                Step::Shorten(most) => rig.faults.shorten(*most),
                Step::Drain => drop(rig.drive.drain()),
            }
        }
        while rig.drive.drain().is_some() {
            rig.drive.resume();
        }
        prop_assert_eq!(rig.ended(), expected);
        prop_assert_eq!(rig.view.now(), model.disk);
        let mut ram = vec![0; RAM as usize];
        rig.memory.read_slice(&mut ram, GuestAddress(0)).unwrap();
        prop_assert_eq!(ram, model.ram);
        // A flush that failed at first may have flushed more than it had to.
        if !steps.iter().any(|step| matches!(step, Step::Fail(..))) {
            prop_assert_eq!(rig.view.flushed(), model.flushed);
        }
    }

    /// Whatever the policy, each request ends once and in order, and what was
    /// flushed successfully is what reads found then.
    #[test]
    fn each_request_ends_once(
        steps in vec(step(), 1..40),
        read in prop_oneof![Just(OnReadError::Report), Just(OnReadError::Ignore)],
        write in prop_oneof![
            Just(OnWriteError::Report), Just(OnWriteError::Ignore), Just(OnWriteError::Enospc)
        ],
    ) {
        let rig = Rig::new(Policy { read, write }, Cache::Writeback);
        let mut expected = Vec::new();
        for (tag, step) in (0..).zip(&steps) {
            match step {
                Step::Request(request) => {
                    expected.push(tag);
                    rig.submit(tag, request.clone());
                }
                Step::Fail(operation, n, fault) => rig.faults.fail(*operation, *n, 1, *fault),
                Step::Shorten(most) => rig.faults.shorten(*most),
                Step::Drain => drop(rig.drive.drain()),
            }
        }
        rig.submit(u32::MAX, Request::Flush);
        expected.push(u32::MAX);
        while rig.drive.drain().is_some() {
            rig.drive.resume();
        }
        let ended = rig.ended();
        prop_assert_eq!(ended.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), expected);
        let reports = rig.reports();
        let failed = ended.iter().filter(|(_, outcome)| outcome.is_err()).count() as u64;
        let reported = reports.iter().filter(|it| it.action == Action::Report).count() as u64;
        let statistics = rig.drive.statistics();
        let invalid =
            statistics.read.invalid + statistics.write.invalid + statistics.flush.invalid;
        prop_assert_eq!(failed, reported + invalid);
        let last = ended.last().map(|(_, outcome)| outcome.is_ok());
        if last == Some(true) && reports.iter().all(|it| it.operation != Operation::Flush) {
            prop_assert_eq!(rig.view.flushed(), rig.view.now());
        }
    }
}
