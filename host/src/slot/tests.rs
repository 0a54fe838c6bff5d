//! States as the contract describes them, compared and made older.

use super::GivenProperty;
use super::compare::{check, fits};
use super::downgrade::downgrade;
use super::properties::fill;
use crate::component::{
    Field, PropertyDeclaration, PropertyValue, Section, SectionDescription, StateDescription,
    Structure,
};

fn field(name: &str, size: u32) -> Field {
    Field {
        name: name.into(),
        type_name: "uint".into(),
        version: 1,
        size,
        count: 1,
        condition: None,
        structure: None,
    }
}

fn structure(name: &str, version: u32, fields: Vec<Field>) -> Structure {
    let (minimum_version, subsections) = (1, Vec::new());
    Structure { name: name.into(), version, minimum_version, fields, subsections }
}

/// Two pins of two bytes each, a flag, and a subsection with a byte.
fn description() -> StateDescription {
    let pins = Field { count: 2, structure: Some(1), ..field("pin", 2) };
    let mut device = structure("device", 1, vec![field("flag", 1), pins]);
    device.subsections.push(2);
    let pin = structure("pin", 1, vec![field("level", 1), field("mask", 1)]);
    let extra = structure("device/extra", 1, vec![field("byte", 1)]);
    StateDescription {
        sections: vec![SectionDescription {
            name: "device".into(),
            has_path: false,
            condition: None,
            structure: 0,
        }],
        structures: vec![device, pin, extra],
    }
}

/// The same with a field more at the end of each pin.
fn later() -> StateDescription {
    let mut description = description();
    description.structures[0].version = 2;
    description.structures[0].fields[1].size = 4;
    description.structures[1].fields.push(field("edges", 2));
    description
}

fn section(version: u32, fields: &[u8], subsection: u8) -> Section {
    let mut data = fields.to_vec();
    data.extend(b"\x05\x0cdevice/extra\0\0\0\x01");
    data.push(subsection);
    Section { name: "device".into(), version, data }
}

#[test]
fn the_same_state_is_the_same() {
    let saved = [section(1, &[1, 2, 3, 4, 5], 6)];
    check(&description(), &saved, &description(), &saved).unwrap();
}

#[test]
fn a_field_that_differs_is_named_with_its_path() {
    let saved = [section(1, &[1, 2, 3, 4, 5], 6)];
    let cases = [
        (section(1, &[9, 2, 3, 4, 5], 6), "device.flag is 09, was 01"),
        (section(1, &[1, 2, 3, 4, 9], 6), "device.pin[1].mask is 09, was 05"),
        (section(1, &[1, 2, 3, 4, 5], 9), "device/device/extra.byte is 09, was 06"),
    ];
    for (kept, reason) in cases {
        let result = check(&description(), &saved, &description(), &[kept]);
        assert_eq!(result, Err(reason.into()));
    }
}

#[test]
fn a_field_that_only_one_version_has_is_its_own_affair() {
    let old = [section(1, &[1, 2, 3, 4, 5], 6)];
    let new = [section(2, &[1, 2, 3, 7, 7, 4, 5, 8, 8], 6)];
    check(&description(), &old, &later(), &new).unwrap();
    check(&later(), &new, &description(), &old).unwrap();
    let new = [section(2, &[1, 2, 3, 7, 7, 4, 9, 8, 8], 6)];
    let result = check(&description(), &old, &later(), &new);
    assert_eq!(result, Err("device.pin[1].mask is 09, was 05".into()));
}

#[test]
fn data_that_is_not_as_described_is_refused() {
    let saved = [section(1, &[1, 2, 3, 4, 5], 6)];
    let refused = |kept: Section, description: &StateDescription| {
        check(&self::description(), &saved, description, &[kept]).unwrap_err()
    };
    let mut short = saved[0].clone();
    short.data.pop();
    let error = refused(short.clone(), &description());
    assert_eq!(error, "new version: device/device/extra.byte: the data is shorter than described");
    let error = fits(&description(), &[short]).unwrap_err();
    assert_eq!(error, "device/device/extra.byte: the data is shorter than described");
    fits(&description(), &saved).unwrap();
    let mut long = saved[0].clone();
    long.data.push(0);
    let error = refused(long, &description());
    assert_eq!(error, "new version: section device: 1 bytes more than described");
    let mut other = saved[0].clone();
    other.name = "other".into();
    let error = refused(other, &description());
    assert_eq!(error, "new version: section other is saved, not described");
    // A hostile description: a structure that contains itself.
    let mut endless = description();
    endless.structures[1].fields[0].structure = Some(1);
    let error = refused(section(1, &[9; 5], 6), &endless);
    assert!(error.ends_with("no such structure"), "{error}");
}

#[test]
fn sections_of_one_name_may_have_different_fields() {
    let mut two = description();
    two.structures.push(structure("device", 1, vec![field("other", 2)]));
    two.sections.push(SectionDescription { structure: 3, ..two.sections[0].clone() });
    let first = section(1, &[1, 2, 3, 4, 5], 6);
    let second = Section { data: vec![7, 8], ..first.clone() };
    let saved = [first, second];
    let mut kept = saved.clone();
    kept[1].data[1] = 9;
    let result = check(&two, &saved, &two, &kept);
    assert_eq!(result, Err("device#1.other is 0709, was 0708".into()));
    let same = downgrade(&two, saved.to_vec(), &two).unwrap();
    assert!(same.iter().zip(&saved).all(|(a, b)| a.data == b.data));
}

#[test]
fn a_later_state_is_cut_to_what_the_older_version_describes() {
    let new = [section(2, &[1, 2, 3, 7, 7, 4, 5, 8, 8], 6)];
    let cut = downgrade(&later(), new.to_vec(), &description()).unwrap();
    let old = section(1, &[1, 2, 3, 4, 5], 6);
    let [cut] = &cut[..] else { panic!("one section expected") };
    assert_eq!((&cut.name, cut.version, &cut.data), (&old.name, 1, &old.data));
    check(&later(), &new, &description(), std::slice::from_ref(cut)).unwrap();
}

#[test]
fn a_state_that_is_not_later_stays_as_it_is() {
    for (from, to) in [(description(), description()), (description(), later())] {
        let saved = section(1, &[1, 2, 3, 4, 5], 6);
        let kept = downgrade(&from, vec![saved.clone()], &to).unwrap();
        assert_eq!((kept[0].version, &kept[0].data), (1, &saved.data));
    }
}

#[test]
fn a_section_that_would_lack_a_field_is_left_for_the_device_to_refuse() {
    let mut older = description();
    older.structures[1].fields.push(field("gone", 1));
    let new = section(2, &[1, 2, 3, 7, 7, 4, 5, 8, 8], 6);
    let kept = downgrade(&later(), vec![new.clone()], &older).unwrap();
    assert_eq!((kept[0].version, &kept[0].data), (2, &new.data));
}

#[test]
fn a_section_the_older_version_does_not_know_is_left_out() {
    let mut from = later();
    let mut other = from.sections[0].clone();
    other.name = "other".into();
    from.sections.push(other);
    let known = section(2, &[1, 2, 3, 7, 7, 4, 5, 8, 8], 6);
    let unknown = Section { name: "other".into(), ..known.clone() };
    let cut = downgrade(&from, vec![known, unknown], &description()).unwrap();
    let names: Vec<_> = cut.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["device"]);
}

#[test]
fn properties_are_those_the_device_declares() {
    let declare = |name: &str, default| PropertyDeclaration {
        name: name.into(),
        summary: String::new(),
        default,
    };
    let declared = [
        declare("a", PropertyValue::Number(1)),
        declare("b", PropertyValue::Flag(false)),
        declare("c", PropertyValue::Text("x".into())),
    ];
    let give = |name: &str, value| GivenProperty { name: name.into(), value };
    let given = [
        give("c", PropertyValue::Text("y".into())),
        // Another type, and a name that this version does not have.
        give("b", PropertyValue::Number(1)),
        give("d", PropertyValue::Flag(true)),
    ];
    let filled = fill(&declared, &given);
    let names: Vec<_> = filled.iter().map(|property| property.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(matches!(filled[0].value, PropertyValue::Number(1)));
    assert!(matches!(filled[1].value, PropertyValue::Flag(false)));
    assert!(matches!(&filled[2].value, PropertyValue::Text(text) if text == "y"));
}
