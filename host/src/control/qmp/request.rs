//! What a client sends.

use serde_json::{Map, Value};

use super::Error;

/// Something a client sent.
pub(super) struct Request {
    /// Any value, which comes back with the answer.
    pub(super) id: Option<Value>,
    /// Whether it is to be executed out of band.
    pub(super) out_of_band: bool,
    /// The command, if it is one.
    pub(super) command: Result<(String, Map<String, Value>), Error>,
}

impl Request {
    /// Reads a request from a client that may use `exec-oob` if it negotiated that.
    pub(super) fn new(value: Result<Value, Error>, may_be_out_of_band: bool) -> Self {
        let none = |error| Self { id: None, out_of_band: false, command: Err(error) };
        match value {
            Ok(Value::Object(members)) => Self::of_members(members, may_be_out_of_band),
            Ok(_) => none(Error::generic("QMP input must be a JSON object")),
            Err(error) => none(error),
        }
    }

    fn of_members(mut members: Map<String, Value>, may_be_out_of_band: bool) -> Self {
        let id = members.remove("id");
        let out_of_band = members.contains_key("exec-oob") && !members.contains_key("execute");
        let command = check(&members, may_be_out_of_band).map(|()| {
            let name = ["execute", "exec-oob"].into_iter().find_map(|key| members.remove(key));
            let arguments = members.remove("arguments");
            let text = |value| if let Value::String(text) = value { Some(text) } else { None };
            let object =
                |value| if let Value::Object(object) = value { Some(object) } else { None };
            (
                name.and_then(text).unwrap_or_default(),
                arguments.and_then(object).unwrap_or_default(),
            )
        });
        Self { id, out_of_band, command }
    }
}

fn check(members: &Map<String, Value>, may_be_out_of_band: bool) -> Result<(), Error> {
    let mut found = None;
    for (name, value) in members {
        match name.as_str() {
            "execute" | "exec-oob" if name == "execute" || may_be_out_of_band => {
                if !value.is_string() {
                    let what = format_args!("QMP input member '{name}' must be a string");
                    return Err(Error::generic(what));
                }
                if let Some(other) = found.replace(name) {
                    let what = format_args!("QMP input member '{name}' clashes with '{other}'");
                    return Err(Error::generic(what));
                }
            }
            "arguments" if value.is_object() => {}
            "arguments" => {
                return Err(Error::generic("QMP input member 'arguments' must be an object"));
            }
            _ => {
                let what = format_args!("QMP input member '{name}' is unexpected");
                return Err(Error::generic(what));
            }
        }
    }
    match found {
        Some(_) => Ok(()),
        None => Err(Error::generic("QMP input lacks member 'execute'")),
    }
}
