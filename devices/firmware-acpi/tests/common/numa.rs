//! Nodes of processors and memory on a command line.

use firmware_acpi::Numa;

use super::options::{Argument, Options, size};

/// Nodes: what each has.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    memory: Vec<u64>,
    processors: Vec<(u32, u32)>,
    distances: Vec<(usize, usize, u8)>,
}

impl Nodes {
    pub(crate) fn named(options: &Options) -> Option<Self> {
        let mut nodes = Self::default();
        for numa in options.all("numa") {
            match numa.first {
                "node" => nodes.add(options, &numa),
                "dist" => nodes.add_distance(&numa),
                "cpu" => nodes.processors.push((
                    numa.number("socket-id").expect("a socket"),
                    numa.number("node-id").expect("a node"),
                )),
                other => panic!("{other}: not known"),
            }
        }
        (!nodes.memory.is_empty()).then_some(nodes)
    }

    /// One node that has all.
    pub(crate) fn one(memory: u64) -> Self {
        let processors = (0..255).map(|processor| (processor, 0)).collect();
        Self { memory: vec![memory], processors, distances: Vec::new() }
    }

    pub(crate) fn of_processor(&self, index: u32) -> Option<u32> {
        self.processors.iter().find(|(processor, _)| *processor == index).map(|(_, node)| *node)
    }

    pub(crate) fn into_numa(self) -> Option<Numa> {
        let distances = (!self.distances.is_empty()).then(|| self.matrix());
        Some(Numa { nodes: self.memory, distances })
    }

    fn add(&mut self, options: &Options, numa: &Argument<'_>) {
        let node = u32::try_from(self.memory.len()).expect("a node");
        let of = |id: &str| {
            let object = options.all("object").find(|object| object.get("id") == Some(id));
            size(object.expect("an object").get("size").expect("a size"))
        };
        let memory = numa.get("mem").map_or(0, size);
        self.memory.push(numa.get("memdev").map_or(memory, of));
        if let Some(range) = numa.get("cpus") {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u32>().expect("a processor");
            let processors = number(first)..=number(last);
            self.processors.extend(processors.map(|processor| (processor, node)));
        }
    }

    fn add_distance(&mut self, numa: &Argument<'_>) {
        let number = |key: &str| numa.number(key).expect("a number");
        let distance = u8::try_from(number("val")).expect("a distance");
        self.distances.push((number("src") as usize, number("dst") as usize, distance));
    }

    /// Given in one direction, a distance holds for the other; a node is near
    /// itself.
    fn matrix(&self) -> Vec<Vec<u8>> {
        const NEAR: u8 = 10;
        let count = self.memory.len();
        let mut matrix = vec![vec![NEAR; count]; count];
        for (from, to, distance) in &self.distances {
            matrix[*from][*to] = *distance;
            matrix[*to][*from] = *distance;
        }
        matrix
    }
}
