//! A component that has been compiled and has said what it is.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use super::bindings::device_component::southbridge::device as contract;
use super::compiler::Compiler;
use super::hash::Sha256;
use super::instance::{Environment, Instance};
use super::outside::Outside;
use super::ticker::Ticker;
use super::{Description, Engine, Error, Limits, Property, Resources, SlotId, description};

/// The package of the contract, without its version.
const PACKAGE: &str = "southbridge:device/";

/// The version of the contract this host speaks.
const VERSION: &str = "0.2.0";

/// An interface of the contract that a device may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Output lines; granted to every device.
    Lines,
    /// Mappings of regions; granted to every device.
    Regions,
    /// Timers; granted to every device.
    Timers,
    /// Messages for the operator; granted to every device.
    Log,
    /// The machine's power state.
    Power,
    /// Character streams.
    Streams,
    /// Windows in which the device decides whether RAM answers.
    RamWindows,
    /// Configuration cycles on a PCI bus of its own.
    PciBus,
    /// Transfers on an I2C bus of its own.
    I2cBus,
    /// Transfers on the DMA channels of an ISA bus of its own.
    IsaDmaBus,
    /// The guest's memory, as a bus master reaches it.
    Dma,
    /// Its own blocks of memory.
    Memories,
    /// Named data for the guest.
    Files,
    /// Media in its drives.
    Storage,
}

impl Interface {
    const ALL: [Self; 14] = [
        Self::Lines,
        Self::Regions,
        Self::Timers,
        Self::Log,
        Self::Power,
        Self::Streams,
        Self::RamWindows,
        Self::PciBus,
        Self::I2cBus,
        Self::IsaDmaBus,
        Self::Dma,
        Self::Memories,
        Self::Files,
        Self::Storage,
    ];

    /// Whether a device has the interface without being granted it: it reaches
    /// only what the device itself declared.
    #[must_use]
    pub const fn is_free(self) -> bool {
        matches!(self, Self::Lines | Self::Regions | Self::Timers | Self::Log)
    }

    /// The interface's name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Regions => "regions",
            Self::Timers => "timers",
            Self::Log => "log",
            Self::Power => "power",
            Self::Streams => "streams",
            Self::RamWindows => "ram-windows",
            Self::PciBus => "pci-bus",
            Self::I2cBus => "i2c-bus",
            Self::IsaDmaBus => "isa-dma-bus",
            Self::Dma => "dma",
            Self::Memories => "memories",
            Self::Files => "files",
            Self::Storage => "storage",
        }
    }

    fn link(self, linker: &mut Linker<Outside>) -> wasmtime::Result<()> {
        type Own = HasSelf<Outside>;
        match self {
            Self::Lines => contract::lines::add_to_linker::<_, Own>(linker, |own| own),
            Self::Regions => contract::regions::add_to_linker::<_, Own>(linker, |own| own),
            Self::Timers => contract::timers::add_to_linker::<_, Own>(linker, |own| own),
            Self::Log => contract::log::add_to_linker::<_, Own>(linker, |own| own),
            Self::Power => contract::power::add_to_linker::<_, Own>(linker, |own| own),
            Self::Streams => contract::streams::add_to_linker::<_, Own>(linker, |own| own),
            Self::RamWindows => contract::ram_windows::add_to_linker::<_, Own>(linker, |own| own),
            Self::PciBus => contract::pci_bus::add_to_linker::<_, Own>(linker, |own| own),
            Self::I2cBus => contract::i2c_bus::add_to_linker::<_, Own>(linker, |own| own),
            Self::IsaDmaBus => contract::isa_dma_bus::add_to_linker::<_, Own>(linker, |own| own),
            Self::Dma => contract::dma::add_to_linker::<_, Own>(linker, |own| own),
            Self::Memories => contract::memories::add_to_linker::<_, Own>(linker, |own| own),
            Self::Files => contract::files::add_to_linker::<_, Own>(linker, |own| own),
            Self::Storage => contract::storage::add_to_linker::<_, Own>(linker, |own| own),
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Interface {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|interface| interface.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!("no interface {name:?}; one of {} expected", names.join(", "))
        })
    }
}

/// A compiled component. Cheap to clone.
#[derive(Clone)]
pub struct Image(Arc<Inner>);

struct Inner {
    hash: String,
    size: usize,
    description: Description,
    imports: BTreeSet<Interface>,
    exports: BTreeSet<String>,
    /// Linked to all that the component imports: grants are checked before.
    linked: InstancePre<Outside>,
    ticker: Arc<Ticker>,
}

impl Image {
    pub(super) fn load(engine: &Engine, bytes: &[u8]) -> Result<Self, Error> {
        Self::load_known(engine, engine.compiler(), bytes, Sha256::of(bytes).as_str())
    }

    pub(super) fn load_known(
        engine: &Engine,
        compiler: &Compiler,
        bytes: &[u8],
        hash: &str,
    ) -> Result<Self, Error> {
        let component = compile(engine, compiler, bytes, hash)?;
        let ticker = engine.ticker().clone();
        let engine = engine.wasmtime();
        let (imports, exports) = interfaces(engine, &component)?;

        let unusable = |error: wasmtime::Error| Error::Unusable(format!("{error:#}"));
        let mut linker = Linker::new(engine);
        contract::types::add_to_linker::<_, HasSelf<Outside>>(&mut linker, |own| own)
            .and_then(|()| {
                contract::state::add_to_linker::<_, HasSelf<Outside>>(&mut linker, |own| own)
            })
            .map_err(unusable)?;
        for interface in &imports {
            interface.link(&mut linker).map_err(unusable)?;
        }
        let linked = linker.instantiate_pre(&component).map_err(unusable)?;
        let description = Instance::describe(&linked, &ticker)?;
        description::check(&description).map_err(Error::BadDescription)?;
        let size = bytes.len();
        let hash = hash.to_owned();
        let inner = Inner { hash, size, description, imports, exports, linked, ticker };
        Ok(Self(Arc::new(inner)))
    }

    /// SHA-256 of the component's bytes, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    /// Bytes of the component.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// What the device is.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// Asks the component once more what it is.
    ///
    /// # Errors
    /// It cannot be instantiated, or fails.
    pub fn describe(&self) -> Result<Description, Error> {
        Instance::describe(self.linked(), self.ticker())
    }

    /// `name version`, with the build where there is one.
    #[must_use]
    pub fn title(&self) -> String {
        let Description { name, version, build, .. } = self.description();
        if build.is_empty() {
            format!("{name} {version}")
        } else {
            format!("{name} {version}+{build}")
        }
    }

    /// The interfaces of the contract that the component imports.
    #[must_use]
    pub fn imports(&self) -> &BTreeSet<Interface> {
        &self.0.imports
    }

    /// The interfaces of the contract that the component exports, by name.
    #[must_use]
    pub fn exports(&self) -> &BTreeSet<String> {
        &self.0.exports
    }

    /// Checks that all the component imports is granted.
    ///
    /// # Errors
    /// [`Error::NotGranted`] with the first interface that is not.
    pub fn check_grants(&self, grants: &BTreeSet<Interface>) -> Result<(), Error> {
        let missing = self.imports().iter().find(|i| !i.is_free() && !grants.contains(i));
        missing.map_or(Ok(()), |interface| Err(Error::NotGranted(*interface)))
    }

    /// Makes an instance with a store of its own and configures it.
    ///
    /// # Errors
    /// An import is not granted, the component cannot be instantiated within its
    /// limits, fails, or refuses its properties.
    pub fn instantiate(&self, environment: &Environment) -> Result<Instance, Error> {
        self.check_grants(&environment.grants)?;
        Instance::new(self, environment)
    }

    /// Makes an instance that is in no machine, for what it is and saves: nothing
    /// is on its buses, and it may use whatever it imports. `name` is for messages.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub fn instantiate_alone(
        &self,
        name: &str,
        properties: Vec<Property>,
    ) -> Result<Instance, Error> {
        self.instantiate(&Environment {
            slot: SlotId(0),
            name: name.into(),
            grants: self.imports().clone(),
            properties,
            resources: Resources::none(),
            limits: Limits::default(),
        })
    }

    pub(super) fn ticker(&self) -> &Arc<Ticker> {
        &self.0.ticker
    }

    pub(super) fn linked(&self) -> &InstancePre<Outside> {
        &self.0.linked
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({}, {})", self.title(), self.hash())
    }
}

fn compile(
    engine: &Engine,
    compiler: &Compiler,
    bytes: &[u8],
    hash: &str,
) -> Result<Component, Error> {
    if let Some(component) = engine.cache().and_then(|cache| cache.find(engine.wasmtime(), hash)) {
        return Ok(component);
    }
    compiler.compile(engine, bytes, hash)
}

fn interfaces(
    engine: &wasmtime::Engine,
    component: &Component,
) -> Result<(BTreeSet<Interface>, BTreeSet<String>), Error> {
    let kind = component.component_type();
    let ours = |name: &str| {
        let (name, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
        Some((name.to_owned(), version.to_owned()))
    };

    let expected = format!("{PACKAGE}device@{VERSION}");
    let mut exports = BTreeSet::new();
    for (name, item) in kind.exports(engine) {
        let ComponentItem::ComponentInstance(_) = item.ty else { continue };
        match ours(name) {
            Some((interface, version)) if version == VERSION => {
                exports.insert(interface);
            }
            Some((interface, _)) if interface == "device" => {
                return Err(Error::OtherVersion { found: name.into(), expected });
            }
            _ => {}
        }
    }
    if !exports.contains("device") {
        return Err(Error::NotADevice { expected });
    }

    let mut imports = BTreeSet::new();
    for (name, _) in kind.imports(engine) {
        match ours(name) {
            Some((interface, version)) if version == VERSION => match interface.as_str() {
                // Types only: nothing to grant.
                "types" | "state" => {}
                other => {
                    let known = other.parse();
                    imports.insert(known.map_err(|_| Error::UnknownImport(name.into()))?);
                }
            },
            _ => return Err(Error::UnknownImport(name.into())),
        }
    }
    Ok((imports, exports))
}
