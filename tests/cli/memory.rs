//! How much memory the program takes for a state of any size.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write};
use std::process::{Child, Stdio};
use std::thread;

use serde_json::json;
use vmstate::ram::{self, Block, PAGE_SIZE};
use vmstate::{Devices, Live, Section, Stream, Writer};

use super::program::{Files, command};
use super::state::saved_by_xl;

/// The most memory that may ever be resident, in KiB.
const MOST: u64 = 32 << 10;

/// Guest memory that is really in the state, in MiB.
const MEMORY: u64 = 512;

/// A stream that claims 4 GiB of guest memory: what comes before its pages, one
/// MiB of pages that can be repeated, and what comes after them. There are so many
/// sections that a list of them fills a pipe.
fn stream() -> [Vec<u8>; 3] {
    let mut start = Writer::new();
    start.bytes(b"\x01\0\0\0\x01\x03ram\0\0\0\0\0\0\0\x04");
    ram::write_blocks(&mut start, &[Block { name: "pc.ram".into(), size: 4 << 30, address: None }]);
    let mut pages = Writer::new();
    for index in 0..(1 << 20) / PAGE_SIZE {
        let mut page = [0x5a; PAGE_SIZE];
        page[index % PAGE_SIZE] = 0;
        ram::write_page(&mut pages, Some("pc.ram"), (index * PAGE_SIZE) as u64, &page);
    }
    let mut end = Writer::new();
    ram::write_end(&mut end);
    end.bytes(b"\x03\0\0\0\x01");
    ram::write_end(&mut end);

    let sections = (2..2000).map(|id| Section {
        id,
        name: format!("{id:04}-{}", "x".repeat(100)),
        instance: 0,
        version: 1,
        payload: vec![0; 4],
        offset: 0,
    });
    let sections: Vec<_> = sections.collect();
    let described = sections.iter().map(|section| {
        json!({
            "name": section.name, "instance_id": 0, "vmsd_name": "x", "version": 1,
            "fields": [{"name": "x", "type": "uint32", "size": 4}],
        })
    });
    let description = json!({"page_size": PAGE_SIZE, "devices": described.collect::<Vec<_>>()});
    let description = Some(description.to_string());
    let devices = Devices { footers: false, sections, description };
    let stream = Stream { configuration: None, live: Live::default(), devices };
    let whole = stream.write(&[]);
    let (head, devices) = whole.split_at(stream.head().len());
    [
        [head, &start.into_bytes()].concat(),
        pages.into_bytes(),
        [end.into_bytes(), devices.to_vec()].concat(),
    ]
}

/// The most memory of a process that was ever resident, in KiB.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("Linux says it");
    kib.parse().expect("a number")
}

/// Runs `state inspect` on a file, which may be what `write` writes to its standard
/// input. Returns what it says, and the most memory it took.
fn inspect(
    file: &str,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send,
) -> (String, u64) {
    let mut command = command(&["state", "inspect", file]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let mut stdout = child.stdout.take().expect("it is piped");
    let mut text = String::new();
    thread::scope(|scope| {
        scope.spawn(move || write(&mut stdin).expect("all of it is read"));
        // All is written at once, when all is done; and as it does not fit into
        // the pipe, the process is still there.
        let mut first = [0];
        stdout.read_exact(&mut first).expect("it says something");
        let peak = peak(&child);
        text.push(first[0].into());
        stdout.read_to_string(&mut text).expect("it writes UTF-8");
        let ended = child.wait_with_output().expect("the process is ours");
        assert_eq!(
            (ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()),
            (Some(0), "")
        );
        (text, peak)
    })
}

#[test]
fn a_long_stream_takes_little_memory() {
    let [head, pages, tail] = stream();
    let (text, peak) = inspect("/dev/stdin", |to| {
        to.write_all(&head)?;
        (0..MEMORY).try_for_each(|_| to.write_all(&pages))?;
        to.write_all(&tail)
    });
    let pages = MEMORY << 20 >> 12;
    assert!(text.contains(&format!("1 blocks, {pages} pages and 0 of one byte")), "{text}");
    assert!(text.contains("1999-xxx"), "{text}");
    assert!(text.len() > 128 << 10, "{} bytes may fit into the pipe", text.len());
    assert!(peak < MOST, "{peak} KiB");
}

#[test]
fn a_long_file_of_xl_takes_little_memory_and_nothing_is_drawn_into_a_pipe() {
    let [head, _, tail] = stream();
    let xl = saved_by_xl(8, &[head, tail].concat());
    // The record of guest memory, 8 bytes of it: it becomes as long as is wanted,
    // and a hole in the file.
    let record = [[1, 0, 0, 0, 8, 0, 0, 0], [7; 8]].concat();
    let at = xl.windows(record.len()).position(|window| window == record).unwrap();
    let files = Files::new();
    let mut file = File::create(files.path("guest.save")).unwrap();
    let length = (MEMORY << 20) as u32;
    file.write_all(&[&xl[..at + 4], &length.to_le_bytes()].concat()).unwrap();
    file.seek(SeekFrom::Current(length.into())).unwrap();
    file.write_all(&xl[at + record.len()..]).unwrap();

    let (text, peak) = inspect(&files.text("guest.save"), |_| Ok(()));
    assert!(text.contains("1999-xxx"), "{text}");
    assert!(peak < MOST, "{peak} KiB");
}
