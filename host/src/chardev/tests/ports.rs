//! The ports of devices.

use super::*;

#[test]
fn output_goes_to_whoever_is_there() {
    let (_directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let mut output = chardev.output();
    chardev.attach(NoInput).unwrap();
    output.write_all(b"lost").unwrap();
    for message in [b"first ", b"second"] {
        let mut client = connect(&path);
        wait_until("the connection", || !chardev.filename().starts_with("disconnected"));
        output.write_all(message).unwrap();
        let mut heard = [0; 6];
        client.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, message);
        // What is sent to a port without input is dropped.
        client.write_all(&[0x55; 100_000]).unwrap();
        drop(client);
        wait_until("its end", || chardev.filename().starts_with("disconnected"));
    }
    drop(chardev);
    output.write_all(b"lost").unwrap();
}

#[test]
fn input_goes_to_the_device_as_it_takes_it() {
    let (_directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let (told, heard) = channel();
    let mut turn = 0;
    let offer = move |bytes: &[u8]| {
        turn += 1;
        let taken = (turn % 4).min(bytes.len());
        told.send(bytes[..taken].to_vec()).unwrap();
        Some(taken)
    };
    chardev.attach(Input::new(offer)).unwrap();
    let sent: Vec<u8> = (0..2000_u32).map(|number| number as u8).collect();
    let mut client = connect(&path);
    client.write_all(&sent).unwrap();
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend(next(&heard));
    }
    assert_eq!(received, sent);
}

#[test]
fn a_device_that_takes_nothing_does_not_keep_a_client_that_is_gone() {
    let (_directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let (told, heard) = channel();
    let offer = move |bytes: &[u8]| {
        let takes = bytes.starts_with(b"second");
        if takes {
            told.send(()).unwrap();
        }
        Some(if takes { bytes.len() } else { 0 })
    };
    chardev.attach(Input::new(offer)).unwrap();
    connect(&path).write_all(b"first").unwrap();
    let mut second = connect(&path);
    second.write_all(b"second").unwrap();
    next(&heard);
}

#[test]
fn a_device_that_is_gone_leaves_the_output() {
    let (_directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let (told, heard) = channel();
    let offer = move |_: &[u8]| {
        told.send(()).unwrap();
        None
    };
    chardev.attach(Input::new(offer)).unwrap();
    let mut client = connect(&path);
    client.write_all(b"one").unwrap();
    next(&heard);
    client.write_all(b"two").unwrap();
    chardev.output().write_all(b"hello").unwrap();
    let mut said = [0; 5];
    client.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hello");
}
