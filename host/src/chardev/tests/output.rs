//! Peers that read late, or never.

use std::collections::VecDeque;

use super::*;
use crate::chardev::outbox::MOST;

/// A server's writer, its client, and what keeps it.
fn connected() -> (Connection, UnixStream, Arc<Chardev>, Sender<()>, TempDir) {
    let (directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let (front_end, lent, give_back) = lending();
    chardev.attach(front_end).unwrap();
    let client = connect(&path);
    (next(&lent), client, chardev, give_back, directory)
}

#[test]
fn a_client_that_never_reads_loses_its_connection() {
    let (connection, mut client, _chardev, give_back, directory) = connected();
    let (mut reader, mut writer) = connection.split();
    let chunk = vec![0x55; 1 << 20];
    let mut taken = 0;
    let error = loop {
        match writer.write_all(&chunk) {
            Ok(()) => taken += chunk.len(),
            Err(error) => break error,
        }
    };
    assert!((MOST..=MOST + 4 * chunk.len()).contains(&taken), "{taken}");
    assert_eq!(error.to_string(), "the peer does not read, and 16 MiB wait for it");
    assert!(writer.write_all(b"x").is_err());
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    // It has what the system took, and then the end.
    client.read_to_end(&mut Vec::new()).unwrap();
    // The next one is served.
    give_back.send(()).unwrap();
    let next_client = connect(&directory.path().join("socket"));
    drop(next_client);
}

#[test]
fn a_client_that_reads_late_gets_all() {
    let (connection, mut client, _chardev, _give_back, _directory) = connected();
    let (_reader, writer) = connection.split();
    let mut expected = VecDeque::new();
    let mut read = 0;
    for number in 0..300_u32 {
        let message = number.to_le_bytes().repeat(number as usize * 10);
        writer.clone().write_all(&message).unwrap();
        expected.extend(message);
        // In between it catches up a little.
        if number % 7 == 0 {
            let mut bytes = vec![0; 3000.min(expected.len())];
            client.read_exact(&mut bytes).unwrap();
            assert!(bytes.into_iter().eq(expected.drain(..3000.min(expected.len()))), "{read}");
            read += 3000;
        }
    }
    let mut rest = vec![0; expected.len()];
    client.read_exact(&mut rest).unwrap();
    assert!(rest.into_iter().eq(expected));
}

#[test]
fn writes_from_several_threads_stay_whole() {
    const LENGTH: usize = 5000;
    let (connection, mut client, _chardev, _give_back, _directory) = connected();
    let (_reader, writer) = connection.split();
    let threads: Vec<_> = (0..4_u8)
        .map(|number| {
            let mut writer = writer.clone();
            thread::spawn(move || {
                for _ in 0..200 {
                    writer.write_all(&[number; LENGTH]).unwrap();
                }
            })
        })
        .collect();
    let mut counts = [0; 4];
    for _ in 0..800 {
        let mut message = [0; LENGTH];
        client.read_exact(&mut message).unwrap();
        assert!(message.iter().all(|byte| *byte == message[0]));
        counts[usize::from(message[0])] += 1;
    }
    assert_eq!(counts, [200; 4]);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn what_was_sent_arrives_although_the_connection_ends() {
    let (connection, mut client, chardev, _give_back, _directory) = connected();
    let (_reader, mut writer) = connection.split();
    writer.write_all(&vec![0x55; 1 << 20]).unwrap();
    let reading = thread::spawn(move || {
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    chardev.close();
    assert_eq!(reading.join().unwrap(), 1 << 20);
}

#[test]
fn closing_does_not_wait_for_a_client_that_never_reads() {
    let (connection, mut client, chardev, _give_back, _directory) = connected();
    let (mut reader, mut writer) = connection.split();
    writer.write_all(&vec![0x55; 4 << 20]).unwrap();
    chardev.close();
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    assert!(writer.write_all(b"x").is_err());
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() < 4 << 20);
}
