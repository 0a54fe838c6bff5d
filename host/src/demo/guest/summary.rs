//! The guest's last line, from both sides: the fields the guest prints, and their parser.

use super::vars::Var;

/// What the line begins with.
pub(super) const FIRST_WORD: &str = "done";

/// The fields in their order, with what the guest prints there.
pub(super) const FIELDS: [(&str, Var); 5] = [
    ("turns", Var::Turns),
    ("provoked", Var::Provoked),
    ("overflows", Var::Overflows),
    ("interrupts", Var::Interrupts),
    ("errors", Var::Errors),
];

/// What the guest says when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Turns of the watch: each checked all registers once.
    pub turns: u32,
    /// SCIs it provoked.
    pub provoked: u32,
    /// Overflows of the PM timer that were to raise an SCI.
    pub overflows: u32,
    /// SCIs taken: `provoked` + `overflows` when there were no errors.
    pub interrupts: u32,
    /// Checks that failed.
    pub errors: u32,
}

/// Reads `line` if it is the summary, `done turns=N provoked=N overflows=N interrupts=N errors=N`;
/// anything else is `None`. A line end is ignored.
pub fn parse_summary(line: &str) -> Option<Summary> {
    let mut words = line.trim_end().split(' ');
    if words.next()? != FIRST_WORD {
        return None;
    }
    let mut values = [0; FIELDS.len()];
    for (value, (name, _)) in values.iter_mut().zip(FIELDS) {
        *value = words.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok()?;
    }
    let [turns, provoked, overflows, interrupts, errors] = values;
    words.next().is_none().then_some(Summary { turns, provoked, overflows, interrupts, errors })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "done turns=5 provoked=40 overflows=3 interrupts=4294967295 errors=1";

    #[test]
    fn summary_line_is_read() {
        let summary =
            Summary { turns: 5, provoked: 40, overflows: 3, interrupts: u32::MAX, errors: 1 };
        assert_eq!(parse_summary(LINE), Some(summary));
        assert_eq!(parse_summary(&format!("{LINE}\r\n")), Some(summary));
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "done",
            "PM timer moves, from 000001 to 000002 ok",
            "done turns=5 provoked=40 overflows=3 interrupts=43",
            "done turns=5 provoked=40 overflows=3 interrupts=43 errors=1 more",
            "done turns=5 provoked=40 overflows=3 interrupts=43 errors=-1",
            "done turns=5 provoked=40 overflows=3 interrupts=4294967296 errors=1",
            "done provoked=40 turns=5 overflows=3 interrupts=43 errors=1",
        ] {
            assert_eq!(parse_summary(line), None, "{line}");
        }
    }
}
