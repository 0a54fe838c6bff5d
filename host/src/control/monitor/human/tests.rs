use super::arguments::{Given, Parameter, Problem, read};
use super::words::{Unterminated, Words};

#[test]
fn words_are_separated_by_spaces_or_quoted() {
    let mut words = Words::new("  one \"two \\\"and\\\" \\n\"three  ");
    assert_eq!(words.next(), Ok(Some("one".into())));
    assert_eq!(words.next(), Ok(Some("two \"and\" \n".into())));
    assert_eq!(words.next(), Ok(Some("three".into())));
    assert_eq!(words.next(), Ok(None));
    assert_eq!(Words::new("\"open").next(), Err(Unterminated));
    assert_eq!(Words::new("\"open\\").next(), Err(Unterminated));
    assert_eq!(Words::new("\u{e4}\u{f6} x").next(), Ok(Some("\u{e4}\u{f6}".into())));
}

const OPTIONS: [Parameter; 3] =
    [Parameter::Option('f'), Parameter::Option('o'), Parameter::OptionalNumber];

fn given(line: &str) -> Result<Given, Problem> {
    read(&OPTIONS, Words::new(line))
}

#[test]
fn options_come_first_in_any_order() {
    let both = given(" -o  -f ").unwrap();
    assert!(both.has('f') && both.has('o') && both.number().is_none());
    assert!(!given("").unwrap().has('f'));
    assert_eq!(given("-x"), Err(Problem::NoSuchOption('x')));
    assert_eq!(given("-"), Err(Problem::NoSuchOption(' ')));
    assert_eq!(given("-\u{e4}"), Err(Problem::NoSuchOption('\u{e4}')));
    assert_eq!(given("-fz"), Err(Problem::NoNumber('z')));
}

#[test]
fn numbers_are_written_as_in_c() {
    for (text, number) in [("12", 12), ("0x1f", 31), ("017", 15), ("0", 0)] {
        assert_eq!(given(text).unwrap().number(), Some(number), "{text}");
    }
    assert_eq!(given("1x"), Err(Problem::NoNumber('x')));
    assert_eq!(given("08"), Err(Problem::NoNumber('8')));
    assert_eq!(given("99999999999999999999"), Err(Problem::NumberTooLarge));
    assert_eq!(given("1 2"), Err(Problem::TooMuch));
    assert_eq!(given("-1"), Err(Problem::NoSuchOption('1')));
    let wide = |text: &str| read(&[Parameter::Number], Words::new(text));
    for text in ["-1", "4294967296", "0x100000000"] {
        assert_eq!(wide(text), Err(Problem::NumberTooWide), "{text}");
    }
    assert_eq!(wide(""), Err(Problem::NoExpression));
    assert_eq!(wide("-0").unwrap().number(), Some(0));
    assert_eq!(wide(&("-".repeat(1 << 20) + "7")).unwrap().number(), Some(7));
    assert_eq!(wide("--"), Err(Problem::NoNumber('-')));
}

#[test]
fn options_stand_where_the_command_has_them() {
    let parameters = [
        Parameter::File,
        Parameter::Value('f'),
        Parameter::OptionalWord,
        Parameter::OptionalNumber,
    ];
    let given = |line| read(&parameters, Words::new(line));
    let all = given("a -f png b 1").unwrap();
    assert_eq!((all.word(0), all.value('f'), all.word(1)), (Some("a"), Some("png"), Some("b")));
    assert_eq!(all.number(), Some(1));
    assert_eq!(given("-f").unwrap().word(0), Some("-f"));
    assert_eq!(given("-f png /a"), Err(Problem::NoNumber('/')));
    assert_eq!(given("a -f"), Err(Problem::NoValue('f')));
    assert_eq!(given("a -q x"), Err(Problem::NoSuchOption('q')));
    assert_eq!(given(""), Err(Problem::NoFile));
}
