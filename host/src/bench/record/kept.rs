//! A record of what was kept of a running guest.

use super::{Record, Step, print_outcome};
use crate::bench::action::Action;
use crate::bench::outcome::{Answer, Event, Outcome};
use crate::component::Scope;
use crate::slot::{Answered, Call, Input, Recording};

impl Record {
    /// What was kept of a device, as a record: it begins with the device's state.
    #[must_use]
    pub fn of_recording(recording: &Recording) -> Self {
        let Recording { image, properties, time, inputs, sections, calls } = recording;
        let mut steps = Vec::new();
        let mut silently = |action| steps.push(Step { line: 0, action, came: None });
        for line in (0..).zip(inputs).filter(|(_, high)| **high).map(|(line, _)| line) {
            silently(Action::Line { line, level: true });
        }
        silently(Action::Pass { time: *time });
        silently(Action::Load { scope: Scope::Whole, sections: sections.to_vec() });
        let mut now = *time;
        for call in calls {
            let Some(action) = action(&call.input) else { continue };
            if call.time > now {
                let action = Action::Pass { time: call.time - now };
                steps.push(Step { line: 0, action, came: None });
                now = call.time;
            }
            for told in &call.tape {
                let action = Action::Hear { told: told.clone() };
                steps.push(Step { line: 0, action, came: None });
            }
            let came = print_outcome(&outcome(call), image.description());
            steps.push(Step { line: 0, action, came: Some(came) });
        }
        let remark = format!("{} calls in a running guest", calls.len());
        Self {
            device: Some(image.title()),
            component: Some(image.hash().into()),
            law: None,
            remarks: vec![remark],
            properties: properties.clone(),
            files: Vec::new(),
            steps,
        }
    }
}

/// What the bench does for a call; none for a question that it asks by itself, and for
/// what happens to drives, which a device that is recorded does not have.
fn action(input: &Input<'_>) -> Option<Action> {
    Some(match *input {
        Input::Reset => Action::Reset,
        Input::Read { region, offset, size } => Action::Read { region, offset, size },
        Input::Write { region, offset, size, value } => {
            Action::Write { region, offset, size, value }
        }
        Input::Line { line, level } => Action::Line { line, level },
        Input::Timer { timer, deadline } => Action::Expire { timer, deadline },
        Input::I2cStart { read } => Action::I2cStart { read },
        Input::I2cSend { byte } => Action::I2cSend { byte },
        Input::I2cReceive => Action::I2cReceive,
        Input::I2cNack => Action::I2cNack,
        Input::I2cStop => Action::I2cStop,
        Input::DmaTake { length } => Action::DmaTake { length },
        Input::DmaGive { ref data } => Action::DmaGive { data: data.to_vec() },
        Input::DmaEnd => Action::DmaEnd,
        Input::Acknowledge => Action::Acknowledge,
        Input::Ended { vector } => Action::Ended { vector },
        Input::Key { code, down } => Action::Key { code, down },
        Input::MouseMoved { x, y } => Action::Mouse { x, y },
        Input::MouseButton { button, down } => Action::MouseButton { button, down },
        Input::StreamReceive { stream, byte } => Action::Receive { stream, data: vec![byte] },
        Input::ButtonPressed => Action::Button,
        Input::Woken { reason } => Action::Woken { reason },
        Input::StreamRoom { .. } | Input::Medium { .. } | Input::Completed { .. } => return None,
    })
}

/// What came of a call, as the bench says it.
fn outcome(call: &Call) -> Outcome {
    let events = call.effects.iter().cloned().map(Event::Effect).collect();
    let answer = match (&call.came, &call.input) {
        (Err(fault), _) => {
            return Outcome { events: Vec::new(), answer: Answer::Failed(fault.clone()) };
        }
        // The bench says how many bytes the device took.
        (Ok(_), Input::StreamReceive { .. }) => Answer::Value(1),
        (Ok(answer), _) => match answer {
            Answered::Nothing | Answered::Vector(None) => Answer::Done,
            Answered::Number(number) => Answer::Value(*number),
            Answered::Flag(flag) => Answer::Value((*flag).into()),
            Answered::Bytes(bytes) => Answer::Bytes(bytes.clone()),
            Answered::Vector(Some(vector)) => Answer::Value((*vector).into()),
        },
    };
    Outcome { events, answer }
}
