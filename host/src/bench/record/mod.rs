//! Records: actions and what came of them, as text that people read and write.
//!
//! ```text
//! southbridge record 1
//! # remarks
//! device counter 1.0.0
//! component 9b1c…                 SHA-256 of the component
//! property iobase 0x600
//! > write registers 0x4 4 0x1     an action
//! < line out high                 what the device did
//! < OK                            its answer
//! > read registers 0x0 4
//! < OK 0x0
//! ```
//!
//! A `hear` before an action says what the device is answered when it asks something
//! meanwhile: what was kept of a running guest has such lines, and begins with `pass` and
//! `load`. Only the first line and the actions are needed. The device is plugged and reset at
//! time 0 before the first action. Where lines with `<` follow an action, they say what
//! came of it when the record was made.

mod kept;
mod parse;
mod print;
mod told;
mod words;

use std::fmt::Write as _;

use super::action::Action;
use super::rig::{Rig, Subject};
use crate::component::{Description, Error, Image, PropertyValue};
use crate::slot::GivenProperty;

pub use parse::action as parse_action;
pub use print::{action as print_action, event as print_event, outcome as print_outcome};

use words::{hex, quoted};

/// The first line of a record.
const FIRST_LINE: &str = "southbridge record 1";

/// A record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The device's name, version and build.
    pub device: Option<String>,
    /// The hash of the component that it was made with.
    pub component: Option<String>,
    /// The law of the contract that it shows broken.
    pub law: Option<String>,
    /// For people.
    pub remarks: Vec<String>,
    /// Properties that did not have their defaults.
    pub properties: Vec<GivenProperty>,
    /// Files that the device was to hand to the guest.
    pub files: Vec<(String, Vec<u8>)>,
    /// What happened.
    pub steps: Vec<Step>,
}

/// An action of a record.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its line, counted from 1; 0 if it was never in a file.
    pub line: usize,
    /// The action.
    pub action: Action,
    /// What came of it, if that is known.
    pub came: Option<Vec<String>>,
}

impl Record {
    /// A record of these actions, with what comes of them.
    ///
    /// # Errors
    /// The device cannot be plugged.
    pub fn make(subject: &Subject, actions: &[Action]) -> Result<Self, Error> {
        let mut rig = Rig::new(subject)?;
        let mut record = Self::of(subject, actions);
        for step in &mut record.steps {
            let outcome = rig.perform(&step.action);
            step.came = Some(print_outcome(&outcome, subject.image.description()));
        }
        Ok(record)
    }

    /// A record of these actions, without what comes of them.
    #[must_use]
    pub fn of(subject: &Subject, actions: &[Action]) -> Self {
        let step = |action: &Action| Step { line: 0, action: action.clone(), came: None };
        Self {
            device: Some(subject.image.title()),
            component: Some(subject.image.hash().into()),
            law: None,
            remarks: Vec::new(),
            properties: subject.properties.clone(),
            files: subject.files.clone(),
            steps: actions.iter().map(step).collect(),
        }
    }

    /// A component to have this happen to.
    #[must_use]
    pub fn subject(&self, image: Image) -> Subject {
        let (properties, files) = (self.properties.clone(), self.files.clone());
        Subject { properties, files, ..Subject::new(image) }
    }

    /// The actions alone.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        self.steps.iter().map(|step| step.action.clone()).collect()
    }

    /// The record as text, with the names of a device.
    #[must_use]
    pub fn text(&self, of: &Description) -> String {
        let mut text = format!("{FIRST_LINE}\n");
        for remark in &self.remarks {
            let _ = writeln!(text, "# {remark}");
        }
        let mut head = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(text, "{name} {value}");
            }
        };
        head("device", &self.device);
        head("component", &self.component);
        head("law", &self.law);
        for GivenProperty { name, value } in &self.properties {
            let _ = writeln!(text, "property {} {}", quoted(name), property(value));
        }
        for (name, data) in &self.files {
            let _ = writeln!(text, "file {} {}", quoted(name), hex(data));
        }
        for Step { action, came, .. } in &self.steps {
            let _ = writeln!(text, "> {}", print_action(action, of));
            for line in came.iter().flatten() {
                let _ = writeln!(text, "< {line}");
            }
        }
        text
    }
}

/// The value of a property, as a word.
fn property(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Flag(flag) => flag.to_string(),
        PropertyValue::Number(number) => format!("{number:#x}"),
        // Always in quotes: that is what makes it a text.
        PropertyValue::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
    }
}
