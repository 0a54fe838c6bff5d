//! What the recordings do not reach.

mod common;

use common::{Board, Overrides, no, number, yes};
use piix4_pm::Piix4Pm;
use southbridge_sdk::fake::{Effect, Fake, override_properties};
use southbridge_sdk::wit::{PropertyValue, Scope, WakeupReason};
use southbridge_sdk::{Context, Device, PowerEvents, Properties};

const SMI: u32 = 1;
const CONFIGURATION: u32 = 0;

/// A board with the power management registers at 0xb000.
fn board(properties: Overrides<'_>) -> Board {
    let mut board = Board::new(properties);
    board.bench.write(CONFIGURATION, 0x40, 4, 0xb001);
    board.bench.write(CONFIGURATION, 0x80, 1, 1);
    board.bench.fake.take();
    board
}

/// Takes what the device did. The diagnostic build's messages are not compared.
fn effects(board: &mut Board) -> Vec<Effect> {
    let effects = board.bench.fake.take().into_iter();
    effects.filter(|effect| !matches!(effect, Effect::Log(_))).collect()
}

fn error(property: (&str, PropertyValue)) -> String {
    let given = override_properties(&Piix4Pm::describe(), &[property]);
    let mut fake = Fake::default();
    let result = Piix4Pm::configure(&Properties::new(given), &mut Context::new(0, &mut fake));
    result.expect_err("the property is not legal")
}

#[test]
fn properties_out_of_range_are_refused() {
    let cases = [
        (number("smb-io-base", 0xb101), "property smb-io-base: 0xb101, a multiple of 64 expected"),
        (number("cpus", 0), "property cpus: 0, 1 to 4096 expected"),
        (number("memory-slots", 4097), "property memory-slots: 4097, 0 to 4096 expected"),
    ];
    for (property, expected) in cases {
        assert_eq!(error(property), expected);
    }
}

#[test]
fn sleep_types_ask_for_power_states() {
    let mut board = board(&[number("s4-val", 5)]);
    let mut asked = |kind: u64| {
        board.bench.port_out(0xb004, 2, 1 << 13 | kind << 10);
        effects(&mut board)
    };
    assert_eq!(asked(0), [Effect::Power("shutdown")]);
    assert_eq!(asked(1), [Effect::Power("suspend")]);
    assert_eq!(asked(2), []);
    assert_eq!(asked(5), [Effect::Power("suspend-to-disk")]);
}

#[test]
fn each_write_to_apmc_is_an_smi_if_enabled() {
    let pulse = [Effect::Line(SMI, true), Effect::Line(SMI, false)];
    let mut board = board(&[yes("smm-compat")]);
    for _ in 0..2 {
        board.bench.port_out(0xb2, 1, 0x33);
        assert_eq!(effects(&mut board), pulse);
    }
    board.bench.port_out(0xb2, 1, 0xf1);
    assert_eq!(effects(&mut board), []);
    assert_eq!(board.bench.port_in(0xb004, 2), 1);
    board.bench.port_out(0xb2, 1, 0xf0);
    assert_eq!(board.bench.port_in(0xb004, 2), 0);
    board.bench.write(CONFIGURATION, 0x5b, 1, 0);
    board.bench.port_out(0xb2, 1, 0x33);
    assert_eq!(effects(&mut board), []);
}

#[test]
fn without_smm_acpi_mode_is_the_only_one() {
    let mut board = board(&[]);
    assert_eq!(board.bench.port_in(0xb004, 2), 1);
    board.bench.port_out(0xb004, 2, 0);
    board.bench.port_out(0xb2, 1, 0xf0);
    assert_eq!(board.bench.port_in(0xb004, 2), 1);
}

#[test]
fn the_timer_raises_the_sci_and_wakes_the_machine() {
    let mut board = board(&[]);
    board.bench.port_out(0xb000, 2, 1);
    board.bench.port_out(0xb002, 2, 1);
    assert!(effects(&mut board).contains(&Effect::EnableWakeup("pm-timer", true)));
    // 2^23 ticks at 3.579545 MHz.
    let overflow = 2_343_484_437;
    board.bench.advance(overflow - 1);
    assert_eq!(effects(&mut board), []);
    board.bench.advance(1);
    assert_eq!(effects(&mut board), [Effect::Wake("pm-timer"), Effect::Line(0, true)]);
    assert!(board.bench.fake.timers.is_empty());
}

#[test]
fn the_machine_is_told_why_it_was_woken() {
    let cases = [
        (WakeupReason::Rtc, 0x8401),
        (WakeupReason::PmTimer, 0x8001),
        (WakeupReason::Other, 0x8101),
    ];
    for (reason, expected) in cases {
        let mut board = board(&[]);
        board.bench.call(|device, cx| device.woken(cx, reason));
        assert_eq!(board.bench.port_in(0xb000, 2), expected);
    }
}

#[test]
fn all_processors_are_present_in_both_forms() {
    let mut board = board(&[number("cpus", 11)]);
    assert_eq!(board.bench.port_in(0xaf00, 4), 0x07ff);
    board.bench.port_out(0xaf00, 1, 0);
    for (selector, present) in [(0, 1), (10, 1), (11, 0)] {
        board.bench.port_out(0xaf00, 4, selector);
        assert_eq!(board.bench.port_in(0xaf04, 1), present);
    }
    // The one that firmware is to remove is found from any other.
    board.bench.port_out(0xaf00, 4, 7);
    board.bench.port_out(0xaf04, 1, 16);
    board.bench.port_out(0xaf00, 4, 9);
    board.bench.port_out(0xaf05, 1, 0);
    assert_eq!(board.bench.port_in(0xaf08, 4), 7);
    assert_eq!(board.bench.port_in(0xaf04, 1), 17);
}

#[test]
fn memory_slots_are_empty() {
    let mut board = board(&[number("memory-slots", 2)]);
    board.bench.port_out(0xa00, 4, 1);
    assert_eq!(board.bench.port_in(0xa00, 4), 0);
    assert_eq!(board.bench.port_in(0xa14, 1), 0);
    board.bench.port_out(0xa00, 4, 2);
    assert_eq!(board.bench.port_in(0xa15, 1), 0);
    let saved = board.bench.save(Scope::Stream);
    // Two slots of ten bytes.
    let without = Board::new(&[]).bench.save(Scope::Stream);
    assert_eq!(saved[1].data.len(), without[1].data.len() + 20);
}

/// Events of hot-plug come with a saved state only.
#[test]
fn pci_events_are_reported_and_completed() {
    for (bridges, up_after) in [(yes(BRIDGES), 0), (no(BRIDGES), 0x30)] {
        let properties = [bridges];
        let mut source = Board::new(&properties);
        let mut sections = source.bench.save(Scope::Stream);
        let data = &mut sections[1].data;
        // up and down of bus 0 follow the general purpose events.
        let at = 276 + 6 + 2 + 48 + 16 + 4 + if up_after == 0 { 4 } else { 0 };
        data[at..at + 8].copy_from_slice(&[0, 0, 0, 0x30, 0, 0, 0, 0x50]);
        let mut board = Board::unstarted(&properties);
        board.bench.load(Scope::Stream, sections).expect("the state is legal");
        assert_eq!(board.bench.port_in(0xae00, 4), 0x30);
        assert_eq!(board.bench.port_in(0xae00, 4), up_after);
        assert_eq!(board.bench.port_in(0xae04, 4), 0x50);
        board.bench.port_out(0xae08, 4, 0x10);
        assert_eq!(board.bench.port_in(0xae04, 4), 0x40);
        board.reset();
        assert_eq!(board.bench.port_in(0xae04, 4), 0);
    }
}

const BRIDGES: &str = "acpi-pci-hotplug-with-bridge-support";

#[test]
fn a_general_call_writes_to_all_and_reads_from_none() {
    let mut board = board(&[]);
    let bench = &mut board.bench;
    let mut transact = |address: u64, command: u64, data: u64, control: u64| {
        for (port, value) in [
            (0xb100, 0xff),
            (0xb104, address),
            (0xb103, command),
            (0xb105, data),
            (0xb102, control),
        ] {
            bench.port_out(port, 1, value);
        }
        (bench.port_in(0xb100, 1), bench.port_in(0xb105, 1))
    };
    // Byte data, at once.
    assert_eq!(transact(0x00, 0x20, 0x5a, 0x49).0, 2);
    for address in 0x50..0x58 {
        assert_eq!(transact(address << 1 | 1, 0x20, 0, 0x49), (2, 0x5a));
    }
    assert_eq!(transact(0x01, 0x20, 0, 0x49), (2, 0xff));
}

#[test]
fn another_devices_state_is_refused() {
    let mut sections = Board::new(&[]).bench.save(Scope::Stream);
    sections[0].data = vec![0x80];
    let refusal = Board::unstarted(&[]).bench.load(Scope::Stream, sections).unwrap_err();
    assert_eq!((&*refusal.section, &*refusal.field), ("i2c_bus", "saved_address"));

    // A state of a machine that saves the SMBus controller.
    let sections = Board::new(&[]).bench.save(Scope::Stream);
    let refusal = Board::unstarted(&[no("smbus-migration")]).bench.load(Scope::Stream, sections);
    assert_eq!(refusal.unwrap_err().section, "piix4_pm");
}

#[test]
fn only_the_diagnostic_build_logs_writes() {
    let mut board = board(&[]);
    board.bench.port_out(0xb002, 2, 0x120);
    let logged = board.bench.fake.take().into_iter().find_map(|effect| match effect {
        Effect::Log(line) => Some(line),
        _ => None,
    });
    let expected = cfg!(feature = "traced").then(|| "pm1-event+0x2 <- 0x0120".to_owned());
    assert_eq!(logged, expected);
    assert_eq!(Piix4Pm::describe().build.is_empty(), expected.is_none());
}
