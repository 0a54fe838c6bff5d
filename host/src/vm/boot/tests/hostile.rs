//! Images that are broken, by accident or on purpose: an error, never a panic.

use proptest::prelude::*;

use super::*;

/// One image of each kind, with the format to load it as.
fn images() -> [(Format, Vec<u8>); 6] {
    let code = [0x90; 32];
    let tail = [&code[..], &multiboot_header(3, &[])].concat();
    [
        (Format::Elf, elf(false, &code, 16, &[])),
        (Format::Elf, elf(true, &code, 16, &[])),
        (Format::Elf, elf(true, &code, 0, &pvh_note(LINKED))),
        (Format::Multiboot, multiboot_flat(&code)),
        (Format::Multiboot, elf(false, &tail, 0, &[])),
        (Format::BzImage, bzimage(&code)),
    ]
}

fn as_format(format: Format, bytes: Vec<u8>) -> Kernel {
    Kernel { format, ..kernel(bytes) }
}

#[test]
fn images_truncated_anywhere_are_refused() {
    if no_kvm() {
        return;
    }
    let platform = Platform::new(&config()).expect("KVM makes machines");
    for (format, image) in images() {
        load(&as_format(format, image.clone()), platform.memory(), &()).expect("whole, it is good");
        for length in 0..image.len() {
            for format in [format, Format::Auto] {
                let kernel = as_format(format, image[..length].to_vec());
                let error = load(&kernel, platform.memory(), &())
                    .expect_err(&format!("{format:?} accepted {length} bytes"));
                let message = error.to_string();
                assert!(message.starts_with("kernel: "), "{message}");
                assert!(!message.contains('\n'), "{message}");
            }
        }
    }
}

#[test]
fn damaged_images_never_panic() {
    if no_kvm() {
        return;
    }
    let platform = Platform::new(&config()).expect("KVM makes machines");
    let images = images();
    // Offsets spread over the headers; values that break arithmetic.
    let value = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x80)];
    let damage = prop::collection::vec((0..0x280usize, value), 1..12);
    proptest!(ProptestConfig::with_cases(2000), |(which in 0..images.len(), damage in damage)| {
        let (format, mut image) = images[which].clone();
        for (offset, value) in damage {
            let offset = offset % image.len();
            image[offset] = value;
        }
        for format in [format, Format::Auto] {
            if let Err(error) = load(&as_format(format, image.clone()), platform.memory(), &()) {
                prop_assert!(error.to_string().starts_with("kernel: "));
            }
        }
    });
}

#[test]
fn contradictions_in_headers_are_named() {
    if no_kvm() {
        return;
    }
    let patched = |mut image: Vec<u8>, offset, value: &[u8]| {
        patch(&mut image, offset, value);
        refusal(&kernel(image))
    };
    let elf_64 = || elf(true, &[0x90; 32], 16, &[]);
    let multiboot = || multiboot_flat(&[0x90; 32]);
    let linux = || bzimage(&[0x90; 32]);
    for (message, expected) in [
        (patched(elf_64(), 4, &[3]), "ELF class 3 at offset 0x4: expected 1"),
        (patched(elf_64(), 5, &[2]), "ELF byte order 2 at offset 0x5"),
        (patched(elf_64(), 16, &[1]), "ELF type 1 at offset 0x10"),
        (patched(elf_64(), 18, &[40]), "ELF machine 40 at offset 0x12"),
        (patched(elf_64(), 24, &[0; 8]), "the ELF entry point 0x0 is in no loadable segment"),
        (patched(elf_64(), 54, &[8]), "ELF program headers of 8 bytes"),
        (patched(elf_64(), 56, &[0, 2]), "512 ELF program headers"),
        (patched(elf_64(), 64, &[0]), "the ELF image has no loadable segment"),
        (patched(elf_64(), 64 + 40, &[1, 0]), "0x20 bytes in the file but only 0x1 in memory"),
        (patched(elf_64(), 64 + 24, &[0xff; 8]), "where the machine has no RAM"),
        // The second segment made loadable, on top of the first.
        (
            patched(elf_64(), 64 + 56, &elf_64()[64..64 + 56]),
            "ELF segment 1 at 0x120000 to 0x120030 overlaps ELF segment 0 at 0x120000 to 0x120030",
        ),
        (patched(multiboot(), 4, &[0x0b, 0, 1, 0, 0xf3]), "asks for unknown features 0x8"),
        (patched(multiboot(), 12, &[0; 4]), "a header address below its load address"),
        (patched(multiboot(), 14, &[0x40]), "a load address before the file's start"),
        (patched(multiboot(), 20, &[1, 0, 0, 0]), "a load end address below its load address"),
        (patched(multiboot(), 24, &[1, 0, 0, 0]), "a bss end address below its load end"),
        (patched(multiboot(), 28, &[0; 4]), "an entry address outside of the image"),
        (patched(linux(), 0x206, &[0x0b]), "boot protocol 2.11 at offset 0x206"),
        (patched(linux(), 0x236, &[0]), "the kernel has no 64-bit entry"),
        (patched(linux(), 0x211, &[0]), "bzImage"),
        (patched(linux(), 0x263, &[0x80]), "the unpacked kernel needs"),
        (patched(linux(), 0x214, &[0, 0, 0, 0xf0]), "the kernel needs"),
    ] {
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
}
