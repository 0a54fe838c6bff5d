//! Columns, aligned.

use super::output::Output;

/// Rows of text under headings. Columns are as wide as their widest cell.
pub(super) struct Table<const N: usize> {
    headings: [&'static str; N],
    /// Columns whose cells stand to the right: numbers.
    right: [bool; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with no rows. A heading that begins with `>` is that of a column
    /// of numbers.
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        let right = headings.map(|heading| heading.starts_with('>'));
        let headings = headings.map(|heading| heading.trim_start_matches('>'));
        Self { headings, right, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// The table as text; each line begins with `indent` spaces.
    pub(super) fn text(&self, indent: usize, output: &Output) -> String {
        let mut widths = self.headings.map(|heading| heading.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: [&str; N]| {
            let mut line = " ".repeat(indent);
            for ((cell, width), right) in cells.iter().zip(widths).zip(self.right) {
                let gap = " ".repeat(width - cell.chars().count());
                let (before, after) = if right { (gap.as_str(), "") } else { ("", gap.as_str()) };
                line += &format!("{before}{cell}{after}  ");
            }
            line.trim_end().to_owned()
        };
        let mut text = output.heading(&line(self.headings)) + "\n";
        for row in &self.rows {
            text += &line(std::array::from_fn(|column| row[column].as_str()));
            text += "\n";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ColorChoice;

    #[test]
    fn columns_are_aligned_and_lines_have_no_trailing_space() {
        let mut table = Table::new(["NAME", ">SIZE", "WHAT"]);
        table.row(["a".into(), "12345".into(), "x".into()]);
        table.row(["longer".into(), "7".into(), String::new()]);
        let text = table.text(2, &Output::new(ColorChoice::Never));
        assert_eq!(text, "  NAME     SIZE  WHAT\n  a       12345  x\n  longer      7\n");
    }
}
