//! The commands there are.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json::{Style, write};
use super::{Call, Error, arguments};

/// Commands by name.
#[derive(Default)]
pub struct Registry(BTreeMap<&'static str, Command>);

/// A command.
pub(super) struct Command {
    pub(super) execution: Execution,
    run: Box<Run>,
}

type Run = dyn Fn(&Call<'_>, Map<String, Value>) -> Result<Box<dyn Answer>, Error> + Send + Sync;

/// When a command is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Execution {
    /// When it is its turn.
    InTurn,
    /// At once; it takes its turn itself when it needs one.
    AtOnce,
    /// When it is its turn, or at once if a client wants it out of band.
    OutOfBand,
}

/// What a command without a return value returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

impl Registry {
    /// Adds a command.
    pub fn add<A: DeserializeOwned, R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        run: impl Fn(&Call<'_>, A) -> Result<R, Error> + Send + Sync + 'static,
    ) {
        self.insert(name, Execution::InTurn, run);
    }

    /// Adds a command that does much before it touches the machine: it takes its
    /// turn itself, with [`Call::turn`].
    pub fn add_at_once<A: DeserializeOwned, R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        run: impl Fn(&Call<'_>, A) -> Result<R, Error> + Send + Sync + 'static,
    ) {
        self.insert(name, Execution::AtOnce, run);
    }

    /// Adds a command that clients may send out of band: it waits for nothing and
    /// needs no turn.
    pub fn add_out_of_band<A: DeserializeOwned, R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        run: impl Fn(&Call<'_>, A) -> Result<R, Error> + Send + Sync + 'static,
    ) {
        self.insert(name, Execution::OutOfBand, run);
    }

    fn insert<A: DeserializeOwned, R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        execution: Execution,
        run: impl Fn(&Call<'_>, A) -> Result<R, Error> + Send + Sync + 'static,
    ) {
        let run: Box<Run> = Box::new(move |call, given| {
            let answer = run(call, arguments::read(given)?)?;
            Ok(Box::new(answer))
        });
        self.0.insert(name, Command { execution, run });
    }

    /// The names of all commands, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Command> {
        self.0.get(name)
    }
}

impl Command {
    pub(super) fn run(
        &self,
        call: &Call<'_>,
        arguments: Map<String, Value>,
    ) -> Result<Box<dyn Answer>, Error> {
        (self.run)(call, arguments)
    }
}

/// What a command returns.
pub(super) trait Answer {
    /// The whole reply, with the request's id if it had one.
    fn reply(&self, id: Option<&Value>, style: Style) -> Vec<u8>;
}

/// A reply to a command that was executed.
#[derive(Serialize)]
struct Reply<'a, R> {
    #[serde(rename = "return")]
    answer: &'a R,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
}

impl<R: Serialize> Answer for R {
    fn reply(&self, id: Option<&Value>, style: Style) -> Vec<u8> {
        let mut text = Vec::new();
        write(&Reply { answer: self, id }, style, &mut text);
        text
    }
}
