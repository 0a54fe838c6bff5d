//! Which node processors and memory belong to.

use crate::topology::Topology;

/// The most nodes QEMU knows.
const MOST_NODES: usize = 128;

/// A node: bytes of memory, and the processors in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    memory: u64,
    processors: Vec<u16>,
}

/// The nodes, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numa {
    nodes: Vec<Node>,
}

impl Numa {
    /// Parses nodes, separated by spaces, each `BYTES` or `BYTES:PROCESSORS` with
    /// processors as in `0-3,6`.
    pub(crate) fn parse(text: &str, topology: &Topology) -> Result<Self, String> {
        let nodes: Option<Vec<_>> =
            text.split_whitespace().map(|node| Node::parse(node, topology.most)).collect();
        match nodes {
            Some(nodes) if nodes.len() <= MOST_NODES => Ok(Self { nodes }),
            _ => Err(format!("property numa: {text:?}, expected e.g. `1073741824:0-1,4 4096:2`")),
        }
    }

    /// Bytes of memory of each node.
    pub(crate) fn memory(&self) -> impl Iterator<Item = u64> + '_ {
        self.nodes.iter().map(|node| node.memory)
    }

    /// The entry: the number of nodes, the node of each APIC id, the memory of each
    /// node.
    pub(crate) fn encode(&self, topology: &Topology) -> Vec<u8> {
        let mut of_processors = vec![0_u64; topology.apic_id_limit() as usize];
        for (number, node) in (0..).zip(&self.nodes) {
            for &processor in &node.processors {
                if let Some(place) = of_processors.get_mut(topology.apic_id(processor) as usize) {
                    *place = number;
                }
            }
        }
        let words = [self.nodes.len() as u64].into_iter().chain(of_processors);
        words.chain(self.memory()).flat_map(u64::to_le_bytes).collect()
    }
}

impl Node {
    fn parse(text: &str, most: u16) -> Option<Self> {
        let (memory, processors) = text.split_once(':').unwrap_or((text, ""));
        let mut node = Self { memory: memory.parse().ok()?, processors: Vec::new() };
        for range in processors.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
            if first > last || last >= most {
                return None;
            }
            node.processors.extend(first..=last);
        }
        Some(node)
    }
}
