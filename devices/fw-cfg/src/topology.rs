//! Sockets, cores and threads, and the APIC ids that follow from them.

/// The most processors an x86 machine can have in QEMU's tables.
const MOST: u16 = 288;

/// How many processors there are, and how they hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Topology {
    pub(crate) present: u16,
    pub(crate) most: u16,
    pub(crate) sockets: u16,
    pub(crate) cores: u16,
    pub(crate) threads: u16,
}

impl Topology {
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { present, most, sockets, cores, threads } = *self;
        if !(1..=MOST).contains(&most) || !(1..=most).contains(&present) {
            return Err(format!(
                "properties smp-cpus and max-cpus: {present} and {most}, expected 1 to {MOST}"
            ));
        }
        let product = u64::from(sockets) * u64::from(cores) * u64::from(threads);
        if product != u64::from(most) {
            return Err(format!(
                "properties sockets, cores and threads: {sockets}, {cores} and {threads}, \
                 expected max-cpus ({most}) as their product"
            ));
        }
        Ok(())
    }

    /// Sockets with a processor in them now.
    pub(crate) const fn present_sockets(&self) -> u16 {
        self.present.div_ceil(self.cores * self.threads)
    }

    /// The APIC id of a processor: socket, core and thread, each in as many bits
    /// as it takes (Intel SDM, volume 3, "Hierarchical Mapping of Shared
    /// Resources").
    pub(crate) const fn apic_id(&self, processor: u16) -> u32 {
        let (cores, threads) = (self.cores as u32, self.threads as u32);
        let processor = processor as u32;
        let (thread, core) = (processor % threads, processor / threads % cores);
        let socket = processor / threads / cores;
        (socket << bits(cores) | core) << bits(threads) | thread
    }

    /// One above the greatest APIC id.
    pub(crate) const fn apic_id_limit(&self) -> u32 {
        self.apic_id(self.most - 1) + 1
    }
}

/// How many bits tell `count` things apart.
const fn bits(count: u32) -> u32 {
    u32::BITS - (count - 1).leading_zeros()
}
