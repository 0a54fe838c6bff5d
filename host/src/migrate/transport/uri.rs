//! QEMU's migration URIs.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a stream goes to or comes from.
///
/// ```
/// use southbridge::migrate::Uri;
///
/// let uri: Uri = "tcp:[::1]:4444".parse()?;
/// assert_eq!(uri, Uri::Tcp { host: "::1".into(), port: 4444 });
/// # Ok::<(), southbridge::migrate::BadUri>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uri {
    /// `tcp:HOST:PORT`. An empty host is any address, to listen at.
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:PATH`: a socket.
    Unix(PathBuf),
    /// `exec:COMMAND`: a command of the shell's, which reads the stream or writes it.
    Exec(String),
    /// `fd:NAME`: an open descriptor, by a name or a number.
    Fd(String),
    /// `file:PATH[,offset=BYTES]`.
    File {
        /// The file.
        path: PathBuf,
        /// Where in it the stream begins.
        offset: u64,
    },
}

/// Not a URI that can be migrated to or from. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("migration URI {uri:?}: {reason}")]
pub struct BadUri {
    uri: String,
    reason: &'static str,
}

const EXPECTED: &str = "expected tcp:HOST:PORT, unix:PATH, exec:COMMAND, fd:NAME or \
                        file:PATH[,offset=BYTES]";

impl Uri {
    /// What a URI begins with, before the first colon.
    pub const PROTOCOLS: [&str; 5] = ["tcp", "unix", "exec", "fd", "file"];
}

impl FromStr for Uri {
    type Err = BadUri;

    fn from_str(text: &str) -> Result<Self, BadUri> {
        let bad = |reason| BadUri { uri: text.to_owned(), reason };
        let (scheme, rest) = text.split_once(':').ok_or_else(|| bad(EXPECTED))?;
        let some = |reason| if rest.is_empty() { Err(bad(reason)) } else { Ok(rest) };
        match scheme {
            "tcp" => tcp(rest).map_err(bad),
            "unix" => Ok(Self::Unix(some("expected a path")?.into())),
            // One that does nothing is QEMU's to take, too.
            "exec" => Ok(Self::Exec(rest.into())),
            "fd" => Ok(Self::Fd(some("expected a descriptor's name or number")?.into())),
            "file" => file(some("expected a path")?).map_err(bad),
            _ => Err(bad(EXPECTED)),
        }
    }
}

fn tcp(rest: &str) -> Result<Uri, &'static str> {
    if rest.contains(',') {
        return Err("options behind the port are not supported");
    }
    let (host, port) = rest.rsplit_once(':').ok_or("expected HOST:PORT")?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if bare.is_none() && host.contains(':') {
        return Err("an IPv6 address is written in brackets, as in tcp:[::1]:4444");
    }
    let port = port.parse().map_err(|_| "expected a port from 0 to 65535")?;
    Ok(Uri::Tcp { host: bare.unwrap_or(host).to_owned(), port })
}

fn file(rest: &str) -> Result<Uri, &'static str> {
    // QEMU takes the last one: a path may have commas.
    let Some((path, offset)) = rest.rsplit_once(",offset=") else {
        return Ok(Uri::File { path: rest.into(), offset: 0 });
    };
    if path.is_empty() {
        return Err("expected a path");
    }
    let offset =
        size(offset).ok_or("expected an offset in bytes, which may end in K, M, G or T")?;
    Ok(Uri::File { path: path.into(), offset })
}

/// A number of bytes, decimal or hexadecimal, with a suffix or not.
fn size(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    let unit = text.chars().next_back()?.to_ascii_uppercase();
    let shift = match unit {
        'B' => 0,
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => return text.parse().ok(),
    };
    let number: u64 = text[..text.len() - 1].parse().ok()?;
    number.checked_mul(1 << shift)
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Exec(command) => write!(f, "exec:{command}"),
            Self::Fd(name) => write!(f, "fd:{name}"),
            Self::File { path, offset: 0 } => write!(f, "file:{}", path.display()),
            Self::File { path, offset } => write!(f, "file:{},offset={offset:#x}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_qemu_takes() {
        let tcp = |host: &str, port| Uri::Tcp { host: host.into(), port };
        let file = |path: &str, offset| Uri::File { path: path.into(), offset };
        for (text, uri) in [
            ("tcp:localhost:4444", tcp("localhost", 4444)),
            ("tcp:0:1", tcp("0", 1)),
            ("tcp::4444", tcp("", 4444)),
            ("tcp:[fe80::1]:65535", tcp("fe80::1", 65535)),
            ("unix:/tmp/a b:c", Uri::Unix("/tmp/a b:c".into())),
            ("exec:cat >'x:y'", Uri::Exec("cat >'x:y'".into())),
            ("fd:7", Uri::Fd("7".into())),
            ("fd:migrate", Uri::Fd("migrate".into())),
            ("file:/a,b", file("/a,b", 0)),
            ("file:/a,offset=0x1000", file("/a", 4096)),
            ("file:/a,offset=2,offset=4k", file("/a,offset=2", 4096)),
            ("file:/a,offset=17", file("/a", 17)),
        ] {
            assert_eq!(text.parse(), Ok(uri.clone()), "{text}");
            assert_eq!(uri.to_string().parse(), Ok(uri), "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "",
            "tcp",
            "tcp:",
            "tcp:host",
            "tcp:host:",
            "tcp:host:65536",
            "tcp:a:-1",
            "tcp:::1:4",
            "tcp:a:1,to=3",
            "unix:",
            "fd:",
            "file:",
            "file:,offset=3",
            "file:a,offset=",
            "file:a,offset=x",
            "file:a,offset=99999999999T",
            "rdma:host:1",
            "/tmp/file",
            "defer",
        ] {
            let error = text.parse::<Uri>().expect_err(text).to_string();
            assert!(error.starts_with(&format!("migration URI {text:?}: ")), "{error}");
            assert!(!error.contains('\n'));
        }
    }
}
