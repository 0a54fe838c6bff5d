//! The demonstration.

use southbridge::demo;

#[test]
fn the_demonstration_runs_clean() {
    if std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1") {
        return;
    }
    let report = demo::run(&mut |line| println!("{line}")).unwrap();
    println!("{report}");
    assert_eq!(report.guest_errors, 0);
    assert!(report.swaps >= 100);
    assert!(report.turns as u64 > report.swaps, "the guest must run between the swaps");
}
