//! The parent's side: it hands the component over, takes the code, and says what was
//! wrong.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::Error;
use super::{CompilerLimits, LARGEST};
use crate::component::message::Message;

/// Exit status of a child that refuses a component.
pub(crate) const REFUSED: u8 = 3;

/// Most bytes of code.
const MOST_CODE: u64 = 1 << 30;

/// Most bytes of what a child says of itself.
const MOST_WORDS: u64 = 16 << 10;

/// What a child says at its end that is refused memory: Rust's library, and the compiler.
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of", "out of memory"];

/// How often one looks whether a child that has closed its output has ended.
const LOOK: Duration = Duration::from_millis(1);

/// Has a child compile a component.
pub(super) fn compile(
    program: &Path,
    limits: &CompilerLimits,
    bytes: &[u8],
) -> Result<Vec<u8>, Error> {
    let failed =
        |error: io::Error| Error::NotCompiled(format!("cannot run {}: {error}", program.display()));
    if bytes.len() as u64 > LARGEST {
        return Err(Error::NotCompiled("larger than 64 MiB: not a device".into()));
    }
    let end = Instant::now() + limits.patience;
    let mut child = Command::new(program)
        .arg0("southbridge")
        .arg("compile-component")
        .args(["--memory-mib", &limits.memory_mib.to_string()])
        .args(["--processor-seconds", &limits.processor_seconds.to_string()])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut input), Some(output), Some(words)) = pipes else {
        return Err(failed(io::Error::other("it has no pipes")));
    };
    let (code, said, in_time) = thread::scope(|scope| {
        let (ended, end_seen) = channel();
        // A child that ends before it has read all says why.
        scope.spawn(move || drop(input.write_all(bytes)));
        let words = scope.spawn(move || {
            let mut text = Vec::new();
            let _ = words.take(MOST_WORDS).read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let code = scope.spawn(move || {
            let mut code = Vec::new();
            let read = output.take(MOST_CODE).read_to_end(&mut code);
            let _ = ended.send(());
            read.map(|_| code)
        });
        let left = end.saturating_duration_since(Instant::now());
        let in_time = end_seen.recv_timeout(left) != Err(RecvTimeoutError::Timeout);
        let in_time = in_time && has_ended(&mut child, end);
        if !in_time {
            // The pipes are closed with it, so the threads end.
            let _ = child.kill();
        }
        (code.join(), words.join().unwrap_or_default(), in_time)
    });
    let status = child.wait().map_err(failed)?;
    if !in_time {
        let patience = limits.patience;
        return Err(Error::NotCompiled(format!("it takes more than {patience:.0?}")));
    }
    if status.success()
        && let Ok(code) = code
    {
        return code.map_err(failed);
    }
    Err(reason(status, &said, limits))
}

fn has_ended(child: &mut Child, end: Instant) -> bool {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < end => thread::sleep(LOOK),
            Ok(None) => return false,
            _ => return true,
        }
    }
}

/// Why there is no code.
fn reason(status: ExitStatus, said: &str, limits: &CompilerLimits) -> Error {
    let CompilerLimits { memory_mib, processor_seconds, .. } = limits;
    let said = said.trim();
    if status.code() == Some(REFUSED.into()) {
        return Error::NotAComponent(Message(said).to_string());
    }
    let signal = status.signal();
    let is = |expected: Signal| signal == Some(expected.as_raw());
    Error::NotCompiled(if is(Signal::XCPU) {
        format!("it takes more than {processor_seconds} s of a processor")
    } else if OUT_OF_MEMORY.iter().any(|words| said.contains(words)) {
        format!("it takes more than {memory_mib} MiB of memory")
    } else {
        format!("the compiler ended with {status}: {}", Message(said))
    })
}
