//! What the recordings leave out.

use southbridge_sdk::fake::Effect;

use super::mapped;

#[test]
fn a_software_reset_interrupts_once_and_only_where_it_may() {
    let mut bench = mapped();
    bench.port_out(0x1f2, 1, 7);
    bench.port_out(0x1f6, 1, 0xb0);
    bench.port_out(0x3f6, 1, 4);
    assert_eq!(bench.fake.take(), [Effect::Line(0, true)]);
    assert_eq!(bench.port_in(0xc002, 1), 4);
    let primary = &bench.device.channels[0];
    assert!(primary.unit, "the drive stays selected");
    for drive in &primary.drives {
        assert_eq!((drive.error, drive.sectors, drive.select), (1, 1, 0xa0));
    }
    bench.port_in(0x3f6, 1);
    assert!(bench.fake.line(0), "the alternate status does not acknowledge");
    bench.port_in(0x1f7, 1);
    assert!(!bench.fake.line(0));
    // With interrupts off nothing shows.
    bench.port_out(0x376, 1, 6);
    assert_eq!(bench.fake.take(), [Effect::Line(0, false)]);
    assert_eq!(bench.port_in(0xc00a, 1), 0);
}

#[test]
fn a_system_reset_leaves_the_interrupts_and_the_timing() {
    let mut bench = mapped();
    bench.configuration_write(0x40, 4, 0x8000_a307);
    bench.port_out(0x177, 1, 0xec);
    bench.port_out(0xc008, 1, 9);
    bench.fake.take();
    bench.reset();
    assert!(bench.fake.line(1));
    assert_eq!(bench.configuration_read(0x40, 4), 0x8000_a307);
    assert_eq!(bench.configuration_read(0x04, 4), 0x0280_0000);
    assert_eq!(bench.fake.take(), [Effect::Unmap(1)]);
    assert_eq!(bench.port_in(0xc008, 1), 0xff);
    bench.configuration_write(0x20, 4, 0xc000);
    bench.configuration_write(0x04, 2, 1);
    assert_eq!((bench.port_in(0xc008, 1), bench.port_in(0xc00a, 1)), (0, 0));
}

#[test]
fn nobody_answers_for_drive_1() {
    let mut bench = mapped();
    bench.port_out(0x1f6, 1, 0xb0);
    for command in 0..=0xff {
        bench.port_out(0x1f7, 1, command);
    }
    assert_eq!(bench.fake.take(), []);
    assert_eq!(bench.port_in(0xc002, 1), 0);
}

#[test]
fn smart_is_aborted() {
    let mut bench = mapped();
    // SMART ENABLE OPERATIONS with its key.
    for (port, byte) in [(0x1f1, 0xd8), (0x1f4, 0x4f), (0x1f5, 0xc2), (0x1f7, 0xb0)] {
        bench.port_out(port, 1, byte);
    }
    let drive = &bench.device.channels[0].drives[0];
    assert_eq!((drive.status.into_bits(), drive.error), (0x41, 0x04));
}
