//! Standard input and output, in a process of their own.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use rustix::event::PollFlags;

use super::*;
use crate::chardev::wait::look;

const INNER: &str = "chardev::tests::stdio::in_a_process_of_its_own";

#[test]
fn the_end_of_standard_input_is_not_the_end_of_the_output() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([INNER, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut expect = |wanted: &str| {
        assert!(lines.any(|line| line.unwrap().ends_with(wanted)), "no {wanted:?}");
    };
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"hello\n").unwrap();
    expect("hello");
    drop(input);
    expect("after the end");
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "another test runs it with other standard input and output"]
fn in_a_process_of_its_own() {
    let stdio = Backend::Stdio { signal: true };
    let chardev = open(stdio.clone()).unwrap();
    assert_eq!(chardev.filename(), "stdio");
    // As QEMU 7.2 says it.
    let said = refused(open(stdio.clone()));
    assert!(said.ends_with("cannot use stdio by multiple character devices"), "{said}");
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    wait_until("the end of the input", || {
        look(std::io::stdin(), PollFlags::IN).contains(PollFlags::HUP)
    });
    chardev.output().write_all(b"after the end\n").unwrap();
    assert_eq!(next(&seen), Seen::Begin);
    assert!(seen.try_recv().is_err());
    drop(chardev);
    assert_eq!(next(&seen), Seen::End);
    open(stdio).unwrap();
}
