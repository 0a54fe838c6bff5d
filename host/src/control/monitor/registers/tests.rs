use super::*;

/// Reads QEMU's text back.
struct Recorded<'a>(&'a str);

impl<'a> Recorded<'a> {
    /// What follows a name, up to the end of its line.
    fn after(&self, name: &str) -> Option<&'a str> {
        let found = self.0.match_indices(name).find(|(at, _)| {
            self.0[..*at].chars().next_back().is_none_or(|before| before.is_whitespace())
        });
        found.and_then(|(at, _)| self.0[at + name.len()..].lines().next())
    }

    /// The words after a name.
    fn words(&self, name: &str) -> Vec<&'a str> {
        self.after(name).into_iter().flat_map(str::split_whitespace).collect()
    }

    fn number(&self, name: &str) -> u64 {
        number(self.words(name).first().unwrap_or_else(|| panic!("no {name}")))
    }

    fn number_or_zero(&self, name: &str) -> u64 {
        self.words(name).first().map_or(0, |word| number(word))
    }

    fn segment(&self, name: &str) -> Segment {
        let words = self.words(&format!("{name:<3}="));
        let [selector, base, limit, attributes] = [0, 1, 2, 3].map(|index| number(words[index]));
        Segment {
            selector: selector as u16,
            base,
            limit: limit as u32,
            attributes: attributes as u32,
        }
    }

    fn table(&self, name: &str) -> (u64, u16) {
        let words = self.words(name);
        (number(words[0]), number(words[1]) as u16)
    }

    fn vectors(&self) -> Vectors {
        let mut vectors = Vectors { mxcsr: self.number("MXCSR=") as u32, ..Vectors::default() };
        vectors.enabled = if self.0.contains("YMM") { 7 } else { 3 };
        for (number, register) in vectors.registers.iter_mut().enumerate() {
            for (name, count) in [("XMM", 2), ("YMM", 4)] {
                let words = self.words(&format!("{name}{number:02}="));
                let words = words.iter().take(count).rev().map(|word| super::tests::number(word));
                for (word, value) in register.iter_mut().zip(words) {
                    *word = value;
                }
            }
        }
        vectors
    }

    fn state(&self) -> CpuState {
        let wide = self.0.contains("RAX=");
        let prefix = if wide { 'R' } else { 'E' };
        let mut general = [0; 16];
        let names = ["AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP"];
        for (index, value) in general.iter_mut().enumerate() {
            *value = match names.get(index) {
                Some(name) => self.number(&format!("{prefix}{name}=")),
                None => self.number_or_zero(&format!("R{index:<2}=")),
            };
        }
        let registers = std::array::from_fn(|index| {
            let words = self.words(&format!("FPR{index}="));
            (number(words[0]), number(words[1]) as u16)
        });
        CpuState {
            general,
            rip: self.number(&format!("{prefix}IP=")),
            rflags: self.number(&format!("{prefix}FL=")),
            segments: ["ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"]
                .map(|name| self.segment(name)),
            gdt: self.table("GDT="),
            idt: self.table("IDT="),
            cr0: self.number("CR0="),
            cr2: self.number("CR2="),
            cr3: self.number("CR3="),
            cr4: self.number("CR4="),
            breakpoints: std::array::from_fn(|index| self.number(&format!("DR{index}="))),
            dr6: self.number("DR6="),
            dr7: self.number("DR7="),
            efer: self.number("EFER="),
            interrupt_shadow: self.number("II=") != 0,
            smm: self.number("SMM=") != 0,
            halted: self.number("HLT=") != 0,
            fpu: Fpu {
                control: self.number("FCW=") as u16,
                status: self.number("FSW=") as u16,
                tags: self.number("FTW=") as u8,
                registers,
                last: (0, 0, 0),
            },
            protection_keys: 0,
            vectors: self.vectors(),
        }
    }
}

fn number(digits: &str) -> u64 {
    u64::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{digits:?} is no number"))
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/data/monitor/registers/", $name, ".txt"))
    };
}

/// The recordings begin with an empty line and the processor's number.
#[test]
fn the_same_registers_are_the_same_text_as_in_qemu() {
    for recorded in
        [recording!("reset"), recording!("protected"), recording!("long"), recording!("avx")]
    {
        let recorded = recorded.trim();
        let state = Recorded(recorded).state();
        assert_eq!(format!("CPU#0\n{}", text(&state)).trim_end(), recorded);
    }
}

#[test]
fn with_avx_512_there_are_masks_and_long_registers() {
    let mut state = Recorded(recording!("avx")).state();
    state.vectors.enabled = 0xe7;
    state.vectors.registers[31] = [1, 2, 3, 4, 5, 6, 7, 8];
    state.vectors.masks[3] = 0xabc;
    let text = text(&state);
    assert!(text.contains("Opmask03=0000000000000abc\n"), "{text}");
    let words: Vec<_> = (1..=8).rev().map(|word| format!("{word:016x}")).collect();
    assert!(text.ends_with(&format!("ZMM31={}\n", words.join(" "))), "{text}");
    assert!(!text.contains("YMM"));
}
