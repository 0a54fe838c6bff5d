//! `southbridge top`.

mod live;
mod sample;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::Result;
use super::output::Output;
use super::table::Table;
use crate::control::qmp::{Client, Device, Done, NoArguments};
use sample::{HEADINGS, Row, Sample, rows};

const EXAMPLES: &str = "\
Examples:
  southbridge top --control /tmp/guest.sock
  southbridge top --control /tmp/guest.sock --once --interval 5";

/// Watch what the devices of a running guest do.
///
/// Shows for each device how often the guest accesses it, how many calls into the
/// device that takes, and how much of the time they take. Where the output is no
/// terminal one table is printed. q ends it, the arrow keys scroll.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Top {
    /// The guest's control socket.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,

    /// Seconds between two looks at the devices.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = super::args::seconds)]
    interval: Duration,

    /// Print one table, after one interval, and end.
    #[arg(long)]
    once: bool,
}

impl Top {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        let mut guest = Watched::new(Client::connect(&self.control)?)?;
        let mut status = 0;
        if self.once || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            let before = guest.look()?;
            std::thread::sleep(self.interval);
            output.print(&text(&rows(&before, &guest.look()?), output))?;
        } else {
            status = live::run(&mut guest, self.interval)?;
        }
        guest.leave()?;
        Ok(status)
    }
}

/// A guest whose devices' calls are timed while it is watched.
struct Watched {
    client: Client,
    /// Whether they were not timed before.
    timed_for_us: bool,
}

impl Watched {
    fn new(client: Client) -> Result<Self> {
        let mut guest = Self { client, timed_for_us: false };
        guest.timed_for_us = guest.look()?.devices.iter().any(|device| device.time_ns.is_none());
        if guest.timed_for_us {
            guest.measure(true)?;
        }
        Ok(guest)
    }

    fn look(&mut self) -> Result<Sample> {
        let devices: Vec<Device> =
            self.client.execute("__org.southbridge_query-devices", &NoArguments {})?;
        Ok(Sample::new(devices))
    }

    fn measure(&mut self, enable: bool) -> Result<()> {
        let given = json!({"enable": enable});
        self.client.execute::<_, Done>("__org.southbridge_measure-time", &given)?;
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        if self.timed_for_us { self.measure(false) } else { Ok(()) }
    }
}

fn text(rows: &[Row], output: &Output) -> String {
    let mut table = Table::new(HEADINGS);
    for row in rows {
        table.row(row.cells());
    }
    table.text(0, output)
}
