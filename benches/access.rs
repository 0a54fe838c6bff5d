//! One access to the power management device, by five paths:
//!
//! - `native`: the device compiled for this processor, called as a library;
//! - `instance`: the component, called through its instance;
//! - `slot`: the same in a slot, with its lock, its count and its effects;
//! - `machine`: from the port number to the applied effects;
//! - `timed`: the same, with the time in the device measured.
//!
//! All take the time from the same kind of clock, as an access in a guest does.

mod common {
    pub(crate) mod machine;
    pub(crate) mod plan;
    pub(crate) mod plug;
}

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use piix4_pm::Piix4Pm;
use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine, Environment, Image, Limits, Resources, SlotId};
use southbridge::library::Library;
use southbridge::slot::Part;
use southbridge_sdk::wit::{Level, Mode, Nanoseconds, Piece, Property, Request, WakeupReason};
use southbridge_sdk::{Context, Device, Properties};

use common::machine::machine;
use common::plan::{PM_BASE, PM_TIMER};
use common::plug::plug;

/// An access to a register.
struct Access {
    name: &'static str,
    region: &'static str,
    offset: u64,
    size: u8,
    port: u16,
}

/// PMTMR.
const TIMER: Access =
    Access { name: "pm-timer-read", region: "pm-timer", offset: 0, size: 4, port: PM_TIMER };

/// SMBHSTSTS.
const SMBUS: Access =
    Access { name: "smbus-read", region: "smbus", offset: 0, size: 1, port: 0xb100 };

/// PMEN. The timer's status bit is set from the start, so that each change of
/// its enable bit moves the SCI.
const ENABLE: Access =
    Access { name: "sci-write", region: "pm1-event", offset: 2, size: 2, port: PM_BASE + 2 };

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let image = library.get("piix4-pm").expect("it is in the program");
    reads(&mut criterion, &library, &image, &TIMER);
    reads(&mut criterion, &library, &image, &SMBUS);
    writes(&mut criterion, &library, &image, &ENABLE);
    criterion.final_summary();
}

fn reads(criterion: &mut Criterion, library: &Library, image: &Image, access: &Access) {
    let Access { name, offset, size, port, .. } = *access;
    let region = region(image, access);
    let clock = running();
    let mut effects = Effects::with_capacity(64);
    let mut group = criterion.benchmark_group(name);

    let (mut device, mut outside) = native();
    group.bench_function("native", |bencher| {
        bencher.iter(|| {
            let mut cx = Context::new(clock.now(), &mut outside);
            device.io_read(&mut cx, black_box(region), offset, size)
        });
    });
    let mut instance = instance(image);
    group.bench_function("instance", |bencher| {
        bencher.iter(|| instance.io_read(black_box(region), offset, size, clock.now()));
    });
    let slot = plug(image, &clock);
    slot.reset(&mut effects);
    group.bench_function("slot", |bencher| {
        bencher.iter(|| slot.read(black_box(region), offset, size, Part::First, &mut effects));
    });
    let machine = machine(library, Arc::new(|_| {}));
    group.bench_function("machine", |bencher| {
        bencher.iter(|| machine.port_read(black_box(port), size, &mut effects));
    });
    machine.measure_time(true);
    group.bench_function("timed", |bencher| {
        bencher.iter(|| machine.port_read(black_box(port), size, &mut effects));
    });
    group.finish();
}

fn writes(criterion: &mut Criterion, library: &Library, image: &Image, access: &Access) {
    let Access { name, offset, size, port, .. } = *access;
    let region = region(image, access);
    let clock = running();
    let mut effects = Effects::with_capacity(64);
    let mut value = 0;
    let mut toggle = move || {
        value ^= 1;
        value
    };
    let mut group = criterion.benchmark_group(name);

    let (mut device, mut outside) = native();
    for value in [1, 0] {
        device.io_write(&mut Context::new(0, &mut outside), region, offset, size, value);
    }
    assert_eq!(outside.changes, 2, "the SCI does not move");
    group.bench_function("native", |bencher| {
        bencher.iter(|| {
            let mut cx = Context::new(clock.now(), &mut outside);
            device.io_write(&mut cx, black_box(region), offset, size, toggle());
        });
    });
    let mut instance = instance(image);
    group.bench_function("instance", |bencher| {
        bencher.iter(|| {
            let done = instance.io_write(black_box(region), offset, size, toggle(), clock.now());
            instance.take_effects(&mut effects);
            effects.clear();
            done
        });
    });
    let slot = plug(image, &clock);
    slot.reset(&mut effects);
    group.bench_function("slot", |bencher| {
        bencher.iter(|| {
            slot.write(black_box(region), offset, size, toggle(), Part::First, &mut effects);
            effects.clear();
        });
    });
    let machine = machine(library, Arc::new(|_| {}));
    group.bench_function("machine", |bencher| {
        bencher.iter(|| machine.port_write(black_box(port), size, toggle(), &mut effects));
    });
    machine.measure_time(true);
    group.bench_function("timed", |bencher| {
        bencher.iter(|| machine.port_write(black_box(port), size, toggle(), &mut effects));
    });
    group.finish();
}

fn running() -> Arc<Clock> {
    let clock = Arc::new(Clock::new());
    clock.start();
    clock
}

fn region(image: &Image, access: &Access) -> u32 {
    let regions = &image.description().regions;
    let found = regions.iter().position(|region| region.name == access.region);
    found.expect("the device declares it") as u32
}

/// A configured instance after a reset.
fn instance(image: &Image) -> southbridge::component::Instance {
    let properties = &image.description().properties;
    let default =
        |property: &southbridge::component::PropertyDeclaration| southbridge::component::Property {
            name: property.name.clone(),
            value: property.default.clone(),
        };
    let environment = Environment {
        slot: SlotId(0),
        name: "bench".into(),
        grants: image.imports().clone(),
        properties: properties.iter().map(default).collect(),
        resources: Resources::none(),
        limits: Limits::default(),
    };
    let mut instance = image.instantiate(&environment).expect("the device is sound");
    instance.reset(0).expect("the device is sound");
    instance
}

/// The same device as native code, after a reset.
fn native() -> (Piix4Pm, Outside) {
    let declared = Piix4Pm::describe().properties.into_iter();
    let defaults = declared.map(|p| Property { name: p.name, value: p.default });
    let properties = Properties::new(defaults.collect());
    let mut outside = Outside::default();
    let mut cx = Context::new(0, &mut outside);
    let mut device = Piix4Pm::configure(&properties, &mut cx).expect("the defaults are sound");
    device.reset(&mut cx);
    (device, outside)
}

/// As little of a machine as a native device can do with: it counts changes of
/// its lines.
#[derive(Default)]
struct Outside {
    level: [bool; 2],
    changes: u64,
}

impl southbridge_sdk::Machine for Outside {
    fn set_line(&mut self, line: u32, level: bool) {
        let known = &mut self.level[line as usize & 1];
        self.changes += u64::from(*known != level);
        *known = level;
    }

    fn map(&mut self, _region: u32, _base: u64, _priority: u8) {}

    fn unmap(&mut self, _region: u32) {}

    fn arm(&mut self, _timer: u32, _deadline: Nanoseconds) {}

    fn disarm(&mut self, _timer: u32) {}

    fn log(&mut self, _level: Level, _message: &str) {}

    fn ask_power(&mut self, _request: Request) {}

    fn exit(&mut self, _status: u8) {}

    fn enable_wakeup(&mut self, _reason: WakeupReason, _enabled: bool) {}

    fn wake(&mut self, _reason: WakeupReason) {}

    fn put(&mut self, _stream: u32, _byte: u8) {}

    fn ready(&mut self, _stream: u32) {}

    fn set_window(&mut self, _window: u32, _mode: Mode) {}

    fn pci_read(&mut self, _bus: u32, _devfn: u8, _offset: u16, _size: u8) -> u32 {
        u32::MAX
    }

    fn pci_write(&mut self, _bus: u32, _devfn: u8, _offset: u16, _size: u8, _value: u32) {}

    fn i2c_start(&mut self, _bus: u32, _address: u8, _read: bool) -> bool {
        false
    }

    fn i2c_send(&mut self, _bus: u32, _address: u8, _byte: u8) -> bool {
        false
    }

    fn i2c_receive(&mut self, _bus: u32, _address: u8) -> u8 {
        0xff
    }

    fn i2c_nack(&mut self, _bus: u32, _address: u8) {}

    fn i2c_stop(&mut self, _bus: u32, _address: u8) {}

    fn isa_dma_take(&mut self, _bus: u32, _channel: u8, _length: u32) -> Vec<u8> {
        Vec::new()
    }

    fn isa_dma_give(&mut self, _bus: u32, _channel: u8, _data: &[u8]) -> u32 {
        0
    }

    fn isa_dma_terminal_count(&mut self, _bus: u32, _channel: u8) {}

    fn dma_load(&mut self, _address: u64, _size: u8) -> u64 {
        u64::MAX
    }

    fn dma_read(&mut self, _address: u64, _length: u32) -> Vec<u8> {
        Vec::new()
    }

    fn dma_write(&mut self, _address: u64, _data: &[u8]) {}

    fn dma_message(&mut self, _address: u64, _data: u32) {}

    fn memory_load(&mut self, _memory: u32, _offset: u64, _size: u8) -> u64 {
        0
    }

    fn memory_store(&mut self, _memory: u32, _offset: u64, _size: u8, _value: u64) {}

    fn memory_read(&mut self, _memory: u32, _offset: u64, _length: u32) -> Vec<u8> {
        Vec::new()
    }

    fn memory_write(&mut self, _memory: u32, _offset: u64, _data: &[u8]) {}

    fn file_count(&mut self) -> u32 {
        0
    }

    fn file_name(&mut self, _file: u32) -> String {
        String::new()
    }

    fn file_size(&mut self, _file: u32) -> u64 {
        0
    }

    fn file_load(&mut self, _file: u32, _offset: u64, _size: u8) -> u64 {
        0
    }

    fn file_to_memory(&mut self, _file: u32, _offset: u64, _address: u64, _length: u32) {}

    fn drive_read(&mut self, _drive: u32, _tag: u32, _offset: u64, _length: u32) {}

    fn drive_write(&mut self, _drive: u32, _tag: u32, _offset: u64, _data: &[u8]) {}

    fn drive_to_memory(&mut self, _drive: u32, _tag: u32, _offset: u64, _pieces: &[Piece]) {}

    fn drive_from_memory(&mut self, _drive: u32, _tag: u32, _offset: u64, _pieces: &[Piece]) {}

    fn drive_flush(&mut self, _drive: u32, _tag: u32) {}

    fn drive_tray(&mut self, _drive: u32, _open: bool) {}

    fn drive_lock(&mut self, _drive: u32, _locked: bool) {}
}
