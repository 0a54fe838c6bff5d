//! `southbridge screenshot`.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::{ArgGroup, Args};
use serde_json::json;

use super::Result;
use super::output::Output;
use super::paths::absolute;
use crate::control::qmp::{Client, Done, NoArguments};

const EXAMPLES: &str = "\
Examples:
  southbridge screenshot --control /tmp/guest.sock screen.png
  southbridge screenshot --control /tmp/guest.sock --text";

/// Save what is on a guest's screen, or print its text.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).args(["file", "text"])
)]
pub(super) struct Screenshot {
    /// The guest's control socket.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,

    /// The picture's file: .png or .ppm.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Print the characters on a screen in a text mode.
    #[arg(long)]
    text: bool,
}

impl Screenshot {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        match &self.file {
            Some(file) => self.save(file)?,
            None => self.print(output)?,
        }
        Ok(0)
    }

    fn save(&self, file: &Path) -> Result<()> {
        let format = match file.extension().and_then(|extension| extension.to_str()) {
            Some("png") => "png",
            Some("ppm") => "ppm",
            _ => bail!("{}: a name that ends in .png or .ppm expected", file.display()),
        };
        let filename = absolute(file)?;
        let mut client = Client::connect(&self.control)?;
        let given = json!({"filename": filename, "format": format});
        client.execute::<_, Done>("screendump", &given)?;
        Ok(())
    }

    fn print(&self, output: &Output) -> Result<()> {
        let mut client = Client::connect(&self.control)?;
        let command = "__org.southbridge_query-screen-text";
        let rows: Option<Vec<String>> = client.execute(command, &NoArguments {})?;
        let rows = rows.ok_or_else(|| {
            anyhow!("the screen is in a graphics mode; save a picture of it with FILE.png")
        })?;
        let lines: String = rows.iter().map(|row| format!("{}\n", row.trim_end())).collect();
        output.print(&lines)
    }
}
