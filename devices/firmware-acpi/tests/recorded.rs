//! The files of every recorded machine, byte for byte.

mod common;

use common::{board, cases, inspect};

#[test]
fn every_recorded_machine_is_made_alike() {
    let cases = cases();
    assert!(cases.len() > 500, "{} cases", cases.len());
    let differences: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let made = firmware_acpi::build(&board::of(case));
            let difference = inspect::difference(&made, &case.tables)?;
            Some(format!("{}: {difference}", case.name))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n")
    );
}
