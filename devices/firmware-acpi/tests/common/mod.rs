//! What QEMU 7.2 gave its firmware, and the boards that its command lines mean.
#![allow(dead_code, reason = "not every test uses all of this")]

pub(crate) mod board;
pub(crate) mod inspect;
pub(crate) mod numa;
pub(crate) mod options;

use std::collections::HashMap;
use std::io::Read;

use firmware_acpi::Tables;

/// One run of QEMU.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The words of its command line.
    pub(crate) run: Vec<String>,
    /// What was done before the files were read.
    pub(crate) qtest: Vec<String>,
    /// What it gave.
    pub(crate) tables: Tables,
}

const RECORDED: &[u8] = include_bytes!("../../../../tests/data/acpi/qemu-7.2.gz");

/// Every run there is.
pub(crate) fn cases() -> Vec<Case> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(RECORDED).read_to_end(&mut bytes).expect("not compressed");
    let mut reader = Reader { rest: &bytes, known: HashMap::new() };
    let mut cases = Vec::new();
    while !reader.rest.is_empty() {
        cases.push(reader.case());
    }
    cases
}

struct Reader<'a> {
    rest: &'a [u8],
    known: HashMap<(String, String), Vec<u8>>,
}

impl Reader<'_> {
    fn case(&mut self) -> Case {
        let name = self.line().strip_prefix("case ").expect("a case").to_owned();
        let run = self.line();
        let run = run.strip_prefix("run ").expect("a command line");
        let run = run.split(' ').map(str::to_owned).collect();
        let mut qtest = Vec::new();
        let mut line = self.line();
        while let Some(command) = line.strip_prefix("qtest ") {
            qtest.push(command.to_owned());
            line = self.line();
        }
        let tables = self.file(&name, &line);
        let line = self.line();
        let rsdp = self.file(&name, &line);
        let line = self.line();
        let loader = self.file(&name, &line);
        Case { name, run, qtest, tables: Tables { tables, rsdp, loader } }
    }

    fn line(&mut self) -> String {
        let end = self.rest.iter().position(|byte| *byte == b'\n').expect("a line");
        let line = String::from_utf8(self.rest[..end].to_vec()).expect("text");
        self.rest = &self.rest[end + 1..];
        line
    }

    /// A file: its length, and so many bytes before zeros; or as in another case.
    fn file(&mut self, case: &str, line: &str) -> Vec<u8> {
        let words: Vec<_> = line.split(' ').collect();
        let content = match words[..] {
            [file, "as", other] => self.known[&(file.to_owned(), other.to_owned())].clone(),
            [_, length, stored] => {
                let (stored, rest) = self.rest.split_at(stored.parse().expect("a number"));
                self.rest = rest.strip_prefix(b"\n").expect("a line's end");
                let mut content = stored.to_vec();
                content.resize(length.parse().expect("a number"), 0);
                content
            }
            _ => panic!("{case}: {line}"),
        };
        self.known.insert((words[0].to_owned(), case.to_owned()), content.clone());
        content
    }
}
