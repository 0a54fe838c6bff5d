//! An access allocates nothing: neither its time nor its success depends on the
//! allocator.

mod common {
    pub(crate) mod rig;
    pub(crate) mod zoo;
}

use allocation_counter::measure;
use southbridge::clock::Clock;
use southbridge::machine::MachineDoor;
use southbridge::vm::Door as _;

use common::rig::{Arrival, Rig};
use common::zoo;

/// How often `access` asks the allocator for memory, once it is warm.
fn requests(mut access: impl FnMut()) -> u64 {
    for _ in 0..10 {
        access();
    }
    measure(|| (0..100).for_each(|_| access())).count_total
}

struct Bench {
    rig: Rig,
    door: MachineDoor,
}

impl Bench {
    fn new() -> Self {
        Self::of(Rig::of_program("pc-i440fx-10.0"))
    }

    fn of(rig: Rig) -> Self {
        let door = MachineDoor::new(rig.machine.clone());
        door.thread_started();
        Self { rig, door }
    }

    fn write(&self, port: u16, data: &[u8]) {
        self.door.port_write(port, data);
    }

    fn read<const N: usize>(&self, port: u16) -> [u8; N] {
        let mut data = [0; N];
        self.door.port_read(port, &mut data);
        data
    }

    /// As firmware does: I/O bases, enabled.
    fn enable_pm(&self) {
        self.rig.configure(0x0b40, 0xb001);
        self.rig.configure(0x0b80, 1);
        self.rig.configure(0x0bd0, 0x0009_0000);
        self.rig.configure(0x0b04, 1);
    }
}

#[test]
fn the_counter_counts() {
    assert_ne!(requests(|| drop(std::hint::black_box(Box::new(1)))), 0);
    assert_eq!(requests(|| {}), 0);
}

#[test]
fn a_read_of_the_pm_timer_allocates_nothing() {
    let bench = Bench::new();
    bench.enable_pm();
    assert_eq!(bench.read::<4>(0xb008), [0; 4]);
    assert_eq!(requests(|| _ = bench.read::<4>(0xb008)), 0);
    // Nothing answers there.
    assert_eq!(requests(|| _ = bench.read::<4>(0x9990)), 0);
}

#[test]
fn measuring_time_allocates_nothing() {
    let bench = Bench::new();
    bench.enable_pm();
    bench.rig.machine.measure_time(true);
    assert_eq!(requests(|| _ = bench.read::<4>(0xb008)), 0);
    assert!(bench.rig.status("pm").counts.time.unwrap() > std::time::Duration::ZERO);
}

#[test]
fn smbus_registers_allocate_nothing() {
    let bench = Bench::new();
    bench.enable_pm();
    bench.write(0xb104, &[0xa0]);
    assert_eq!(bench.read(0xb104), [0xa0]);
    assert_eq!(requests(|| _ = bench.read::<1>(0xb104)), 0);
    assert_eq!(requests(|| bench.write(0xb104, &[0xa1])), 0);
}

#[test]
fn a_byte_from_an_eeprom_allocates_nothing() {
    let bench = Bench::new();
    bench.enable_pm();
    let transfer = |address: u8, data: u8| {
        bench.write(0xb100, &[0x1f]);
        bench.write(0xb104, &[address]);
        bench.write(0xb103, &[3]);
        bench.write(0xb105, &[data]);
        bench.write(0xb102, &[0x48]);
        // The controller works when its status is read; the next read tells.
        bench.read::<1>(0xb100);
        let [status] = bench.read(0xb100);
        assert_eq!(status & 0x1f, 2, "the transfer has succeeded");
        let [byte] = bench.read(0xb105);
        byte
    };
    transfer(0xa0, 0x77);
    assert_eq!(transfer(0xa1, 0), 0x77);
    assert_eq!(requests(|| assert_eq!(transfer(0xa1, 0), 0x77)), 0);
    assert_eq!(requests(|| _ = transfer(0xa0, 0x77)), 0);
}

#[test]
fn pci_configuration_cycles_allocate_nothing() {
    let bench = Bench::new();
    bench.write(0xcf8, &0x8000_0b00_u32.to_le_bytes());
    assert_eq!(bench.read(0xcfc), 0x7113_8086_u32.to_le_bytes());
    assert_eq!(requests(|| _ = bench.read::<4>(0xcfc)), 0);
    // A function that is not there.
    bench.write(0xcf8, &0x8000_f800_u32.to_le_bytes());
    assert_eq!(requests(|| _ = bench.read::<4>(0xcfc)), 0);
    // The interrupt line register.
    let write = || {
        bench.write(0xcf8, &0x8000_0b3c_u32.to_le_bytes());
        bench.write(0xcfc, &[9]);
    };
    assert_eq!(requests(write), 0);
    assert_eq!(bench.read(0xcfc), [9]);
}

/// The serial port's transmitter interrupt goes straight to the board.
#[test]
fn a_write_that_moves_a_line_allocates_nothing() {
    let bench = Bench::new();
    // OUT2 connects the interrupt.
    bench.write(0x3fc, &[0x08]);
    let toggle = || {
        bench.write(0x3f9, &[2]);
        bench.write(0x3f9, &[0]);
    };
    toggle();
    assert_eq!(bench.rig.board.take(), [Arrival::Gsi(4, true), Arrival::Gsi(4, false)]);
    let requests = requests(|| {
        toggle();
        // What the board remembers is not to grow.
        bench.rig.board.forget();
    });
    assert_eq!(requests, 0);
}

/// A line that ends at an interrupt pin of the host bridge goes from there to
/// the ISA bridge, and from that to the board.
#[test]
fn a_line_through_both_bridges_allocates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let component = directory.path().join("counter.wasm");
    std::fs::write(&component, zoo::component("first")).unwrap();
    let text = format!(
        r#"
        [machine.bridges]
        inherits = "pc-i440fx-10.0"

        [machine.bridges.device.counter]
        component = "{}"
        grants = ["streams"]
        wires = {{ out = "host-bridge:slot3.inta" }}
        "#,
        component.display()
    );
    let bench = Bench::of(Rig::try_new("bridges", &text, Clock::manual()).unwrap());
    // All four PIRQs lead to IRQ 11.
    bench.rig.configure(0x0860, 0x0b0b_0b0b);
    // What the reset has driven.
    bench.rig.board.forget();
    let toggle = || {
        bench.write(0x604, &1_u32.to_le_bytes());
        bench.write(0x604, &0_u32.to_le_bytes());
    };
    toggle();
    assert_eq!(bench.rig.board.take(), [Arrival::Gsi(11, true), Arrival::Gsi(11, false)]);
    let requests = requests(|| {
        toggle();
        bench.rig.board.forget();
    });
    assert_eq!(requests, 0);
}
