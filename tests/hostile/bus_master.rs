//! The bus master's tables where none should be, of any shape, and addresses that no
//! disk has.

use super::disk::{DATA, DRQ, END, TABLE, command, pattern};
use super::machine::Machine;
use super::pair::Pair;

/// Of the machines.
const RAM: u32 = 16 << 20;

/// A table: what is wrong, where it is said to be, and what is in it.
type Table = (&'static str, u32, Vec<(u32, u32)>);

fn tables() -> Vec<Table> {
    let at = |what, table| (what, TABLE, table);
    vec![
        ("beyond RAM", 2 * RAM, vec![]),
        ("in a local APIC", 0xfee0_0000, vec![]),
        ("in an I/O APIC", 0xfec0_0000, vec![]),
        ("at the end of 4 GiB", 0xffff_fff8, vec![]),
        ("half beyond RAM", RAM - 8, vec![]),
        at("data beyond RAM", vec![(2 * RAM, END | 0x800)]),
        at("data in an I/O APIC", vec![(0xfec0_0000, END | 0x800)]),
        at("data half beyond RAM", vec![(RAM - 0x200, END | 0x800)]),
        at("data beyond 4 GiB", vec![(0xffff_fe00, END | 0x800)]),
        at("data in a ROM", vec![(0xf_0000, END | 0x800)]),
        at("a count of 0 is 64 KiB", vec![(DATA, END)]),
        at("counts of 0 without an end", vec![(DATA, 0); 3]),
        at("no end and too few bytes", vec![(DATA, 2); 600]),
        at("no end, many pieces", vec![(DATA, 0x10); 600]),
        at("data over its own table", vec![(TABLE, END | 0x800)]),
        at("data over the table's rest", vec![(TABLE, 0x200), (DATA, END | 0x600)]),
        at("odd addresses and counts", vec![(DATA + 1, 7), (DATA + 0x101, END | 0x7f9)]),
        at("too short", vec![(DATA, END | 0x200)]),
        at("too long", vec![(DATA, END | 0x1000)]),
    ]
}

/// Has a transfer end, in whatever way: all that the guest can see.
fn outcome(machine: &mut Machine) -> Vec<String> {
    machine.wait_for_disk();
    let mut said = vec![machine.disk_registers()];
    machine.stop_bus_master();
    for (address, length) in [(TABLE, 0x2000), (DATA, 0x2000), (RAM - 0x400, 0x400), (0, 0x400)] {
        said.push(machine.memory(address.into(), length));
    }
    said.extend(machine.probe_disk());
    said
}

fn prepare(machine: &mut Machine) {
    machine.stop_bus_master();
    machine.write(DATA.into(), &pattern(16));
    machine.write((RAM - 0x400).into(), &[0xaa; 0x400]);
    machine.write(0, &[0xbb; 0x400]);
}

#[test]
fn wrong_tables_are_used_as_in_qemu() {
    let mut pair = Pair::new();
    for (code, writes_memory) in [(command::READ_DMA, true), (command::WRITE_DMA, false)] {
        for (what, address, table) in tables() {
            // QEMU's disk writes to the registers there; and QEMU has another ROM.
            let own = if writes_memory { "data in an I/O APIC" } else { "data in a ROM" };
            if what == own {
                continue;
            }
            let what = format!("{what}, command {code:#x}");
            pair.alike(&what, |machine| {
                prepare(machine);
                machine.table(address, &table);
                machine.command(code, 3, 4);
                machine.start_bus_master(writes_memory);
                outcome(machine)
            });
            pair.check_disks(&what);
        }
    }
}

#[test]
fn addresses_that_are_not_on_the_disk_are_errors() {
    let mut pair = Pair::new();
    let codes = [(command::READ_DMA_EXT, true), (command::WRITE_DMA_EXT, false)];
    for (code, writes_memory) in codes {
        for (sector, count) in [
            (4094, 4),
            (4096, 1),
            (0xfff_ffff, 256),
            (0xffff_ffff_ffff, 1),
            (0xffff_ffff_ffff, 0),
            (0x7fff_ffff_ffff, 0xffff),
            // A count of 0 is 65536 sectors.
            (0, 0),
        ] {
            let what = format!("sector {sector:#x}, {count} sectors, command {code:#x}");
            pair.alike(&what, |machine| {
                prepare(machine);
                // 64 KiB again and again: a page of descriptors, which has no end.
                machine.table(TABLE, &[(DATA, 0); 512]);
                machine.command_ext(code, sector, count);
                machine.start_bus_master(writes_memory);
                outcome(machine)
            });
            pair.check_disks(&what);
        }
    }
}

/// A guest changes its mind while data moves: the bus master is stopped, started in
/// the other direction, given another table.
#[test]
fn a_bus_master_that_is_meddled_with_comes_to_an_end() {
    let mut pair = Pair::new();
    for writes in 0..24_u32 {
        pair.alike(&format!("meddling {writes}"), |machine| {
            prepare(machine);
            machine.table(TABLE, &[(DATA, END | 0x2000)]);
            // Nothing moves before the command.
            if writes & 1 != 0 {
                machine.start_bus_master(true);
            }
            machine.command(command::READ_DMA, 3, 16);
            if writes & 2 != 0 {
                machine.out32(0xc004, 0xffff_fffc);
            }
            machine.start_bus_master(writes & 4 == 0);
            if writes >= 8 {
                machine.wait_for_disk();
                machine.start_bus_master(writes & 8 == 0);
            }
            if writes >= 16 {
                machine.out32(0xc004, 0);
                machine.stop_bus_master();
            }
            machine.wait_for_disk();
            let registers = machine.disk_registers();
            let status = u8::from_str_radix(&registers[..2], 16).expect("two digits");
            assert_eq!(status & DRQ, 0);
            machine.stop_bus_master();
            [vec![registers, machine.memory(DATA.into(), 0x2000)], machine.probe_disk()].concat()
        });
    }
}
