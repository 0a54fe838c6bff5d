use super::*;

const KERNEL: LocalApic = LocalApic { present: true, deadline_timer: true };

fn leaf(function: u32, index: u32, eax: u32) -> kvm_cpuid_entry2 {
    kvm_cpuid_entry2 { function, index, eax, ..Default::default() }
}

fn find(entries: &[kvm_cpuid_entry2], function: u32, index: u32) -> kvm_cpuid_entry2 {
    *entries
        .iter()
        .find(|entry| entry.function == function && entry.index == index)
        .expect("the leaf is missing")
}

#[test]
fn each_processor_is_a_core_with_its_own_apic_id() {
    let supported = [leaf(0, 0, 0x1f), leaf(1, 0, 0), leaf(0xb, 0, 7)];
    for cpu in 0..6 {
        let entries = adapt(&supported, Place { cpu, cpus: 6 }, KERNEL);
        let features = find(&entries, 1, 0);
        assert_eq!(features.ebx, cpu << 24 | 6 << 16);
        assert_eq!(features.edx >> 28 & 1, 1, "HTT");
        for function in [0xb, 0x1f] {
            let (thread, core) = (find(&entries, function, 0), find(&entries, function, 1));
            assert_eq!((thread.eax, thread.ebx, thread.ecx), (0, 1, 0x100));
            assert_eq!((core.eax, core.ebx, core.ecx), (3, 6, 0x201));
            assert_eq!((thread.edx, core.edx), (cpu, cpu));
            assert_eq!(find(&entries, function, 2).ecx, 2);
        }
    }
}

#[test]
fn one_processor_has_no_siblings() {
    let supported = [leaf(0, 0, 4), leaf(1, 0, 0), leaf(4, 3, 0xffff_c063)];
    let entries = adapt(&supported, Place { cpu: 0, cpus: 1 }, KERNEL);
    assert_eq!(find(&entries, 1, 0).ebx, 1 << 16);
    assert_eq!(find(&entries, 1, 0).edx >> 28 & 1, 0, "HTT");
    assert_eq!(find(&entries, 4, 3).eax, 0x63);
    assert!(entries.iter().all(|entry| !is_topology(entry.function)));
}

#[test]
fn only_the_last_cache_level_is_shared() {
    // Level 1 data, level 2 unified, level 3 unified, end of the list.
    let supported = [
        leaf(4, 0, 0x21),
        leaf(4, 1, 0x43),
        leaf(4, 2, 0x63),
        leaf(4, 3, 0),
        leaf(0x8000_001d, 0, 0x63),
    ];
    let entries = adapt(&supported, Place { cpu: 2, cpus: 4 }, KERNEL);
    assert_eq!(find(&entries, 4, 0).eax, 3 << 26 | 0x21);
    assert_eq!(find(&entries, 4, 1).eax, 3 << 26 | 0x43);
    assert_eq!(find(&entries, 4, 2).eax, 3 << 26 | 3 << 14 | 0x63);
    assert_eq!(find(&entries, 4, 3).eax, 0);
    assert_eq!(find(&entries, 0x8000_001d, 0).eax, 3 << 14 | 0x63);
}

#[test]
fn without_a_local_apic_its_features_are_hidden() {
    let mut supported = [leaf(1, 0, 0), leaf(0x4000_0000, 0, 0x4000_0001)];
    supported[0].ecx = 1 << 21 | 1 << 24;
    supported[1].ebx = u32::from_le_bytes(*b"KVMK");
    let none = LocalApic { present: false, deadline_timer: true };
    let entries = adapt(&supported, Place { cpu: 0, cpus: 1 }, none);
    assert_eq!(find(&entries, 1, 0).ecx, 1 << 31);
    assert_eq!(find(&entries, 0x4000_0000, 0), supported[1]);
}
