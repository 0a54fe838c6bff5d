//! `southbridge device record`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::cli::Result;
use crate::cli::output::Output;
use crate::cli::paths::absolute;
use crate::control::qmp::{Client, Done, EndRecord, Record as Begin, SaveRecord, SavedRecord};

const EXAMPLES: &str = "\
Examples:
  southbridge device record --control /tmp/guest.sock pm --begin
  southbridge device record --control /tmp/guest.sock pm --save pm.record
  southbridge device replay ./piix4-pm.wasm pm.record
  southbridge device record --control /tmp/guest.sock pm --end";

/// Record what happens to a device of a running guest: the last calls are kept, with the
/// state before them, what the device was answered and what it did. A fault is kept with
/// what led to it. `replay` has the same happen to any version.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).args(["begin", "save", "end"])
)]
pub(in crate::cli) struct Record {
    /// The guest's control socket.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,

    /// The slot: the device's id in the machine.
    slot: String,

    /// Keep the last calls from now on.
    #[arg(long)]
    begin: bool,

    /// How many calls to keep at least, once so many have been made; at most twice as
    /// many are kept.
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", requires = "begin")]
    calls: u32,

    /// Write the calls that are kept to a file; recording goes on.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Keep no calls any more.
    #[arg(long)]
    end: bool,
}

impl Record {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let mut client = Client::connect(&self.control)?;
        let slot = self.slot.clone();
        if let Some(file) = &self.save {
            let save = SaveRecord { slot, filename: absolute(file)? };
            let saved: SavedRecord = client.execute("__org.southbridge_save-record", &save)?;
            output.print(&format!("{saved}\n"))?;
        } else if self.end {
            client.execute::<_, Done>("__org.southbridge_end-record", &EndRecord { slot })?;
        } else {
            let begin = Begin { slot, calls: self.calls };
            client.execute::<_, Done>("__org.southbridge_record", &begin)?;
        }
        Ok(0)
    }
}
