//! The saved state.

use southbridge_sdk::fake::Bench;
use southbridge_sdk::state::describe;
use southbridge_sdk::wit::{Refusal, Scope, Section};

use super::{drives, result, send};
use crate::{DREQ, Fdc, IRQ};

/// What QEMU 7.2 and 10.0 save on every machine without drives, whatever else was
/// done to it (cases reset, poked, full, libxl).
fn recorded() -> Vec<u8> {
    include_bytes!("../../../../tests/data/sections/reset/fdc.bin").to_vec()
}

fn subsection(name: &str, fields: &[u8]) -> Vec<u8> {
    [&[5, name.len() as u8], name.as_bytes(), &[0, 0, 0, 1], fields].concat()
}

fn load(data: Vec<u8>) -> Result<Bench<Fdc>, Refusal> {
    let mut bench = Bench::<Fdc>::configured(&drives("none", "none"));
    let section = Section { name: "fdc".into(), version: 2, data };
    bench.load(Scope::Stream, vec![section]).map(|()| bench)
}

fn reason(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut data = recorded();
    change(&mut data);
    load(data).err().expect("refused").reason
}

#[test]
fn it_is_what_qemu_saves() {
    let mut bench = Bench::<Fdc>::with(&drives("none", "none"));
    let saved = bench.save(Scope::Stream);
    assert_eq!(saved.len(), 1);
    assert_eq!((saved[0].version, saved[0].data.len()), (2, 593));
    assert_eq!(saved[0].data, recorded());
    let mut loaded = load(recorded()).expect("QEMU's own state");
    assert_eq!(loaded.save(Scope::Stream)[0].data, recorded());
}

#[test]
fn what_has_happened_adds_subsections() {
    let mut bench = Bench::<Fdc>::with(&drives("none", "none"));
    bench.port_out(0x3f2, 1, 0);
    bench.port_out(0x3f2, 1, 0x0c);
    assert!(bench.fake.line(IRQ));
    let data = bench.save(Scope::Stream).remove(0).data;
    let expected = subsection("fdc/reset_sensei", &[0, 0, 0, 4]);
    assert!(data.ends_with(&expected));
    let mut loaded = load(data).expect("a legal state");
    assert!(loaded.fake.line(IRQ));
    for drive in 0..4 {
        send(&mut loaded, &[8]);
        assert_eq!(result(&mut loaded), [0xc0 + drive, 0]);
    }
    send(&mut loaded, &[8]);
    assert_eq!(result(&mut loaded), [0x80]);

    send(&mut loaded, &[0x4a, 0]);
    let data = loaded.save(Scope::Stream).remove(0).data;
    assert!(data.ends_with(&subsection("fdc/result_timer", &20_000_000_u64.to_be_bytes())));
    let mut loaded = load(data).expect("a legal state");
    loaded.advance(20_000_000);
    assert_eq!(result(&mut loaded)[..3], [0, 0, 0]);
}

#[test]
fn a_transfer_goes_on_where_it_was_saved() {
    let given = drives("144", "none");
    let mut bench = Bench::<Fdc>::configured(&given);
    bench.insert_disk(0, super::image(2880));
    bench.reset();
    send(&mut bench, &[0x46, 0, 0, 0, 3, 2, 18, 0x1b, 0xff]);
    bench.end_requests();
    let saved = bench.save(Scope::Stream);
    assert_eq!(saved[0].data[9], 0x46, "the FIFO has the command, as in QEMU");
    let mut other = Bench::<Fdc>::configured(&given);
    other.insert_disk(0, super::image(2880));
    other.load(Scope::Stream, saved).expect("a legal state");
    assert!(!other.fake.line(DREQ), "nothing has been read yet");
    other.end_requests();
    assert!(other.fake.line(DREQ));
    let taken = other.call(|fdc, cx| southbridge_sdk::IsaDmaTarget::take(fdc, cx, 512));
    assert_eq!(taken, super::image(3)[1024..]);
}

#[test]
fn indices_and_phases_are_checked() {
    let set = |at: usize, value: u8| move |data: &mut Vec<u8>| data[at] = value;
    assert_eq!(reason(set(529, 2)), "2 found, 0 or 1 expected");
    assert_eq!(reason(set(530, 6)), "6 found, 0 to 5 expected");
    assert_eq!(reason(set(538, 4)), "4 found, 2 expected");
    assert!(reason(set(524, 1)).starts_with("data_pos 1 and data_len 1 in a command"));
    assert!(reason(set(521, 0x7f)).starts_with("data_pos 2130706432"));
    assert!(reason(set(528, 19)).contains("at most 18"));
    let phase = |phase| move |data: &mut Vec<u8>| data.extend(subsection("fdc/phase", &[phase]));
    assert_eq!(reason(phase(4)), "4 found, 0 to 3 expected");
    assert_eq!(reason(phase(2)), "msr 0x80 in phase 2: bit 5 expected set");
    assert_eq!(reason(phase(3)), "msr 0x80 in phase 3: bit 6 expected set");
    let senses = |data: &mut Vec<u8>| data.extend(subsection("fdc/reset_sensei", &[0, 0, 0, 5]));
    assert_eq!(reason(senses), "5 found, 0 to 4 expected");
}

#[test]
fn the_description_has_qemus_names() {
    let mut bench = Bench::<Fdc>::new();
    let description = describe(&mut bench.device);
    let row = |index: u32| &description.structures[index as usize];
    let outer = row(description.sections[0].structure);
    let state = row(outer.fields[0].structure.expect("a structure"));
    let names: Vec<_> = state.fields.iter().filter(|f| f.condition.is_none()).collect();
    let names: Vec<_> = names.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names[..4], ["sra", "srb", "dor_vmstate", "tdr"]);
    assert_eq!(names[names.len() - 3..], ["num_floppies", "drives[0]", "drives[1]"]);
    let subsections: Vec<_> = state.subsections.iter().map(|i| row(*i).name.as_str()).collect();
    assert_eq!(subsections, ["fdc/reset_sensei", "fdc/result_timer", "fdc/phase"]);
}
