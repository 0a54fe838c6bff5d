//! `docs/qemu-command-line.md` says what the table says.

use crate::cli::qemu::table::{Entry, GROUPS, Treatment};

const BEGIN: &str = "<!-- options: begin -->\n";
const END: &str = "<!-- options: end -->\n";

/// The table of the page.
fn table() -> String {
    let mut text = String::new();
    for group in GROUPS {
        text += &format!("\n### {}\n\n| option | | |\n|---|---|---|\n", group.title);
        for entry in group.options {
            text += &row(entry);
        }
    }
    text + "\n"
}

fn row(entry: &Entry) -> String {
    let names: Vec<_> = entry.names.iter().map(|name| format!("-{name}")).collect();
    let argument = entry.argument.map(|argument| format!(" {argument}")).unwrap_or_default();
    let option = format!("{}{argument}", names.join(", ")).replace('|', "\\|");
    let (treatment, text) = match entry.treatment {
        Treatment::Understood(_) => ("understood", entry.help.to_owned()),
        Treatment::Accepted(_, why) => ("accepted", format!("{}: {why}", entry.help)),
        Treatment::Refused(why) => ("refused", format!("{}: {why}", entry.help)),
    };
    format!("| `{option}` | {treatment} | {} |\n", text.replace('|', "\\|"))
}

/// With `UPDATE_DOCS` in the environment the page is brought in step instead.
#[test]
fn the_page_is_in_step_with_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/qemu-command-line.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (found, after) = rest.split_once(END).expect("where it ends");
    let expected = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = format!("{before}{BEGIN}{expected}{END}{after}");
        std::fs::write(path, page).expect("the page can be written");
    } else {
        assert_eq!(found, expected, "run this test with UPDATE_DOCS=1");
    }
}

#[test]
fn no_name_is_twice_in_the_table() {
    let mut names: Vec<_> =
        GROUPS.iter().flat_map(|group| group.options).flat_map(|entry| entry.names).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}
