//! A device on the bench.

use access::{Rules, Sizes, UNASSIGNED};

use super::{Bytes, Fake};
use crate::state;
use crate::wit::{
    AccessSizes, Description, Nanoseconds, Property, PropertyValue, Refusal, Region, Scope,
    Section, Space,
};
use crate::{Context, Device, Properties};

/// A device with a [`Fake`] machine around it.
pub struct Bench<D> {
    /// The device.
    pub device: D,
    /// The machine around it.
    pub fake: Fake,
    pub(super) description: Description,
}

/// The declared properties with some of their defaults replaced.
///
/// # Panics
/// A name is not declared.
#[must_use]
pub fn override_properties(
    description: &Description,
    overrides: &[(&str, PropertyValue)],
) -> Vec<Property> {
    let declared = description.properties.iter();
    for (name, _) in overrides {
        assert!(declared.clone().any(|p| p.name == *name), "property {name} is not declared");
    }
    let value = |name: &str, default: &PropertyValue| {
        let found = overrides.iter().find(|(other, _)| *other == name);
        found.map_or_else(|| default.clone(), |(_, value)| value.clone())
    };
    declared.map(|p| Property { name: p.name.clone(), value: value(&p.name, &p.default) }).collect()
}

impl<D: Device> Bench<D> {
    /// A device with its default properties, after a reset at time 0.
    #[must_use]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A device with some properties set, after a reset at time 0.
    ///
    /// # Panics
    /// The device refuses its properties.
    #[must_use]
    pub fn with(properties: &[(&str, PropertyValue)]) -> Self {
        let mut bench = Self::configured(properties);
        bench.reset();
        bench
    }

    /// A device that has been configured, and neither reset nor loaded yet.
    ///
    /// # Panics
    /// The device refuses its properties.
    #[must_use]
    pub fn configured(properties: &[(&str, PropertyValue)]) -> Self {
        Self::configured_in(Fake::default(), properties)
    }

    /// As [`Bench::configured`], in a machine that is there already: with files.
    ///
    /// # Panics
    /// The device refuses its properties.
    #[must_use]
    pub fn configured_in(mut fake: Fake, properties: &[(&str, PropertyValue)]) -> Self {
        let description = D::describe();
        let properties = Properties::new(override_properties(&description, properties));
        let blocks = (0..).zip(&description.memories);
        fake.memories =
            blocks.map(|(memory, block)| (memory, Bytes::zeros(block.size as usize))).collect();
        let device = D::configure(&properties, &mut Context::new(0, &mut fake));
        let device = device.unwrap_or_else(|error| panic!("configure: {error}"));
        Self { device, fake, description }
    }

    /// Calls the device at the current time.
    pub fn call<R>(&mut self, call: impl FnOnce(&mut D, &mut Context<'_>) -> R) -> R {
        call(&mut self.device, &mut Context::new(self.fake.now, &mut self.fake))
    }

    /// A system reset.
    pub fn reset(&mut self) {
        self.call(D::reset);
    }

    /// Changes an input line.
    pub fn line(&mut self, line: u32, level: bool) {
        self.call(|device, cx| device.line_changed(cx, line, level));
    }

    /// Moves time on, firing each timer at its deadline.
    pub fn advance(&mut self, duration: Nanoseconds) {
        let end = self.fake.now + duration;
        while let Some((&timer, &deadline)) =
            self.fake.timers.iter().filter(|(_, at)| **at <= end).min_by_key(|(_, at)| **at)
        {
            self.fake.timers.remove(&timer);
            self.fake.now = self.fake.now.max(deadline);
            self.call(|device, cx| device.timer_expired(cx, timer));
        }
        self.fake.now = end;
    }

    /// Reads a region directly, within its `valid` sizes.
    pub fn read(&mut self, region: u32, offset: u64, size: u8) -> u64 {
        let rules = self.rules(region);
        self.call(|device, cx| {
            access::read(&rules, offset, size, |at, width| device.io_read(cx, region, at, width))
        })
    }

    /// Writes a region directly, within its `valid` sizes.
    pub fn write(&mut self, region: u32, offset: u64, size: u8, value: u64) {
        let rules = self.rules(region);
        self.call(|device, cx| {
            access::write(&rules, offset, size, value, |at, width, part| {
                device.io_write(cx, region, at, width, part);
            });
        });
    }

    /// Reads ports as a processor does; where no region is mapped, ones.
    pub fn port_in(&mut self, port: u16, size: u8) -> u64 {
        let (mut value, mut done) = (0, 0);
        while done < size {
            let (target, rules, offset) = self.resolve(port, done);
            let width = access::chunk(&rules, offset, (size - done).into());
            let part = match target {
                Some(region) => self.read(region, offset, width),
                None => access::mask(width),
            };
            value |= part << (8 * done);
            done += width;
        }
        value
    }

    /// Writes ports as a processor does.
    pub fn port_out(&mut self, port: u16, size: u8, value: u64) {
        let mut done = 0;
        while done < size {
            let (target, rules, offset) = self.resolve(port, done);
            let width = access::chunk(&rules, offset, (size - done).into());
            if let Some(region) = target {
                self.write(region, offset, width, value >> (8 * done) & access::mask(width));
            }
            done += width;
        }
    }

    /// Whether a region of the device answers at a port.
    #[must_use]
    pub fn has_port(&self, port: u16) -> bool {
        self.resolve(port, 0).0.is_some()
    }

    /// Reads memory where the device answers; zeros elsewhere. Blocks of its own
    /// memory are reached through [`Fake::memories`](Fake).
    pub fn memory_in(&mut self, address: u64, size: u8) -> u64 {
        match self.memory_region(address) {
            Some((region, offset)) => self.read(region, offset, size),
            None => 0,
        }
    }

    /// Writes memory where the device answers.
    pub fn memory_out(&mut self, address: u64, size: u8, value: u64) {
        if let Some((region, offset)) = self.memory_region(address) {
            self.write(region, offset, size, value);
        }
    }

    /// Reads the device's configuration space, as the bus above does.
    ///
    /// # Panics
    /// The device has none.
    pub fn configuration_read(&mut self, offset: u16, size: u8) -> u32 {
        self.read(self.configuration(), offset.into(), size) as u32
    }

    /// Writes the device's configuration space, as the bus above does.
    ///
    /// # Panics
    /// The device has none.
    pub fn configuration_write(&mut self, offset: u16, size: u8, value: u32) {
        self.write(self.configuration(), offset.into(), size, value.into());
    }

    /// Saves the device.
    pub fn save(&mut self, scope: Scope) -> Vec<Section> {
        state::save(&mut self.device, scope, self.fake.now)
    }

    /// Loads a state into the device, which should be fresh from
    /// [`Bench::configured`].
    ///
    /// # Errors
    /// The device refuses the state.
    pub fn load(&mut self, scope: Scope, sections: Vec<Section>) -> Result<(), Refusal> {
        self.call(|device, cx| state::load(device, scope, sections, cx))
    }

    /// A fresh device with the same properties that has taken over everything
    /// from this one, as when the host exchanges a device for another version.
    /// The machine around it is at the same time, and has seen what the
    /// successor did while it was loaded.
    ///
    /// # Panics
    /// The state is refused, or the successor's own state, lines, mappings or
    /// timers differ from it.
    pub fn successor(&mut self, properties: &[(&str, PropertyValue)]) -> Self {
        let machine = Fake { files: self.fake.files.clone(), ..Fake::default() };
        let mut successor = Self::configured_in(machine, properties);
        successor.fake.now = self.fake.now;
        let saved = self.save(Scope::Whole);
        if let Err(Refusal { section, field, offset, reason }) =
            successor.load(Scope::Whole, saved.clone())
        {
            panic!("{section}, {field} at {offset}: {reason}");
        }
        let plain = |sections: Vec<Section>| -> Vec<_> {
            sections.into_iter().map(|s| (s.name, s.version, s.data)).collect()
        };
        assert_eq!(plain(successor.save(Scope::Whole)), plain(saved), "state");
        for (line, declared) in (0..).zip(&self.description.lines) {
            let (found, expected) = (successor.fake.line(line), self.fake.line(line));
            assert_eq!(found, expected, "line {}", declared.name);
        }
        assert_eq!(successor.fake.mappings, self.fake.mappings, "mappings");
        assert_eq!(successor.fake.timers, self.fake.timers, "timers");
        successor
    }

    /// Checks that another device, which has taken over from this one, answers and does
    /// the same as this one to each of some events. What both did before does not count.
    ///
    /// # Panics
    /// It does not.
    pub fn assert_goes_on<E, R: PartialEq + std::fmt::Debug>(
        &mut self,
        new: &mut Self,
        events: &[E],
        mut happen: impl FnMut(&mut Self, &E) -> R,
    ) {
        self.fake.take();
        new.fake.take();
        for event in events {
            assert_eq!(happen(self, event), happen(new, event), "answer");
            assert_eq!(self.fake.take(), new.fake.take(), "effects");
        }
    }

    /// The region that a part of an access begins in, its rules, and the offset
    /// in it. As in QEMU that region takes all of the part, even what lies
    /// behind its end or under a region of higher priority: a 32-bit write to
    /// port 0xcf8 is one write although port 0xcf9 belongs to another device.
    fn resolve(&self, port: u16, done: u8) -> (Option<u32>, Rules, u64) {
        let address = u64::from(port) + u64::from(done);
        let hits = self.fake.mappings.iter().filter(|&(&region, &(base, _))| {
            let declared = &self.description.regions[region as usize];
            let ports = matches!(declared.space, Space::Port);
            ports && (base..base.saturating_add(declared.size)).contains(&address)
        });
        match hits.max_by_key(|(_, (_, priority))| priority) {
            Some((&region, (base, _))) => (Some(region), self.rules(region), address - base),
            None => (None, UNASSIGNED, address),
        }
    }

    fn memory_region(&self, address: u64) -> Option<(u32, u64)> {
        let hits = self.fake.mappings.iter().filter(|&(&region, &(base, _))| {
            let declared = &self.description.regions[region as usize];
            let ours = matches!(declared.space, Space::Memory) && declared.backing.is_none();
            ours && (base..base.saturating_add(declared.size)).contains(&address)
        });
        let (&region, (base, _)) = hits.max_by_key(|(_, (_, priority))| priority)?;
        Some((region, address - base))
    }

    fn configuration(&self) -> u32 {
        let is_it = |region: &Region| matches!(region.space, Space::Configuration);
        let found = self.description.regions.iter().position(is_it);
        found.expect("a PCI function declares its configuration space") as u32
    }

    fn rules(&self, region: u32) -> Rules {
        let region = &self.description.regions[region as usize];
        Rules { valid: sizes(region.valid), implemented: sizes(region.implemented) }
    }
}

impl<D: Device> Default for Bench<D> {
    fn default() -> Self {
        Self::new()
    }
}

fn sizes(sizes: AccessSizes) -> Sizes {
    let AccessSizes { min, max, unaligned } = sizes;
    Sizes { min, max, unaligned }
}
