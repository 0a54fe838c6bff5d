//! Files, pipes, pseudo-terminals, and nothing.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::*;

fn file(path: &Path, append: bool, input: Option<&Path>) -> Result<Arc<Chardev>, Error> {
    open(Backend::File { path: path.into(), append, input: input.map(Into::into) })
}

#[test]
fn a_file_is_written() {
    let (_directory, path) = place();
    fs::write(&path, "something longer").unwrap();
    file(&path, false, None).unwrap().output().write_all(b"one").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    file(&path, true, None).unwrap().output().write_all(b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"onetwo");
    let said = refused(file(&path.join("no"), false, None));
    assert!(said.starts_with("character device test: cannot write /"), "{said}");
    let said = refused(file(&path, true, Some(&path.join("no"))));
    assert!(said.starts_with("character device test: cannot read /"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), b"onetwo");
}

#[test]
fn the_end_of_the_input_is_not_the_end_of_the_output() {
    let (directory, path) = place();
    let input = directory.path().join("input");
    fs::write(&input, "a file to read").unwrap();
    let chardev = file(&path, false, Some(&input)).unwrap();
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    let written = || fs::read_to_string(&path).unwrap();
    wait_until("the echo", || written() == "a file to read");
    assert_eq!(next(&seen), Seen::Begin);
    chardev.output().write_all(b" and more").unwrap();
    assert_eq!(written(), "a file to read and more");
    assert!(seen.try_recv().is_err());
    chardev.close();
    assert_eq!(next(&seen), Seen::End);
    // Nobody is connected any more, and nobody minds.
    chardev.output().write_all(b" and nothing").unwrap();
    assert_eq!(written(), "a file to read and more");
}

#[test]
fn a_full_device_is_said_once_and_changes_nothing() {
    let chardev = file("/dev/full".as_ref(), false, None).unwrap();
    let (front_end, lent, _give_back) = lending();
    chardev.attach(front_end).unwrap();
    let (_reader, mut writer) = next(&lent).split();
    let error = writer.write_all(b"x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(writer.write_all(b"x").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    chardev.output().write_all(b"x").unwrap();
}

#[test]
fn closing_frees_whoever_waits_for_a_reader() {
    let (_directory, path) = place();
    make_pipe(&path);
    let flags = OFlags::NONBLOCK.bits() as i32;
    let _silent = OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap();
    let chardev = file(&path, false, None).unwrap();
    let (front_end, lent, _give_back) = lending();
    chardev.attach(front_end).unwrap();
    let (_reader, mut writer) = next(&lent).split();
    let (told, written) = channel();
    thread::spawn(move || {
        while writer.write_all(&[0x55; 1000]).is_ok() {
            told.send(true).ok();
        }
        told.send(false).ok();
    });
    // A pipe takes 64 KiB (pipe(7)).
    (0..50).for_each(|_| assert!(next(&written)));
    chardev.close();
    wait_until("its end", || !next(&written));
}

#[test]
fn null_swallows_and_says_nothing() {
    let chardev = open(Backend::Null).unwrap();
    let (front_end, lent, _give_back) = lending();
    chardev.attach(front_end).unwrap();
    let (mut reader, mut writer) = next(&lent).split();
    writer.write_all(&vec![0; 1 << 20]).unwrap();
    let (told, read) = channel();
    thread::spawn(move || told.send(reader.read(&mut [0]).unwrap()));
    assert!(read.try_recv().is_err());
    chardev.close();
    assert_eq!(next(&read), 0);
}

#[test]
fn pipes() {
    let (directory, path) = place();
    let said = refused(open(Backend::Pipe { path: path.clone() }));
    assert!(said.starts_with("character device test: cannot open /"), "{said}");
    let (from, to) = (directory.path().join("socket.in"), directory.path().join("socket.out"));
    make_pipe(&from);
    make_pipe(&to);
    let chardev = open(Backend::Pipe { path }).unwrap();
    assert_eq!(chardev.filename(), "pipe");
    let (front_end, _seen) = echo();
    chardev.attach(front_end).unwrap();
    // The end of one user is not the pipe's.
    for _ in 0..2 {
        let mut output = OpenOptions::new().write(true).open(&from).unwrap();
        let mut input = File::open(&to).unwrap();
        output.write_all(b"hello").unwrap();
        let mut back = [0; 5];
        input.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello");
    }
}

fn make_pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn pseudo_terminals() {
    let chardev = open(Backend::Pty).unwrap();
    let name = chardev.filename();
    let path = name.strip_prefix("pty:").unwrap();
    // Nobody is there to hear it.
    chardev.output().write_all(b"lost").unwrap();
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    for _ in 0..2 {
        let options = &mut OpenOptions::new();
        let flags = OFlags::NOCTTY.bits() as i32;
        let mut terminal = options.read(true).write(true).custom_flags(flags).open(path).unwrap();
        // As it is: no echo, no lines, no signals.
        terminal.write_all(b"a\rb\nc\x03d").unwrap();
        let mut back = [0; 7];
        terminal.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"a\rb\nc\x03d");
        drop(terminal);
        assert_eq!([next(&seen), next(&seen)], [Seen::Begin, Seen::End]);
    }
}
