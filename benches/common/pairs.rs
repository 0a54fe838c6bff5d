//! The program and QEMU measured in turns.

use super::spread::Spread;

/// Measures both `pairs` times, in turns, and prints the least, the median and the
/// greatest value of each and of the ratio of each pair.
pub(crate) fn compare(
    what: &str,
    pairs: usize,
    mut ours: impl FnMut() -> f64,
    mut theirs: impl FnMut() -> f64,
) {
    let pairs: Vec<(f64, f64)> = (0..pairs).map(|_| (ours(), theirs())).collect();
    let head = format!("{what}, {} pairs", pairs.len());
    println!("{head:<44}{:>10}{:>10}{:>10}", "min", "median", "max");
    print("Southbridge", pairs.iter().map(|(ours, _)| *ours));
    print("QEMU", pairs.iter().map(|(_, theirs)| *theirs));
    print("Southbridge to QEMU", pairs.iter().map(|(ours, theirs)| ours / theirs));
}

fn print(what: &str, values: impl Iterator<Item = f64>) {
    let spread = Spread::new(values);
    let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
    println!("{what:<44}{low:>10.2}{median:>10.2}{high:>10.2}");
}
