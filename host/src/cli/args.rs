//! Values on the command line.

use std::str::FromStr;
use std::time::Duration;

use crate::chardev::Backend;
use crate::machine::DeviceRequest;

/// Reads a size of memory as QEMU's `-m`: a number of MiB, or one with a suffix
/// K, M, G or T. Returns bytes.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    let shift = match text.bytes().last().map(|byte| byte.to_ascii_uppercase()) {
        Some(b'K') => 10,
        Some(b'G') => 30,
        Some(b'T') => 40,
        _ => 20,
    };
    let digits = text.strip_suffix(|c: char| "KMGT".contains(c.to_ascii_uppercase()));
    let number = digits.unwrap_or(text);
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = number.parse().ok().filter(|_| plain);
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "a number of MiB expected, or one with K, M, G or T: 128, 512M, 2G".into())
}

/// Reads a time in seconds.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    let seconds = seconds.ok_or("a number of seconds from 0.1 to 3600 expected")?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads an address: decimal, or hexadecimal with `0x`.
pub(super) fn address(text: &str) -> Result<u32, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "an address below 4 GiB expected: 1048576 or 0x100000".into())
}

/// Reads a length of time: `500ms`, `30s`, `5m`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let read = |(unit, milliseconds): (&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(milliseconds).map(Duration::from_millis)
    };
    let found = units.into_iter().find_map(read).filter(|_| !text.starts_with('+'));
    found.ok_or_else(|| "a number and a unit expected: 500ms, 30s, 5m, 2h".into())
}

/// Reads `NAME|FILE.wasm[,id=ID][,addr=ADDRESS][,SETTING=VALUE]...`.
pub(super) fn device(text: &str) -> Result<DeviceRequest, String> {
    let mut parts = text.split(',');
    let template = parts.next().filter(|name| !name.is_empty() && !name.contains('='));
    let mut request = DeviceRequest::new(template.ok_or("a device's name or file expected first")?);
    for part in parts {
        let pair = part.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = pair.ok_or_else(|| format!("{part:?}: NAME=VALUE expected"))?;
        match name {
            "id" => request.id = Some(value.into()),
            "addr" => request.address = Some(value.into()),
            _ => request.settings.push((name.into(), value.into())),
        }
    }
    Ok(request)
}

/// `NAME=VALUE`, where both are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair<T> {
    pub(super) name: String,
    pub(super) value: T,
}

impl<T: FromStr<Err: ToString>> FromStr for Pair<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair =
            text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let (name, value) = pair.ok_or("NAME=VALUE expected")?;
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(Self { name: name.into(), value })
    }
}

/// What the first serial port is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Console {
    pub(super) backend: Backend,
    /// A monitor shares it.
    pub(super) with_monitor: bool,
}

/// Reads what the first serial port is connected to: what [`backend`] reads, or
/// `mon:stdio`.
pub(super) fn console(text: &str) -> Result<Console, String> {
    match text {
        "mon:stdio" => {
            Ok(Console { backend: Backend::Stdio { signal: false }, with_monitor: true })
        }
        _ => match backend(text) {
            Ok(backend) => Ok(Console { backend, with_monitor: false }),
            Err(_) => Err("stdio, mon:stdio, stderr, null or file:PATH expected".into()),
        },
    }
}

/// Reads what a stream of the guest is connected to: `stdio`, `stderr`, `null` or
/// `file:PATH`.
pub(super) fn backend(text: &str) -> Result<Backend, String> {
    match (text, text.strip_prefix("file:")) {
        ("stdio", _) => Ok(Backend::Stdio { signal: true }),
        ("stderr", _) => Ok(Backend::Stderr),
        ("null", _) => Ok(Backend::Null),
        (_, Some(path)) if !path.is_empty() => {
            Ok(Backend::File { path: path.into(), append: false, input: None })
        }
        _ => Err("stdio, stderr, null or file:PATH expected".into()),
    }
}

/// Reads `NAME=TO`, where `TO` is what [`backend`] reads.
pub(super) fn stream(text: &str) -> Result<Pair<Backend>, String> {
    let Pair { name, value } = text.parse::<Pair<String>>()?;
    Ok(Pair { name, value: backend(&value)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sizes_are_qemus() {
        assert_eq!(memory("128"), Ok(128 << 20));
        assert_eq!(memory("128M"), Ok(128 << 20));
        assert_eq!(memory("2g"), Ok(2 << 30));
        assert_eq!(memory("1048576K"), Ok(1 << 30));
        assert_eq!(memory("0"), Ok(0));
        for wrong in ["", "M", "-1", "+1", "1.5G", "128MB", "99999999999999T", "0x80"] {
            assert!(memory(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in ["", "30", "s", "-1s", "+1s", "1.5s", "1d", "99999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn devices_are_template_id_address_and_properties() {
        let request = device("xen-platform,addr=05.0,id=xen,a=1,b=x=y,c=").unwrap();
        assert_eq!(request.template, "xen-platform");
        assert_eq!(request.id.as_deref(), Some("xen"));
        assert_eq!(request.address.as_deref(), Some("05.0"));
        let pairs = [("a", "1"), ("b", "x=y"), ("c", "")].map(|(a, b)| (a.into(), b.into()));
        assert_eq!(request.settings, pairs);
        for wrong in ["", ",id=x", "id=x", "x,", "x,y", "x,=y"] {
            assert!(device(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn backends_have_names() {
        assert_eq!(backend("stdio"), Ok(Backend::Stdio { signal: true }));
        let file = Backend::File { path: "a:b".into(), append: false, input: None };
        assert_eq!(backend("file:a:b"), Ok(file));
        for wrong in ["", "file:", "file", "tcp:1", "stdio "] {
            assert!(backend(wrong).is_err(), "{wrong}");
        }
        let shared = Console { backend: Backend::Stdio { signal: false }, with_monitor: true };
        assert_eq!(console("mon:stdio"), Ok(shared));
        assert_eq!(console("null"), Ok(Console { backend: Backend::Null, with_monitor: false }));
        assert!(console("mon:null").unwrap_err().contains("mon:stdio"));
        let pair = Pair { name: "debugcon".into(), value: Backend::Null };
        assert_eq!(stream("debugcon=null"), Ok(pair));
        assert!(stream("debugcon").is_err());
        assert!(stream("debugcon=nul").is_err());
    }
}
