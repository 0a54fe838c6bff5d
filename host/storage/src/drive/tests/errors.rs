//! Policies, and requests that are held.

use super::*;

fn report(operation: Operation, action: Action, no_space: bool) -> ErrorReport {
    let reason = if no_space { "No space left on device" } else { "Input/output error" };
    let (drive, reason) = ("ide0-hd0".to_owned(), reason.to_owned());
    ErrorReport { drive, operation, action, no_space, can_stop: true, reason }
}

#[test]
fn errors_are_reported_by_default() {
    let rig = Rig::plain();
    rig.faults.fail(Operation::Read, 0, 1, Fault::Io);
    rig.faults.fail(Operation::Write, 0, 1, Fault::Io);
    rig.faults.fail(Operation::Flush, 0, 1, Fault::Io);
    rig.submit(1, read(0, 512));
    rig.submit(2, write(0, 1));
    rig.submit(3, Request::Flush);
    rig.submit(4, Request::Flush);
    let failed = |tag| (tag, Err(Failure::Io));
    assert_eq!(rig.ended(), [failed(1), failed(2), failed(3), (4, Ok(Vec::new()))]);
    let reported = |operation| report(operation, Action::Report, false);
    let operations = [Operation::Read, Operation::Write, Operation::Flush];
    assert_eq!(rig.reports(), operations.map(reported));
}

#[test]
fn a_full_disk_can_be_reported() {
    let policy = Policy { write: OnWriteError::Report, ..Policy::default() };
    let rig = Rig::new(policy, Cache::Writeback);
    rig.faults.room(Some(100));
    rig.submit(1, write(0, 1));
    assert_eq!(rig.ended(), [(1, Err(Failure::NoSpace))]);
    let expected = report(Operation::Write, Action::Report, true);
    assert_eq!(rig.reports(), [ErrorReport { can_stop: false, ..expected }]);
}

#[test]
fn errors_can_be_ignored() {
    let policy = Policy { read: OnReadError::Ignore, write: OnWriteError::Ignore };
    let rig = Rig::new(policy, Cache::Writeback);
    rig.faults.vanish(true);
    rig.submit(1, read(0, 1024));
    rig.submit(2, write(0, 1));
    rig.submit(3, Request::Flush);
    let ok = |tag| (tag, Ok(Vec::new()));
    assert_eq!(rig.ended(), [(1, Ok(vec![0; 1024])), ok(2), ok(3)]);
    assert!(rig.reports().iter().all(|report| report.action == Action::Ignore));
}

#[test]
fn a_full_disk_holds_the_request_until_there_is_room() {
    let rig = Rig::plain();
    rig.faults.room(Some(700));
    rig.submit(1, write(0, 1));
    rig.submit(2, write(512, 2));
    rig.submit(3, Request::Flush);
    assert_eq!(rig.drive.drain(), Some(Held { waiting: 2 }));
    assert_eq!(rig.ended(), [(1, Ok(Vec::new()))]);
    assert_eq!(rig.reports(), [report(Operation::Write, Action::Stop, true)]);
    // It is still full.
    rig.drive.resume();
    assert_eq!(rig.drive.drain(), Some(Held { waiting: 2 }));
    assert_eq!(rig.reports().len(), 1);
    rig.faults.room(None);
    rig.submit(4, read(512, 512));
    assert_eq!(rig.drive.held(), Some(Held { waiting: 3 }));
    rig.drive.resume();
    assert_eq!(rig.drive.drain(), None);
    let ok = |tag| (tag, Ok(Vec::new()));
    assert_eq!(rig.ended(), [ok(2), ok(3), (4, Ok(vec![2; 512]))]);
    assert_eq!(rig.reports(), []);
    assert_eq!(rig.view.flushed()[512..1024], [2; 512]);
}

#[test]
fn reads_are_held_if_the_operator_wants_so() {
    let policy = Policy { read: OnReadError::Stop, ..Policy::default() };
    let rig = Rig::new(policy, Cache::Writeback);
    rig.faults.fail(Operation::Read, 0, 1, Fault::Io);
    let pieces = vec![Piece { address: 0, length: 512 }];
    rig.submit(1, Request::ToMemory { offset: 0, pieces });
    assert_eq!(rig.drive.drain(), Some(Held { waiting: 1 }));
    assert_eq!(rig.reports(), [report(Operation::Read, Action::Stop, false)]);
    rig.drive.resume();
    assert_eq!(rig.ended(), [(1, Ok(Vec::new()))]);
}

#[test]
fn what_is_held_can_be_failed_or_taken_away() {
    let held = || {
        let rig = Rig::plain();
        rig.faults.room(Some(0));
        rig.submit(1, write(0, 1));
        rig.submit(2, read(0, 512));
        assert_eq!(rig.drive.drain(), Some(Held { waiting: 2 }));
        rig
    };
    let rig = held();
    rig.drive.fail_held();
    rig.submit(3, read(0, 512));
    let failed = |tag| (tag, Err(Failure::Io));
    assert_eq!(rig.ended(), [failed(1), failed(2), (3, Ok(vec![0x11; 512]))]);
    let rig = held();
    assert_eq!(rig.drive.take_held(), [(1, write(0, 1)), (2, read(0, 512))]);
    assert_eq!(rig.drive.drain(), None);
    assert_eq!(rig.ended(), []);
    rig.submit(3, read(0, 512));
    assert_eq!(rig.ended(), [(3, Ok(vec![0x11; 512]))]);
    assert_eq!(rig.drive.take_held(), []);
}
