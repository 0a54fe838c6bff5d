//! The screen, keys and the mouse (QEMU's `qapi/ui.json`).

use serde::Deserialize;
use serde::de::{self, Deserializer, EnumAccess, VariantAccess as _, Visitor};

use crate::component::MouseButton;
use crate::control::person::{self, Event, Format, Key, Kind, Mouse, NAMES, Problem};
use crate::control::qmp::{Access, Call, Class, Done, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("screendump", screendump);
    registry.add("__org.southbridge_query-screen-text", query_screen_text);
    registry.add("query-mice", query_mice);
    registry.add("send-key", send_key);
    registry.add("input-send-event", input_send_event);
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let class = match problem.kind {
            Kind::NoDevice => Class::DeviceNotFound,
            Kind::Other => Class::GenericError,
        };
        Self::new(class, problem)
    }
}

#[derive(Deserialize)]
struct Screendump {
    filename: String,
    device: Option<String>,
    head: Option<i64>,
    format: Option<ImageFormat>,
}

/// `ImageFormat`.
struct ImageFormat(Format);

impl<'de> Deserialize<'de> for ImageFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = deserializer.deserialize_enum("ImageFormat", &Format::NAMES, Name)?;
        Ok(Self(Format::named(&name).unwrap_or_default()))
    }
}

/// The name of an enumeration's value, of which the deserializer sees to it that it is
/// one.
pub(super) struct Name;

impl<'de> Visitor<'de> for Name {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<String, A::Error> {
        let (name, rest) = data.variant()?;
        rest.unit_variant()?;
        Ok(name)
    }
}

fn screendump(call: &Call<'_>, given: Screendump) -> Result<Done, Error> {
    let Screendump { filename, device, head, format } = given;
    let format = format.map_or_else(Format::default, |ImageFormat(format)| format);
    let picture = person::picture(call.guest(), device.as_deref(), head, format)?;
    if filename.starts_with("/dev/fdset/") {
        let opened = call.open(&filename, Access::Write).map_err(|error| {
            let reason = error.desc.rsplit(": ").next().unwrap_or_default();
            person::not_saved(&filename, reason)
        })?;
        opened.write_all(&picture).map_err(|error| Error::system(&filename, &error))?;
    } else {
        person::save(&filename, &picture)?;
    }
    Ok(Done {})
}

/// Southbridge's own: the characters on the screen in rows from the top; null if it is
/// not in a text mode.
fn query_screen_text(call: &Call<'_>, _: NoArguments) -> Result<Option<Vec<String>>, Error> {
    Ok(person::screen_text(call.guest())?)
}

fn query_mice(call: &Call<'_>, _: NoArguments) -> Result<Vec<Mouse>, Error> {
    Ok(Mouse::of(call.guest()).into_iter().collect())
}

/// `KeyValue`.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
enum KeyValue {
    Number(i64),
    Qcode(Code),
}

/// `QKeyCode`.
struct Code(Key);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = deserializer.deserialize_enum("QKeyCode", &NAMES, Name)?;
        let key = Key::named(&name);
        key.map(Self).ok_or_else(|| de::Error::custom(format_args!("no key '{name}'")))
    }
}

impl From<KeyValue> for Key {
    fn from(value: KeyValue) -> Self {
        match value {
            KeyValue::Number(number) => Self::numbered(number),
            KeyValue::Qcode(Code(key)) => key,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct SendKey {
    keys: Vec<KeyValue>,
    hold_time: Option<i64>,
}

fn send_key(call: &Call<'_>, SendKey { keys, hold_time }: SendKey) -> Result<Done, Error> {
    let keys: Vec<_> = keys.into_iter().map(Key::from).collect();
    person::press(call.guest(), &keys, person::hold(hold_time));
    Ok(Done {})
}

#[derive(Deserialize)]
struct InputSendEvent {
    device: Option<String>,
    head: Option<i64>,
    events: Vec<InputEvent>,
}

/// `InputEvent`.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
enum InputEvent {
    Key(KeyEvent),
    Btn(ButtonEvent),
    Rel(MoveEvent),
    Abs(MoveEvent),
}

/// `InputKeyEvent`.
#[derive(Deserialize)]
struct KeyEvent {
    key: KeyValue,
    down: bool,
}

/// `InputBtnEvent`.
#[derive(Deserialize)]
struct ButtonEvent {
    button: Button,
    down: bool,
}

/// `InputButton`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Button {
    Left,
    Middle,
    Right,
    WheelUp,
    WheelDown,
    Side,
    Extra,
    WheelLeft,
    WheelRight,
}

/// `InputMoveEvent`.
#[derive(Deserialize)]
struct MoveEvent {
    axis: Axis,
    value: i64,
}

/// `InputAxis`.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Axis {
    X,
    Y,
}

impl From<InputEvent> for Event {
    fn from(event: InputEvent) -> Self {
        match event {
            InputEvent::Key(KeyEvent { key, down }) => Self::Key { key: key.into(), down },
            InputEvent::Btn(ButtonEvent { button, down }) => {
                let button = match button {
                    Button::Left => Some(MouseButton::Left),
                    Button::Middle => Some(MouseButton::Middle),
                    Button::Right => Some(MouseButton::Right),
                    Button::WheelUp => Some(MouseButton::WheelUp),
                    Button::WheelDown => Some(MouseButton::WheelDown),
                    // No PS/2 mouse has these.
                    Button::Side | Button::Extra | Button::WheelLeft | Button::WheelRight => None,
                };
                Self::Button { button, down }
            }
            InputEvent::Rel(MoveEvent { axis: Axis::X, value }) => Self::Right(value),
            InputEvent::Rel(MoveEvent { axis: Axis::Y, value }) => Self::Down(value),
            InputEvent::Abs(MoveEvent { axis: Axis::X | Axis::Y, value: _ }) => Self::Place,
        }
    }
}

fn input_send_event(call: &Call<'_>, given: InputSendEvent) -> Result<Done, Error> {
    let InputSendEvent { device, head, events } = given;
    let events: Vec<_> = events.into_iter().map(Event::from).collect();
    person::send(call.guest(), device.as_deref(), head, &events)?;
    Ok(Done {})
}
