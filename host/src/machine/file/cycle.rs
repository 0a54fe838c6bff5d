//! Wires must not lead from a device back to itself.
//!
//! The host applies a device's line changes after its call, and each may call
//! another device. Only if no path of wires is a circle is it certain that
//! this ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalog, Direction, Error, MachineType, Origin, Target};

/// The interrupt outputs of a PCI function. The contract fixes the names, and
/// the host wires them to the device that carries the bus.
const PCI_INTERRUPTS: [&str; 4] = ["inta", "intb", "intc", "intd"];

/// A wire between two devices.
struct Edge<'a> {
    to: &'a str,
    /// `pm.sci -> pic:irq9`.
    label: String,
    origin: &'a Origin,
}

type Graph<'a> = BTreeMap<&'a str, Vec<Edge<'a>>>;

/// Refuses a machine whose wires form a circle.
pub(super) fn check(machine: &MachineType, catalog: &dyn Catalog) -> Result<(), Error> {
    let graph = graph(machine, catalog);
    let stuck = stuck(&graph);
    let Some(&start) = stuck.first() else {
        return Ok(());
    };
    // Each stuck device has an edge to a stuck device: following them must
    // come back to one that was passed.
    let mut passed = Vec::new();
    let mut path: Vec<&Edge<'_>> = Vec::new();
    let mut at = start;
    while !passed.contains(&at) {
        passed.push(at);
        let onward = graph.get(at).into_iter().flatten();
        let Some(edge) = onward.into_iter().find(|edge| stuck.contains(edge.to)) else {
            return Ok(());
        };
        path.push(edge);
        at = edge.to;
    }
    let from = passed.iter().position(|&device| device == at).unwrap_or(0);
    let circle: Vec<&str> = path[from..].iter().map(|edge| edge.label.as_str()).collect();
    Err(path[from].origin.error(format!("wires form a circle: {}", circle.join(", "))))
}

/// The devices from which wires lead to a circle: what remains once those
/// without an onward wire have been taken away, again and again.
fn stuck<'a>(graph: &Graph<'a>) -> BTreeSet<&'a str> {
    let mut remaining: BTreeSet<&str> = graph.keys().copied().collect();
    loop {
        let leads_on = |device: &&str| {
            let edges = graph.get(*device).into_iter().flatten();
            edges.into_iter().any(|edge| remaining.contains(edge.to))
        };
        let kept: BTreeSet<&str> = remaining.iter().copied().filter(leads_on).collect();
        if kept.len() == remaining.len() {
            return remaining;
        }
        remaining = kept;
    }
}

fn graph<'a>(machine: &'a MachineType, catalog: &dyn Catalog) -> Graph<'a> {
    let mut graph = Graph::new();
    for device in &machine.devices {
        let edges = graph.entry(device.id.as_str()).or_default();
        for (line, wire) in &device.wires {
            if let Target::Line { device: to, .. } = &wire.value {
                edges.push(Edge {
                    to,
                    label: format!("{}.{line} -> {}", device.id, wire.value),
                    origin: &wire.origin,
                });
            }
        }
        let Some(place) = &device.at else { continue };
        let component = catalog.component(&device.component.value);
        let interrupts = component.into_iter().flat_map(|described| &described.lines);
        for (line, direction) in interrupts {
            if *direction == Direction::Output && PCI_INTERRUPTS.contains(&line.as_str()) {
                edges.push(Edge {
                    to: &place.value.device,
                    label: format!("{}.{line} -> {} (its bus)", device.id, place.value.device),
                    origin: &place.origin,
                });
            }
        }
    }
    graph
}
