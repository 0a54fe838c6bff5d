//! Run with `cargo test`: the card is native code here, on the SDK's bench.

use southbridge_sdk::fake::{Bench, Bytes};
use southbridge_sdk::pci::{command, offset};
use southbridge_sdk::wit::{Failure, Medium, Scope};

use super::{
    ADDRESS, BYTES, COMMAND, COUNT, DISK, FLUSH, INTA, READ, SECTOR, SECTORS, STATUS, SectorCard,
    WRITE,
};

const BASE: u64 = 0xfebf_0000;

const DONE: u64 = 2;
const FAILED: u64 = 4;

/// A card with its registers at `BASE`, a disk of 8 sectors, each full of its number, and
/// 64 KiB of the guest's memory.
fn card() -> Bench<SectorCard> {
    let mut bench = Bench::new();
    bench.fake.ram = Bytes::zeros(64 << 10);
    bench.insert_disk(DISK, (0..8).flat_map(|sector| [sector; BYTES as usize]).collect());
    bench.configuration_write(offset::BAR0 as u16, 4, BASE as u32);
    let commands = command::MEMORY | command::MASTER;
    bench.configuration_write(offset::COMMAND as u16, 2, commands as u32);
    bench
}

fn begin(bench: &mut Bench<SectorCard>, command: u32, sector: u64, address: u64, count: u64) {
    bench.memory_out(BASE + SECTOR, 4, sector);
    bench.memory_out(BASE + ADDRESS, 4, address);
    bench.memory_out(BASE + COUNT, 4, count);
    bench.memory_out(BASE + COMMAND, 4, command.into());
}

fn status(bench: &mut Bench<SectorCard>) -> u64 {
    bench.memory_in(BASE + STATUS, 4)
}

#[test]
fn sectors_are_read_into_memory_and_the_end_is_an_interrupt() {
    let mut bench = card();
    assert_eq!(bench.memory_in(BASE + SECTORS, 4), 8);
    begin(&mut bench, READ, 3, 0x2000, 2);
    assert_eq!((status(&mut bench), bench.fake.line(INTA)), (1, false));
    // What is written meanwhile does not count.
    bench.memory_out(BASE + ADDRESS, 4, 0);
    bench.end_requests();
    assert_eq!((status(&mut bench), bench.fake.line(INTA)), (DONE, true));
    assert_eq!(bench.fake.ram.read(0x1fff, 2), [0, 3]);
    assert_eq!(bench.fake.ram.read(0x21ff, 2), [3, 4]);
    assert_eq!(bench.fake.ram.read(0x23ff, 2), [4, 0]);
    bench.memory_out(BASE + STATUS, 4, DONE);
    assert_eq!((status(&mut bench), bench.fake.line(INTA)), (0, false));
}

#[test]
fn memory_is_written_to_sectors() {
    let mut bench = card();
    bench.fake.ram.write(0x1000, &[0xee; 512]);
    begin(&mut bench, WRITE, 7, 0x1000, 1);
    bench.end_requests();
    bench.memory_out(BASE + COMMAND, 4, FLUSH.into());
    bench.end_requests();
    assert_eq!(status(&mut bench), DONE);
    assert_eq!(bench.fake.media[&DISK].read(7 * 512 - 1, 2), [6, 0xee]);
}

#[test]
fn what_cannot_be_has_failed_at_once() {
    let cases = [(READ, 8, 1), (READ, 7, 2), (READ, 0, 0), (READ, 0, 0xffff_ffff), (4, 0, 1)];
    for (command, sector, count) in cases {
        let mut bench = card();
        begin(&mut bench, command, sector, 0x1000, count);
        assert_eq!(status(&mut bench), DONE | FAILED, "{command} of {count} from {sector}");
        assert!(bench.fake.requests.is_empty());
    }
    let mut bench = card();
    bench.configuration_write(offset::COMMAND as u16, 2, command::MEMORY as u32);
    begin(&mut bench, READ, 0, 0x1000, 1);
    assert_eq!(status(&mut bench), DONE | FAILED, "it is no bus master");
    let mut bench = card();
    bench.insert(DISK, None);
    begin(&mut bench, READ, 0, 0x1000, 1);
    assert_eq!(status(&mut bench), DONE | FAILED, "there is nothing in it");
}

#[test]
fn a_disk_that_fails_is_told_to_the_guest() {
    let mut bench = card();
    begin(&mut bench, READ, 0, 0x1000, 1);
    bench.end_request(Some(Failure::Io));
    assert_eq!((status(&mut bench), bench.fake.line(INTA)), (DONE | FAILED, true));
}

#[test]
fn another_one_goes_on_with_its_state() {
    let mut bench = card();
    begin(&mut bench, READ, 3, 0x2000, 2);
    bench.end_requests();
    let mut other = bench.successor(&[]);
    let medium = Medium { size: 4096, read_only: false };
    other.insert(DISK, Some((vec![9; 4096], medium)));
    assert_eq!((status(&mut other), other.fake.line(INTA)), (DONE, true));
    assert_eq!(other.memory_in(BASE + SECTOR, 4), 3);
}

#[test]
fn a_state_that_cannot_be_is_refused() {
    let mut saved = card().save(Scope::Stream);
    // The last byte says that the last command failed, but none has ended.
    *saved[0].data.last_mut().unwrap() = 1;
    let refusal = Bench::<SectorCard>::configured(&[]).load(Scope::Stream, saved).unwrap_err();
    assert!(refusal.reason.starts_with("failed is set"), "{refusal:?}");
}
