//! Where metrics are served.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// An address that only processes on this host can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsAddress {
    /// A port of a loopback address; port 0 is any that is free.
    Tcp(SocketAddr),
    /// A Unix stream socket, which only this user can connect to.
    Unix(PathBuf),
}

impl FromStr for MetricsAddress {
    type Err = String;

    /// `127.0.0.1:PORT`, `[::1]:PORT` or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "127.0.0.1:PORT, [::1]:PORT or unix:PATH expected";
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(format!("no path: {EXPECTED}")),
                path => Ok(Self::Unix(path.into())),
            };
        }
        let address: SocketAddr =
            text.parse().map_err(|_| format!("not an address: {EXPECTED}"))?;
        // The metrics say what a guest does, and ask nobody who wants to know.
        if address.ip().to_canonical().is_loopback() {
            Ok(Self::Tcp(address))
        } else {
            Err(format!("{} can be reached from other hosts: {EXPECTED}", address.ip()))
        }
    }
}

impl fmt::Display for MetricsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}/metrics"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_can_be_served() {
        for (text, shown) in [
            ("127.0.0.1:9100", "http://127.0.0.1:9100/metrics"),
            ("127.5.5.5:1", "http://127.5.5.5:1/metrics"),
            ("[::1]:9100", "http://[::1]:9100/metrics"),
            ("[::ffff:127.0.0.1]:9100", "http://[::ffff:127.0.0.1]:9100/metrics"),
            ("unix:/run/x y", "unix:/run/x y"),
        ] {
            assert_eq!(text.parse::<MetricsAddress>().unwrap().to_string(), shown);
        }
        for text in ["0.0.0.0:9100", "[::]:9100", "192.0.2.1:9100", "[::ffff:192.0.2.1]:9100"] {
            let error = text.parse::<MetricsAddress>().unwrap_err();
            assert!(error.contains("can be reached from other hosts"), "{text}: {error}");
        }
        for text in ["", "9100", ":9100", "127.0.0.1", "localhost:9100", "127.0.0.1:65536", "unix:"]
        {
            let error = text.parse::<MetricsAddress>().unwrap_err();
            assert!(error.contains("unix:PATH expected"), "{text}: {error}");
        }
    }
}
