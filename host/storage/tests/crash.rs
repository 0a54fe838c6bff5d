//! What was acknowledged is there, whatever happened to the process or the disk.
//!
//! The program runs itself again as the process that something happens to, and so
//! has a `main` of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use storage::{
    Callbacks, Drive, Failure, Image, ImageOptions, OnWriteError, Policy, Request, Setup,
};
use tempfile::tempdir;
use vm_memory::{GuestAddress, GuestMemoryMmap};

const SECTORS: u64 = 64;
const NAME: &str = "disk.img";

/// Longer than a sector, so that limits lie within a write.
const CHUNK: u64 = 1536;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "write-forever", place] => write_forever(Path::new(place)),
        [_, "write-beyond", place] => write_beyond(Path::new(place)),
        [_, "fill", place] => fill(Path::new(place)),
        _ => {
            let checks: [(&str, fn()); 3] = [
                ("a killed process has lost nothing that was flushed", killed),
                ("a limit on the file's size loses nothing", limited),
                ("a full disk holds requests and loses nothing", full),
            ];
            for (name, check) in checks {
                check();
                println!("{name} ... ok");
            }
        }
    }
}

type Outcome = (u32, Result<Vec<u8>, Failure>);

fn open(place: &Path) -> Image {
    let directory = Dir::open_ambient_dir(place, ambient_authority()).unwrap();
    Image::open(&directory, NAME, &ImageOptions::default()).unwrap()
}

fn drive(image: Image, write: OnWriteError) -> (Drive, mpsc::Receiver<Outcome>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let drive = Drive::new(Setup {
        name: "disk".to_owned(),
        policy: Policy { write, ..Policy::default() },
        medium: Some(image.into_medium()),
        memory: Arc::new(GuestMemoryMmap::from_ranges(&[(GuestAddress(0), 0x1000)]).unwrap()),
        callbacks: Callbacks {
            completed: Box::new(move |tag, outcome| {
                // Nobody listens at the very end.
                let _ = sender.lock().unwrap().send((tag, outcome));
            }),
            failed: Box::new(|_| {}),
        },
    });
    (drive, receiver)
}

/// Round n writes n to a sector; which, is a matter of n.
const fn sector(round: u64) -> u64 {
    round * 7 % SECTORS
}

/// Writes and flushes until it is killed, and says which round was flushed.
fn write_forever(place: &Path) {
    let (drive, ended) = drive(open(place), OnWriteError::Report);
    for round in 1_u64.. {
        let data = round.to_le_bytes().repeat(64);
        drive.submit(0, Request::Write { offset: sector(round) * 512, data }).unwrap();
        if round % 5 == 0 {
            drive.submit(round as u32, Request::Flush).unwrap();
            let flushed = ended.iter().find(|(tag, _)| *tag != 0).unwrap();
            assert!(flushed.1.is_ok());
            println!("{}", flushed.0);
        }
    }
}

fn killed() {
    let place = tempdir().unwrap();
    File::create(place.path().join(NAME)).unwrap().set_len(SECTORS * 512).unwrap();
    let mut most = 0;
    for attempt in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["write-forever".as_ref(), place.path()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        // Now and then at another point of the round.
        std::thread::sleep(Duration::from_micros(attempt * 1733));
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may not be whole.
        let numbers = lines.map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok());
        let numbers: Vec<u64> = numbers.collect();
        let last = match &numbers[..] {
            [] => first.parse().unwrap(),
            [.., before, last] if last <= before => *before,
            [.., last] => *last,
        };
        most = most.max(last);
        // The dead hold no lock.
        drop(open(place.path()));
        let bytes = fs::read(place.path().join(NAME)).unwrap();
        for sector_number in 0..SECTORS {
            let start = sector_number as usize * 512;
            let words: Vec<u64> = bytes[start..start + 512]
                .chunks(8)
                .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
                .collect();
            assert!(words.iter().all(|word| *word == words[0]), "sector {sector_number} is torn");
            let rounds = (1..=last).rev();
            let expected =
                rounds.take(SECTORS as usize).find(|round| sector(*round) == sector_number);
            let expected = expected.unwrap_or(0);
            assert!(
                words[0] >= expected,
                "round {last} was flushed, but sector {sector_number} has {}, not {expected}",
                words[0]
            );
        }
        // The next process starts from nothing again.
        fs::write(place.path().join(NAME), vec![0; SECTORS as usize * 512]).unwrap();
    }
    assert!(most >= 5);
}

fn chunk(number: u64) -> Request {
    let data = vec![number as u8 + 1; CHUNK as usize];
    Request::Write { offset: number * CHUNK, data }
}

/// Says of each chunk what became of it.
fn write_beyond(place: &Path) {
    let (drive, ended) = drive(open(place), OnWriteError::Enospc);
    for number in 0..20 {
        drive.submit(number as u32, chunk(number)).unwrap();
    }
    drive.submit(u32::MAX, Request::Flush).unwrap();
    for (tag, outcome) in ended.iter().take(21) {
        let outcome = if outcome.is_ok() { "ok" } else { "failed" };
        println!("{tag} {outcome}");
    }
    std::io::stdout().flush().unwrap();
}

fn limited() {
    let place = tempdir().unwrap();
    File::create(place.path().join(NAME)).unwrap().set_len(20 * CHUNK).unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 20; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["write-beyond".as_ref(), place.path()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let bytes = fs::read(place.path().join(NAME)).unwrap();
    let mut counts = (0, 0);
    for line in said.lines() {
        let (tag, outcome) = line.split_once(' ').unwrap();
        let number: u32 = tag.parse().unwrap();
        if number == u32::MAX {
            assert_eq!(outcome, "ok");
        } else if outcome == "ok" {
            let start = number as usize * CHUNK as usize;
            assert!(bytes[start..][..CHUNK as usize].iter().all(|byte| *byte == number as u8 + 1));
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }
    assert!(counts.0 > 0 && counts.1 > 0 && counts.0 + counts.1 == 20, "{said}");
}

/// Writes more than there is room for, makes room, and goes on.
fn fill(place: &Path) {
    let ballast = place.join("ballast");
    fs::write(&ballast, vec![1; 40 << 10]).unwrap();
    File::create(place.join(NAME)).unwrap().set_len(30 * CHUNK).unwrap();
    let (drive, ended) = drive(open(place), OnWriteError::Enospc);
    for number in 0..30 {
        drive.submit(number as u32, chunk(number)).unwrap();
    }
    drive.submit(30, Request::Flush).unwrap();
    let held = drive.drain().expect("the disk is full");
    let acknowledged: Vec<Outcome> = ended.try_iter().collect();
    assert!(!acknowledged.is_empty());
    assert_eq!(acknowledged.len() + held.waiting, 31);
    let check = |count: usize| {
        let bytes = fs::read(place.join(NAME)).unwrap();
        for number in 0..count {
            let chunk = &bytes[number * CHUNK as usize..][..CHUNK as usize];
            assert!(chunk.iter().all(|byte| *byte == number as u8 + 1));
        }
    };
    check(acknowledged.len());
    drive.resume();
    assert_eq!(drive.drain(), Some(held));
    fs::remove_file(ballast).unwrap();
    drive.resume();
    assert_eq!(drive.drain(), None);
    let rest: Vec<Outcome> = ended.try_iter().collect();
    assert!(rest.iter().all(|(_, outcome)| outcome.is_ok()));
    assert_eq!(rest.len(), held.waiting);
    check(30);
}

fn full() {
    let place = tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=64k none \"$1\"";
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        command.arg(place.path()).arg(std::env::current_exe().unwrap());
        command.output()
    };
    if !in_namespace(mount).is_ok_and(|output| output.status.success()) {
        println!("no file system can be mounted here, so none is filled");
        return;
    }
    let output = in_namespace(&format!("{mount} && exec \"$2\" fill \"$1\"")).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
