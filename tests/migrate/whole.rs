//! Whole machines: guest memory with the devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::Effects;
use southbridge::machine::file::Parameters;
use southbridge::machine::{Backends, DeviceRequest, Machine, Plan, Unconnected};
use southbridge::migrate::{Blocks, NotArrived, Progress, RunStateName, load, plan_for, save};
use southbridge::vm::{Image, RamLayout, Rom, Roms};
use vm_memory::{Bytes as _, GuestAddress, GuestMemoryMmap};
use vmstate::{Layouts, Stream};

use super::{library, machine_type};
use crate::data::golden;

pub(crate) const MIB: u64 = 1 << 20;
const FOUR_GIB: u64 = 1 << 32;

/// Where RAM lies: 2 MiB below 4 GiB, and so much above.
fn layout(size: u64) -> RamLayout {
    let below = if size > 4 * MIB { size } else { 2 * MIB };
    RamLayout { size, below_4g_limit: below + MIB, below_4g_split: below }
}

/// A machine with memory, which has not been started.
pub(crate) struct Whole {
    pub(crate) machine: Arc<Machine>,
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) ram: GuestMemoryMmap,
    pub(crate) roms: Roms,
}

impl Whole {
    /// A machine of a type with 3 MiB of RAM, of which 1 MiB lies above 4 GiB, and with
    /// firmware of which each byte is this.
    pub(crate) fn new(name: &str, firmware: u8) -> Self {
        Self::planned(name, &[], Some(firmware), &Backends::default())
    }

    /// The machine that a stream is of, as far as it tells, without firmware.
    fn of(stream: &Stream, name: &str) -> Self {
        let plan = plan_for(stream, &machine_type(name), library(), None).unwrap();
        let ram = stream.live.blocks.iter().find(|block| block.name == "pc.ram");
        let layout = layout(ram.map_or(16 * MIB, |block| block.size));
        Self::with(&plan, &layout, None, &Backends::default())
    }

    /// The same with a display, whose ROM is this.
    pub(crate) fn with_display(name: &str, rom: &[u8]) -> Self {
        let display = DeviceRequest::new("VGA");
        let roms = [("vgabios-stdvga.bin".to_owned(), Arc::from(rom))].into();
        let backends = Backends { roms, ..Backends::default() };
        Self::planned(name, &[display], Some(0), &backends)
    }

    fn planned(
        name: &str,
        devices: &[DeviceRequest],
        firmware: Option<u8>,
        backends: &Backends,
    ) -> Self {
        let parameters = Parameters::new(1, 3 * MIB);
        let plan = Plan::new(&machine_type(name), devices, library(), parameters).unwrap();
        let layout = RamLayout { size: 3 * MIB, below_4g_limit: 3 * MIB, below_4g_split: 2 * MIB };
        Self::with(&plan, &layout, firmware, backends)
    }

    fn with(plan: &Plan, layout: &RamLayout, firmware: Option<u8>, backends: &Backends) -> Self {
        let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
        let machine = Machine::build(plan, clock, board, backends, Arc::new(|_| {}));
        let rom = firmware.map(|byte| Rom::new(Image::new("rom", vec![byte; 64 << 10])).unwrap());
        let (ram, roms) = (layout.allocate().unwrap(), Roms::new(rom.as_ref()).unwrap());
        let blocks = Arc::new(Blocks::new(&ram, &roms));
        Self { machine: machine.unwrap(), blocks, ram, roms }
    }

    pub(crate) fn write(&self, address: u64, bytes: &[u8]) {
        self.ram.write_slice(bytes, GuestAddress(address)).unwrap();
    }

    pub(crate) fn read<const N: usize>(&self, address: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.ram.read_slice(&mut bytes, GuestAddress(address)).unwrap();
        bytes
    }

    /// Puts something here and there into memory, and a value into a device.
    pub(crate) fn use_it(&self) {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for base in (0..2 * MIB).chain(FOUR_GIB..FOUR_GIB + MIB).step_by(0x3000) {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            self.write(base + random % 0xff0, &random.to_le_bytes());
        }
        // A page that is one byte, though not zero.
        self.write(0x5000, &[0xee; 4096]);
        self.machine.port_write(APMS, 1, 0x5a, &mut Effects::new());
    }

    pub(crate) fn apms(&self) -> u64 {
        self.machine.port_read(APMS, 1, &mut Effects::new())
    }

    pub(crate) fn save(&self, run_state: RunStateName) -> Vec<u8> {
        let mut bytes = Vec::new();
        let progress = Progress::default();
        save(&self.machine, &self.blocks, &run_state.into(), &mut bytes, &progress).unwrap();
        let counts = progress.counts();
        assert_eq!((counts.remaining, counts.transferred), (0, bytes.len() as u64));
        assert_eq!((counts.normal + counts.duplicate) << 12, counts.total);
        bytes
    }

    pub(crate) fn load(&self, bytes: &[u8]) -> Result<southbridge::migrate::Arrived, NotArrived> {
        let (mut source, progress) = (bytes, Progress::default());
        let arrived = load(&self.machine, &self.blocks, None, &mut source, &progress)?;
        assert_eq!(progress.counts().transferred, bytes.len() as u64);
        Ok(arrived)
    }

    /// All of RAM.
    pub(crate) fn content(&self) -> Vec<u8> {
        let read = |address, size: u64| {
            let mut bytes = vec![0; size as usize];
            self.ram.read_slice(&mut bytes, GuestAddress(address)).unwrap();
            bytes
        };
        [read(0, 2 * MIB), read(FOUR_GIB, MIB)].concat()
    }
}

/// A register that every machine saves.
const APMS: u16 = 0xb3;

#[test]
fn a_machine_goes_on_elsewhere() {
    let types = ["xenfv-3.1", "xenfv-4.2", "pc-i440fx-2.4", "pc-i440fx-7.2", "pc-i440fx-10.0"];
    let known = southbridge::machine::file::MachineTypes::builtin().unwrap();
    let mut count = 0;
    for name in types.into_iter().filter(|name| known.get(name).is_ok()) {
        let (here, there) = (Whole::new(name, 0x11), Whole::new(name, 0x22));
        here.use_it();
        there.write(0x1000, &[0x77; 4096]);
        there.write(FOUR_GIB, &[0x77; 8]);
        let option_rom = GuestAddress(0xc_0000);
        here.roms.options().write_slice(&[0x55, 0xaa], option_rom).unwrap();
        let bytes = here.save(RunStateName::RUNNING);
        let stream = Stream::read(&bytes, Layouts::builtin()).unwrap();
        let migration = machine_type(name).migration;
        assert_eq!(stream.configuration.is_some(), migration.send_configuration, "{name}");
        assert_eq!(stream.devices.description.is_some(), !migration.suppress_vmdesc, "{name}");
        let commands = if migration.send_switchover_start { vec![11] } else { vec![] };
        assert_eq!(stream.live.commands, commands, "{name}");
        let sizes = stream.live.blocks.iter().map(|block| (block.name.as_str(), block.size));
        let expected = [("pc.ram", 3 * MIB), ("pc.rom", 128 << 10), ("pc.bios", 64 << 10)];
        assert!(sizes.eq(expected), "{name}");

        let arrived = there.load(&bytes).unwrap();
        assert!(there.content() == here.content(), "{name}");
        assert_eq!(there.apms(), 0x5a, "{name}");
        let state = migration.store_global_state.then_some(RunStateName::RUNNING);
        assert_eq!(arrived.run_state, state, "{name}");
        assert_eq!(
            (arrived.kept.len(), arrived.kept_blocks.len()),
            (usize::from(state.is_some()), 0)
        );
        // Firmware and option ROMs are those of the other side now.
        let mut rom = [0; 2];
        let firmware = there.roms.firmware().unwrap();
        firmware.read_slice(&mut rom, GuestAddress(FOUR_GIB - 2)).unwrap();
        assert_eq!(rom, [0x11; 2], "{name}");
        there.roms.options().read_slice(&mut rom, option_rom).unwrap();
        assert_eq!(rom, [0x55, 0xaa], "{name}");
        // And back.
        assert!(there.save(RunStateName::RUNNING) == bytes, "{name}");
        count += 1;
    }
    assert!(count >= 4, "{count} machine types");
}

#[test]
fn the_run_state_is_the_callers() {
    let here = Whole::new("pc-i440fx-7.2", 0);
    for state in [RunStateName::PAUSED, RunStateName::SHUTDOWN, RunStateName::PRELAUNCH] {
        let there = Whole::new("pc-i440fx-7.2", 0);
        assert_eq!(there.load(&here.save(state)).unwrap().run_state, Some(state));
        // Saved again, the caller says it again.
        let again = Stream::read(&there.save(RunStateName::RUNNING), Layouts::builtin()).unwrap();
        let section = again.devices.section("globalstate", 0).unwrap();
        assert_eq!(section.payload[..12], *b"\0\0\0\x08running\0");
        assert_eq!(section.payload.len(), 104);
    }
}

/// Of each stream that QEMU wrote the memory arrives, what is not this machine's is
/// kept, and all is saved again.
#[test]
fn memory_that_qemu_saved_is_saved_again() {
    let (mut count, mut with_display) = (0, 0);
    for golden in golden().iter().filter(|golden| golden.name.ends_with(".bin")) {
        let name = golden.name.split('/').nth(1).unwrap();
        if golden.name.contains("nobridge") || golden.name.contains("+accel=xen") {
            continue;
        }
        let stream = golden.read();
        let whole = Whole::of(&stream, name);
        whole.write(0x1000, &[0x77; 4096]);
        let arrived = whole.load(&golden.bytes);
        let arrived = arrived.unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        assert_eq!(whole.read::<4096>(0x1000), [0; 4096], "{}", golden.name);
        // A display takes its memory; that of other machines' displays is kept.
        let displays = stream.devices.sections.iter().filter(|section| section.kind() == "vga");
        let displays: Vec<_> =
            displays.filter_map(|section| section.name.strip_suffix("/vga")).collect();
        let is_own = |block: &str| match block.rsplit_once('/') {
            None => {
                ["pc.ram", "pc.rom"].contains(&block) || block == "vga.vram" && !displays.is_empty()
            }
            Some((path, name)) => {
                displays.contains(&path) && ["vga.vram", "vga.rom"].contains(&name)
            }
        };
        let foreign = stream.live.blocks.iter().filter(|block| !is_own(&block.name));
        let foreign: Vec<_> = foreign.map(|block| (block.name.clone(), block.size)).collect();
        assert_eq!(arrived.kept_blocks, foreign, "{}", golden.name);

        let state = arrived.run_state.unwrap_or(RunStateName::PAUSED);
        let again = whole.save(state);
        let read = Stream::read(&again, Layouts::builtin()).unwrap();
        assert_eq!(read.live.id, stream.live.id, "{}", golden.name);
        assert_eq!(read.live.commands, stream.live.commands, "{}", golden.name);
        let sorted = |stream: &Stream| {
            let mut blocks = stream.live.blocks.clone();
            blocks.sort_by(|a, b| a.name.cmp(&b.name));
            blocks
        };
        assert_eq!(sorted(&read), sorted(&stream), "{}", golden.name);
        assert_eq!(pages(&again), pages(&golden.bytes), "{}", golden.name);
        // The devices are what the tests of devices alone say they are.
        let expected = whole.machine.save_stream().unwrap().devices.write();
        assert!(again.ends_with(&expected), "{}", golden.name);
        count += 1;
        with_display += displays.len();
    }
    assert!(count >= 80 && with_display >= 8, "{count} streams, {with_display} with a display");
}

/// A block's name and a page's offset.
type Place = (String, u64);

/// The pages of a stream that are not zero.
fn pages(bytes: &[u8]) -> BTreeMap<Place, Vec<u8>> {
    #[derive(Default)]
    struct Pages(Vec<String>, BTreeMap<Place, Vec<u8>>);
    impl vmstate::ram::Memory for Pages {
        fn blocks(
            &mut self,
            _: Option<&vmstate::Configuration>,
            blocks: &[vmstate::ram::Block],
        ) -> Result<(), String> {
            self.0 = blocks.iter().map(|block| block.name.clone()).collect();
            Ok(())
        }
        fn bytes(&mut self, block: usize, offset: u64, bytes: &[u8]) -> Result<(), String> {
            // The stream is taken as a whole, so pages are whole.
            self.1.insert((self.0[block].clone(), offset), bytes.to_vec());
            Ok(())
        }
        fn fill(&mut self, block: usize, offset: u64, byte: u8) -> Result<(), String> {
            assert_eq!(byte, 0);
            self.1.remove(&(self.0[block].clone(), offset));
            Ok(())
        }
    }
    let mut pages = Pages::default();
    vmstate::Scanner::new().push_into(bytes, &mut pages).unwrap();
    pages.1
}

#[test]
fn devices_alone_as_xen_wants_them() {
    for golden in golden().iter().filter(|golden| golden.name.ends_with(".xsds")) {
        let name = golden.name.split('/').nth(1).unwrap();
        if golden.name.contains("nobridge") || golden.name.contains("+accel=xen") {
            continue;
        }
        let whole = Whole::of(&golden.read(), name);
        whole.machine.load_devices(&golden.bytes).unwrap();
        let state = RunStateName::PAUSED;
        let saved = whole.machine.save_devices(&state.into()).unwrap();
        let read = Stream::read(&saved, Layouts::builtin()).unwrap();
        assert!(read.configuration.is_none() && read.devices.description.is_none());
        assert!(read.live.range.is_empty() && saved.starts_with(b"QEVM\0\0\0\x03\x04"));
        let names = |stream: &Stream| {
            stream.devices.sections.iter().map(|section| section.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&read), names(&golden.read()), "{}", golden.name);
        assert_eq!(read.devices.footers, golden.read().devices.footers, "{}", golden.name);
    }
    let whole = Whole::new("xenfv-4.2", 0);
    let error = whole.machine.load_devices(b"QEVN").unwrap_err();
    assert_eq!(error.len(), 1);
}
