//! `-fw_cfg`: files that firmware and guests find by name.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::opts::Opts;

/// Longest name of a file, in bytes.
const LONGEST_NAME: usize = 55;

pub(super) fn fw_cfg(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.opts(all, Some("name"))?;
    let (name, data) = read(&list).map_err(|problem| problem.at(&given.place()))?;
    if !name.starts_with("opt/") {
        given.warn(all, "externally provided fw_cfg item names should be prefixed with \"opt/\"");
    }
    if all.files.contains_key(&name) {
        return Err(given.error(format!("duplicate fw_cfg file name: {name}")));
    }
    all.files.insert(name, data);
    Ok(())
}

fn read(list: &Opts) -> Result<(String, Vec<u8>), Problem> {
    for (key, _) in list.last() {
        if !["name", "file", "string"].contains(&key) {
            return Err(format!("Invalid parameter '{key}'").into());
        }
    }
    let name = list.get("name").filter(|name| !name.is_empty());
    let (file, string) = (list.get("file"), list.get("string"));
    let (name, given) = match (name, file, string) {
        (Some(name), Some(file), None) => (name, Err(file)),
        (Some(name), None, Some(string)) => (name, Ok(string)),
        _ => return Err("name, plus exactly one of file and string, are needed".into()),
    };
    if name.len() > LONGEST_NAME {
        return Err(format!("name too long (max. {LONGEST_NAME} char)").into());
    }
    let data = match given {
        // Without a zero at its end, as in QEMU.
        Ok(string) => string.as_bytes().to_vec(),
        Err(file) => std::fs::read(file).map_err(|error| format!("can't load {file}: {error}"))?,
    };
    Ok((name.into(), data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<(String, Vec<u8>), String> {
        read(&Opts::parse(text, Some("name"))).map_err(|problem| problem.text)
    }

    #[test]
    fn a_file_has_a_name_and_contents() {
        assert_eq!(file("opt/a,string=b c"), Ok(("opt/a".into(), b"b c".to_vec())));
        for (text, problem) in [
            ("opt/a", "name, plus exactly one of file and string, are needed"),
            ("opt/a,string=b,file=c", "name, plus exactly one of file and string, are needed"),
            ("opt/a,string=b,gen_id=c", "Invalid parameter 'gen_id'"),
        ] {
            assert_eq!(file(text), Err(problem.into()), "{text}");
        }
        let long = format!("opt/{}", "x".repeat(52));
        assert_eq!(file(&format!("{long},string=b")), Err("name too long (max. 55 char)".into()));
        let missing = file("opt/a,file=/nowhere").expect_err("there is none");
        assert!(missing.starts_with("can't load /nowhere: "), "{missing}");
    }
}
