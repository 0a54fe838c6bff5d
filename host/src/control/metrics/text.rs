//! Prometheus' text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{self, Write as _};

/// What the format is called in HTTP.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text under construction.
#[derive(Default)]
pub(super) struct Text(String);

/// Whether a value only grows.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

/// The samples of one metric.
pub(super) struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

impl Text {
    /// Begins a metric.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let text = &mut self.0;
        *text += "# HELP ";
        *text += name;
        text.push(' ');
        escape(text, help, false);
        *text += "\n# TYPE ";
        *text += name;
        text.push(' ');
        *text += kind;
        text.push('\n');
        Family { text, name }
    }

    /// A metric that is one number.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &str,
        value: impl fmt::Display,
    ) {
        self.family(name, kind, help).sample(&[], value);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Adds a sample.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl fmt::Display) {
        *self.text += self.name;
        for (index, (name, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            *self.text += name;
            *self.text += "=\"";
            escape(self.text, value, true);
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, " {value}");
    }
}

fn escape(text: &mut String, value: &str, quotes: bool) {
    for character in value.chars() {
        match character {
            '\\' => *text += "\\\\",
            '\n' => *text += "\\n",
            '"' if quotes => *text += "\\\"",
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_labels_and_values_are_as_the_format_has_them() {
        let mut text = Text::default();
        let mut family = text.family("a_total", Kind::Counter, "A \"b\"\\\nc.");
        family.sample(&[("slot", "x"), ("odd", "\"\\\n{}")], 1.5);
        text.number("b", Kind::Gauge, "B.", 7_u64);
        let expected = concat!(
            "# HELP a_total A \"b\"\\\\\\nc.\n",
            "# TYPE a_total counter\n",
            "a_total{slot=\"x\",odd=\"\\\"\\\\\\n{}\"} 1.5\n",
            "# HELP b B.\n# TYPE b gauge\nb 7\n",
        );
        assert_eq!(text.finish(), expected);
    }
}
