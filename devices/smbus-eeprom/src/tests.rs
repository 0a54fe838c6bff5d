use proptest::prelude::*;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::{PropertyValue, Scope};
use southbridge_sdk::{Device, I2cTarget};

use crate::SmbusEeprom;
use crate::target::Mode;

type Board = Bench<SmbusEeprom>;

fn start(board: &mut Board, read: bool) {
    assert!(board.call(|device, cx| device.start(cx, read)));
}

fn send(board: &mut Board, bytes: &[u8]) {
    for &byte in bytes {
        assert!(board.call(|device, cx| device.send(cx, byte)));
    }
}

fn receive(board: &mut Board) -> u8 {
    board.call(SmbusEeprom::receive)
}

fn write(board: &mut Board, bytes: &[u8]) {
    start(board, false);
    send(board, bytes);
    board.call(SmbusEeprom::stop);
}

fn read(board: &mut Board, offset: u8, count: usize) -> Vec<u8> {
    start(board, false);
    send(board, &[offset]);
    start(board, true);
    let bytes = (0..count).map(|_| receive(board)).collect();
    board.call(SmbusEeprom::nack);
    board.call(SmbusEeprom::stop);
    bytes
}

#[test]
fn what_is_written_is_read_and_the_offset_wraps() {
    let mut board = Board::new();
    write(&mut board, &[0xfe, 1, 2, 3]);
    assert_eq!(read(&mut board, 0xfe, 4), [1, 2, 3, 0]);
    // A receive byte goes on from there.
    start(&mut board, true);
    assert_eq!(receive(&mut board), 0);
    board.call(SmbusEeprom::stop);
    assert_eq!(read(&mut board, 0, 1), [3]);
}

#[test]
fn a_quick_command_touches_nothing() {
    let mut board = Board::new();
    for direction in [false, true] {
        start(&mut board, direction);
        board.call(SmbusEeprom::stop);
    }
    assert!(board.save(Scope::Stream).is_empty());
}

#[test]
fn bytes_beyond_a_block_are_dropped() {
    let mut board = Board::new();
    let long: Vec<u8> = (0..40).collect();
    write(&mut board, &long);
    // 34 bytes: the offset and 33 of data.
    assert_eq!(read(&mut board, 32, 2), [33, 0]);
}

#[test]
fn nonsense_confuses_until_the_stop() {
    let mut board = Board::new();
    let confused = |board: &mut Board| assert_eq!(board.device.target.mode, Mode::Confused);
    start(&mut board, false);
    // Turning without an offset.
    start(&mut board, true);
    confused(&mut board);
    assert_eq!(receive(&mut board), 0xff);
    send(&mut board, &[1]);
    board.call(SmbusEeprom::stop);
    assert!(board.save(Scope::Stream).is_empty());

    start(&mut board, false);
    start(&mut board, false);
    confused(&mut board);
    board.call(SmbusEeprom::stop);

    start(&mut board, false);
    board.call(SmbusEeprom::nack);
    confused(&mut board);
    board.call(SmbusEeprom::stop);
    assert_eq!(board.device.target.mode, Mode::Idle);
}

#[test]
fn a_reset_blanks_the_memory_but_not_the_mark() {
    let mut board = Board::new();
    write(&mut board, &[0, 0x55]);
    board.reset();
    assert_eq!(board.device.eeprom.data, [0; 256]);
    assert_eq!(board.save(Scope::Stream).len(), 1);
}

#[test]
fn without_migration_nothing_is_saved_but_for_a_swap() {
    let mut board = Board::with(&[("smbus-migration", PropertyValue::Flag(false))]);
    write(&mut board, &[0, 0x55]);
    assert!(board.save(Scope::Stream).is_empty());
    assert_eq!(board.save(Scope::Whole).len(), 1);
}

#[test]
fn an_address_that_is_none_is_refused() {
    let properties = [("address", PropertyValue::Number(0x80))];
    let declared = SmbusEeprom::describe();
    let given = southbridge_sdk::fake::override_properties(&declared, &properties);
    let mut fake = southbridge_sdk::fake::Fake::default();
    let error = SmbusEeprom::configure(
        &southbridge_sdk::Properties::new(given),
        &mut southbridge_sdk::Context::new(0, &mut fake),
    );
    assert_eq!(error.unwrap_err(), "property address: 0x80, at most 0x7f expected");
}

#[test]
fn a_state_that_makes_no_sense_is_refused() {
    let mut board = Board::new();
    write(&mut board, &[0]);
    let sections = board.save(Scope::Stream);
    // Offset in the section, value, field.
    for (at, byte, field) in
        [(0, 0x51, "i2c.address"), (4, 4, "mode"), (8, 35, "data_len"), (5, 0x80, "data_len")]
    {
        let mut sections = sections.clone();
        sections[0].data[at] = byte;
        let refusal = Board::configured(&[]).load(Scope::Stream, sections).unwrap_err();
        assert_eq!(refusal.field, format!("smbusdev.{field}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_device_that_takes_over_goes_on(
        before in prop::collection::vec((0_u8..5, any::<u8>()), 0..60),
        after in prop::collection::vec((0_u8..5, any::<u8>()), 1..60),
    ) {
        let happen = |board: &mut Board, &(what, byte): &(u8, u8)| match what {
            0 => u8::from(board.call(|device, cx| device.start(cx, byte & 1 != 0))),
            1 => u8::from(board.call(|device, cx| device.send(cx, byte))),
            2 => board.call(SmbusEeprom::receive),
            3 => { board.call(SmbusEeprom::nack); 0 }
            _ => { board.call(SmbusEeprom::stop); 0 }
        };
        let mut board = Board::new();
        for step in &before {
            happen(&mut board, step);
        }
        let mut other = Board::configured(&[]);
        let loaded = other.load(Scope::Whole, board.save(Scope::Whole));
        prop_assert!(loaded.is_ok());
        for step in &after {
            prop_assert_eq!(happen(&mut other, step), happen(&mut board, step));
        }
        let (other, board) = (other.save(Scope::Whole), board.save(Scope::Whole));
        prop_assert_eq!(&other[0].data, &board[0].data);
    }
}
