//! What the recordings cannot show: how the controller waits for the host.

use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::{Failure, PropertyValue};
use southbridge_sdk::{Device, IsaDmaTarget};

use super::{drives, image, result, send, status};
use crate::media::{Kind, recognize};
use crate::{DREQ, Fdc, IRQ};

fn with_disk() -> Bench<Fdc> {
    let mut bench = Bench::<Fdc>::configured(&drives("auto", "none"));
    bench.insert_disk(0, image(2880));
    bench.reset();
    bench
}

#[test]
fn dreq_is_high_while_there_is_data() {
    let mut bench = with_disk();
    send(&mut bench, &[0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff]);
    assert_eq!((status(&mut bench), bench.fake.line(DREQ)), (0x10, false));
    assert!(bench.end_request(None));
    assert!(bench.fake.line(DREQ));
    let taken = bench.call(|fdc, cx| fdc.take(cx, 1024));
    assert_eq!(taken, image(1), "one sector, and the next one is asked for");
    assert!(!bench.fake.line(DREQ));
    assert!(bench.end_request(None));
    let taken = bench.call(|fdc, cx| fdc.take(cx, 512));
    assert_eq!(taken, image(2)[512..]);
    bench.call(|fdc, cx| fdc.terminal_count(cx));
    assert!(bench.fake.line(IRQ) && !bench.fake.line(DREQ));
    assert_eq!(result(&mut bench), [0, 0, 0, 0, 0, 3, 2]);
    assert!(!bench.fake.line(IRQ));
    // What was read ahead comes too late, and changes nothing.
    bench.end_requests();
    assert_eq!((status(&mut bench), bench.fake.line(DREQ)), (0x80, false));
}

#[test]
fn the_fifo_is_not_ready_while_the_host_reads() {
    let mut bench = with_disk();
    send(&mut bench, &[3, 0xdf, 3, 0xe6, 0, 0, 0, 1, 2, 2, 0x1b, 0xff]);
    assert_eq!(status(&mut bench), 0x70);
    assert_eq!(bench.port_in(0x3f5, 1), 0, "nothing is taken");
    assert!(bench.end_request(None));
    for byte in image(1) {
        assert_eq!(status(&mut bench), 0xf0);
        assert_eq!(bench.port_in(0x3f5, 1), u64::from(byte));
    }
    assert_eq!(status(&mut bench), 0x70);
    assert!(bench.end_request(Some(Failure::Io)));
    let zeros: u64 = (0..512).map(|_| bench.port_in(0x3f5, 1)).sum();
    assert_eq!(zeros, 0, "what cannot be read is zero, as in QEMU");
}

#[test]
fn a_part_of_a_sector_is_put_into_what_is_there() {
    let mut bench = with_disk();
    send(&mut bench, &[0x45, 0, 0, 0, 1, 2, 1, 0x1b, 0xff]);
    assert!(bench.fake.line(DREQ));
    assert_eq!(bench.call(|fdc, cx| fdc.give(cx, &[0xaa; 100])), 100);
    bench.call(|fdc, cx| fdc.terminal_count(cx));
    bench.end_requests();
    let written = &bench.fake.media[&0].data[..512];
    assert_eq!((&written[..100], &written[100..]), (&[0xaa; 100][..], &image(1)[100..]));
    assert_eq!(result(&mut bench)[..3], [0, 0, 0]);
}

#[test]
fn a_failed_write_is_told() {
    let mut bench = with_disk();
    send(&mut bench, &[0x45, 0, 0, 0, 1, 2, 1, 0x1b, 0xff]);
    assert_eq!(bench.call(|fdc, cx| fdc.give(cx, &[0xaa; 512])), 512);
    assert!(bench.end_request(Some(Failure::NoSpace)));
    assert_eq!(result(&mut bench)[0], 0x60);
}

#[test]
fn sizes_tell_formats() {
    let of = |size, kind| {
        let format = recognize(size, kind, Kind::Ed288);
        (format.kind, format.sectors, format.tracks, format.sides, format.rate)
    };
    assert_eq!(of(2880, None), (Kind::Hd144, 18, 80, 2, 0));
    assert_eq!(of(5760, None), (Kind::Ed288, 36, 80, 2, 3));
    assert_eq!(of(2400, None), (Kind::Hd120, 15, 80, 2, 0));
    assert_eq!(of(1440, None), (Kind::Hd144, 9, 80, 2, 2));
    assert_eq!(of(1440, Some(Kind::Hd120)), (Kind::Hd120, 9, 80, 2, 2));
    assert_eq!(of(720, None), (Kind::Hd120, 9, 40, 2, 1));
    assert_eq!(of(720, Some(Kind::Ed288)), (Kind::Hd144, 9, 80, 1, 2));
    assert_eq!(of(320, None), (Kind::Hd120, 8, 40, 1, 2));
    assert_eq!(of(1, None), (Kind::Ed288, 36, 80, 2, 3));
    assert_eq!(of(1, Some(Kind::Hd120)), (Kind::Hd120, 15, 80, 2, 0));
}

#[test]
fn properties_are_checked() {
    use southbridge_sdk::fake::{Fake, override_properties};
    use southbridge_sdk::{Context, Properties};
    let refused = |name, value| {
        let given = override_properties(&Fdc::describe(), &[(name, value)]);
        let mut fake = Fake::default();
        Fdc::configure(&Properties::new(given), &mut Context::new(0, &mut fake)).err()
    };
    let text = |text: &str| PropertyValue::Text(text.into());
    for name in ["drive-type-a", "drive-type-b", "fdtypeA", "fdtypeB"] {
        assert!(refused(name, text("none")).is_none());
        assert!(refused(name, text("1440")).expect("refused").contains(name));
    }
    assert!(refused("fallback", text("auto")).expect("refused").contains("fallback"));
    assert!(refused("iobase", PropertyValue::Number(0xfff9)).expect("refused").contains("iobase"));
}
