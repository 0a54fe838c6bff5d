use super::*;
use crate::vm::Image;

const MIB: u64 = 1 << 20;

/// 8 MiB of RAM below 4 GiB and 2 MiB above, filled with 0x11; a ROM of 192 KiB
/// with 0x22 and at its end 0x33; four windows of 64 KiB from 0xc0000 on.
fn memory() -> Memory {
    let layout = RamLayout { size: 10 * MIB, below_4g_limit: 8 * MIB, below_4g_split: 8 * MIB };
    let mut rom = vec![0x22; 192 << 10];
    *rom.last_mut().unwrap() = 0x33;
    let rom = Rom::new(Image::new("rom", rom)).unwrap();
    let windows = (0xc_0000..0x10_0000).step_by(0x1_0000).map(|base| base..base + 0x1_0000);
    let memory = Memory::new(&layout, Some(&rom), windows).unwrap();
    for start in [0, FOUR_GIB] {
        let bytes = vec![0x11; if start == 0 { 8 * MIB } else { 2 * MIB } as usize];
        memory.ram.write_slice(&bytes, GuestAddress(start)).unwrap();
    }
    memory
}

/// Reads with a bus on which every byte is 0x44.
fn read<const N: usize>(memory: &Memory, address: u64) -> [u8; N] {
    let mut data = [0xee; N];
    memory.read(address, &mut data, |_, part| part.fill(0x44));
    data
}

/// Writes, and returns what reached the bus.
fn write(memory: &Memory, address: u64, data: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut written = Vec::new();
    memory.write(address, data, |address, part| written.push((address, part.to_vec())));
    written
}

#[test]
fn an_access_is_cut_where_another_answers() {
    let memory = memory();
    let cases = [
        (0x9_fffe, [0x11; 4]),
        (0xb_fffe, [0x11, 0x11, 0, 0]),
        (0xd_fffe, [0, 0, 0x22, 0x22]),
        (0xf_fffe, [0x22, 0x33, 0x11, 0x11]),
        (8 * MIB - 2, [0x11, 0x11, 0x44, 0x44]),
        (FOUR_GIB - (192 << 10) - 2, [0x44, 0x44, 0x22, 0x22]),
        (FOUR_GIB - 2, [0x22, 0x33, 0x11, 0x11]),
        (FOUR_GIB + 2 * MIB - 2, [0x11, 0x11, 0x44, 0x44]),
        (u64::MAX - 1, [0x44, 0x44, 0x11, 0x11]),
    ];
    for (address, bytes) in cases {
        assert_eq!(read(&memory, address), bytes, "at {address:#x}");
    }
}

#[test]
fn windows_and_claims_decide_who_answers_below_1_mib() {
    let memory = memory();
    memory.set_claims(std::slice::from_ref(&(0xc_0010..0xc_0012)));
    assert_eq!(read(&memory, 0xc_000f), [0, 0x44, 0x44, 0]);
    // A device in a window hides the ROM, not the RAM.
    memory.set_windows(&[(0, Mode::Ram), (3, Mode::RamReadOnly), (99, Mode::Ram)]);
    assert_eq!(read(&memory, 0xc_000f), [0x11; 4]);
    assert_eq!(read(&memory, 0xf_fffe), [0x11; 4]);
    assert_eq!(read(&memory, 0xe_fffe), [0x22, 0x22, 0x11, 0x11]);
    memory.set_windows(&[(0, Mode::Bus)]);
    assert_eq!(read(&memory, 0xc_000f), [0, 0x44, 0x44, 0]);
}

#[test]
fn writes_go_to_ram_and_to_the_bus_not_to_roms() {
    let memory = memory();
    assert_eq!(write(&memory, 8 * MIB - 2, &[1, 2, 3, 4]), [(8 * MIB, vec![3, 4])]);
    assert_eq!(read(&memory, 8 * MIB - 2), [1, 2]);
    for rom in [0xc_0000, 0xe_0000, 0xf_0000, FOUR_GIB - 16] {
        assert_eq!(write(&memory, rom, &[1, 2]), []);
        assert!(!read::<2>(&memory, rom).contains(&1), "at {rom:#x}");
    }
    // Write protection is the processors'.
    memory.set_windows(&[(3, Mode::RamReadOnly)]);
    assert_eq!(write(&memory, 0xf_0000, &[1, 2]), []);
    assert_eq!(read(&memory, 0xf_0000), [1, 2]);
}
