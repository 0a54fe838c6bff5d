//! Values in, values out. What QEMU says to what is no JSON is in
//! `tests/qmp/recorded.rs`.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::control::qmp::Error;

fn read(pieces: &[&[u8]]) -> Vec<Result<Value, Error>> {
    let mut reader = Reader::new();
    let mut values = Vec::new();
    for piece in pieces {
        let mut piece = *piece;
        while let Some(value) = reader.next(&mut piece) {
            values.push(value);
        }
        assert!(piece.is_empty(), "it takes all there is");
    }
    values
}

fn text(value: &Value, style: Style) -> String {
    let mut text = Vec::new();
    write(value, style, &mut text);
    String::from_utf8(text).unwrap()
}

/// What QEMU 7.2 writes.
#[test]
fn the_format_is_qemus() {
    let value = json!({"a": [1, {}, "é\u{7f}\n😀/"], "b": {"c": null}, "d": []});
    let line = "{\"a\": [1, {}, \"\\u00E9\\u007F\\n\\uD83D\\uDE00/\"], \"b\": {\"c\": null}, \"d\": []}\r\n";
    assert_eq!(text(&value, Style::Line), line);
    let pretty = "{\r\n    \"a\": [\r\n        1,\r\n        {\r\n        }\r\n    ],\r\n    \"b\": {\r\n        \
                  \"c\": null\r\n    }\r\n}\r\n";
    assert_eq!(text(&json!({"a": [1, {}], "b": {"c": null}}), Style::Pretty), pretty);
}

/// What QEMU 7.2 makes of numbers.
#[test]
fn numbers_come_back_as_qemu_writes_them() {
    for (given, expected) in [
        ("1e5", "100000"),
        ("1.5", "1.5"),
        ("-0", "0"),
        ("-0.0", "-0"),
        ("0.1", "0.10000000000000001"),
        ("1e300", "1.0000000000000001e+300"),
        ("123456789012345678901234567890", "1.2345678901234568e+29"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775809", "-9.2233720368547758e+18"),
        ("3.0", "3"),
        ("2.5e-7", "2.4999999999999999e-07"),
        ("1.25E-4", "0.000125"),
        ("120000000000000000.0", "1.2e+17"),
    ] {
        let values = read(&[given.as_bytes(), b" "]);
        let written = text(values[0].as_ref().unwrap(), Style::Line);
        assert_eq!(written.trim_end(), expected, "{given}");
    }
    let error = read(&[b"1e999 "])[0].clone().unwrap_err();
    assert_eq!(error.desc, "JSON parse error, number is too large");
}

#[test]
fn limits_are_qemus() {
    let deepest = [vec![b'['; 1024], vec![b']'; 1024]].concat();
    assert!(read(&[&deepest])[0].is_ok());
    let values = read(&[&[b'['; 1025], b"7 "]);
    assert_eq!(values[0].clone().unwrap_err().desc, "JSON nesting depth limit exceeded");
    assert_eq!(values[1], Ok(json!(7)));

    let many = [&b"["[..], &b"1,".repeat(1 << 20)].concat();
    let values = read(&[&many]);
    assert_eq!(values[0].clone().unwrap_err().desc, "JSON token count limit exceeded");

    let mut reader = Reader::new();
    let large = vec![b'a'; 1 << 20];
    assert!(reader.next(&mut &b"\""[..]).is_none());
    let error = (0..64).find_map(|_| reader.next(&mut &large[..])).unwrap().unwrap_err();
    assert_eq!(error.desc, "JSON token size limit exceeded");
}

/// A token, or a piece of one, as often as not where it should not be.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &[&str] =
        &["{", "}", "[", "]", ":", ",", "\"a\"", "'b'", "1", "-2.5e3", "true", "nul", "\n"];
    const STRINGS: &[&str] =
        &["\"", "'", "\\", "\\u12", "\\ud83d\\ude00", "é", " ", "@", "0", "e", "."];
    prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::sample::select(STRINGS).prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-zA-Z\"'\\\\/\n\u{0}é😀]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..6)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

proptest! {
    /// However the bytes arrive, the values are the same; and there is always a way
    /// back to what is right.
    #[test]
    fn pieces_make_no_difference(pieces in prop::collection::vec(piece(), 0..40)) {
        let whole = pieces.concat();
        let bytes: Vec<_> = whole.chunks(1).collect();
        let expected = read(&[&whole]);
        prop_assert_eq!(read(&bytes), expected);
        // Whatever was open is ended: by what no string has, and by a bracket too
        // many.
        let mut recovered = read(&[&whole, b"\x01\n]\n", b"{\"execute\": 1}"]);
        prop_assert_eq!(recovered.pop(), Some(Ok(json!({"execute": 1}))));
    }

    #[test]
    fn what_is_written_is_read(value in value(), pretty in any::<bool>()) {
        let style = if pretty { Style::Pretty } else { Style::Line };
        prop_assert_eq!(read(&[text(&value, style).as_bytes(), b" "]), [Ok(value)]);
    }
}
