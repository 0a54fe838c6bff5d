//! As much of HTTP/1.1 as a server of one page needs (RFC 9112); the head of a
//! request is httparse's to read.

use std::io;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use httparse::{EMPTY_HEADER, Error, Request, Status};

use super::connection::Connection;
use super::text::CONTENT_TYPE;

/// Bytes of a request's head.
const LONGEST_HEAD: usize = 8 << 10;

/// Header fields of a request.
const MOST_FIELDS: usize = 64;

/// From the connection to the end of the head.
const ASKING: Duration = Duration::from_secs(5);

/// How long a client may take to receive the answer.
const ANSWERING: Duration = Duration::from_secs(10);

/// How long is waited for a client to close after it was refused, that the answer
/// is not lost with what it still sends (RFC 9112, 9.6).
const LINGERING: Duration = Duration::from_secs(1);

/// What a client is answered.
enum Answer {
    /// The page, or only its head.
    Page {
        head_only: bool,
    },
    Refused(Refusal),
}

/// Status code, reason, and a field that belongs to it.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(u16, &'static str, &'static str);

const BAD_REQUEST: Refusal = Refusal(400, "Bad Request", "");
const NOT_FOUND: Refusal = Refusal(404, "Not Found", "");
const NOT_ALLOWED: Refusal = Refusal(405, "Method Not Allowed", "Allow: GET, HEAD\r\n");
const TOO_SLOW: Refusal = Refusal(408, "Request Timeout", "");
const TOO_LARGE: Refusal = Refusal(431, "Request Header Fields Too Large", "");
const BUSY: Refusal = Refusal(503, "Service Unavailable", "Retry-After: 5\r\n");
const OTHER_VERSION: Refusal = Refusal(505, "HTTP Version Not Supported", "");

/// Answers one request and ends the connection.
///
/// # Errors
/// The client has gone, or does not take the answer.
pub(super) fn serve(connection: &Connection, page: impl FnOnce() -> String) -> io::Result<()> {
    match read(connection, Instant::now() + ASKING)? {
        None => Ok(()),
        Some(Answer::Page { head_only }) => {
            let page = page();
            let mut answer = head(200, "OK", CONTENT_TYPE, page.len(), "");
            if !head_only {
                answer += &page;
            }
            connection.write_all(answer.as_bytes(), Instant::now() + ANSWERING)?;
            connection.shutdown(Shutdown::Both)
        }
        Some(Answer::Refused(refusal)) => {
            refuse(connection, &refusal, ANSWERING)?;
            linger(connection)
        }
    }
}

/// Sends a client away without asking what it wants, and without waiting for it.
pub(super) fn send_away(connection: &Connection) -> io::Result<()> {
    refuse(connection, &BUSY, Duration::from_millis(1))
}

fn refuse(connection: &Connection, refusal: &Refusal, within: Duration) -> io::Result<()> {
    let Refusal(status, reason, field) = refusal;
    let body = format!("{status} {reason}\n");
    let head = head(*status, reason, "text/plain; charset=utf-8", body.len(), field);
    connection.write_all((head + &body).as_bytes(), Instant::now() + within)
}

fn head(status: u16, reason: &str, content_type: &str, length: usize, fields: &str) -> String {
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         {fields}Connection: close\r\n\r\n"
    )
}

/// Reads what is still sent, which nobody wants, until the client closes.
fn linger(connection: &Connection) -> io::Result<()> {
    connection.shutdown(Shutdown::Write)?;
    let end = Instant::now() + LINGERING;
    let mut ignored = [0; 4096];
    while connection.read(&mut ignored, end)? != 0 {}
    Ok(())
}

/// Reads the head of a request; none if the client has nothing to ask.
fn read(connection: &Connection, end: Instant) -> io::Result<Option<Answer>> {
    let mut bytes = [0; LONGEST_HEAD];
    let mut filled = 0;
    loop {
        match connection.read(&mut bytes[filled..], end) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Ok(Some(Answer::Refused(BAD_REQUEST))),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Ok(Some(Answer::Refused(TOO_SLOW)));
            }
            Err(error) => return Err(error),
        }
        match answer(&bytes[..filled]) {
            Some(answer) => return Ok(Some(answer)),
            None if filled == LONGEST_HEAD => return Ok(Some(Answer::Refused(TOO_LARGE))),
            None => {}
        }
    }
}

/// The answer to a request; none if its head is not complete.
fn answer(bytes: &[u8]) -> Option<Answer> {
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut request = Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(Status::Partial) => None,
        Ok(Status::Complete(_)) => Some(understand(&request).unwrap_or_else(Answer::Refused)),
        Err(Error::TooManyHeaders) => Some(Answer::Refused(TOO_LARGE)),
        Err(Error::Version) => Some(Answer::Refused(OTHER_VERSION)),
        Err(_) => Some(Answer::Refused(BAD_REQUEST)),
    }
}

fn understand(request: &Request<'_, '_>) -> Result<Answer, Refusal> {
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(BAD_REQUEST);
    };
    let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
    // RFC 9112, 3.2.
    match hosts.count() {
        1 => {}
        0 if version == 0 => {}
        _ => return Err(BAD_REQUEST),
    }
    if path(target) != "/metrics" {
        return Err(NOT_FOUND);
    }
    match method {
        "GET" => Ok(Answer::Page { head_only: false }),
        "HEAD" => Ok(Answer::Page { head_only: true }),
        _ => Err(NOT_ALLOWED),
    }
}

/// The path of a target, which may be a whole URI (RFC 9112, 3.2.2).
fn path(target: &str) -> &str {
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    };
    target.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &str) -> Option<u16> {
        answer(request.as_bytes()).map(|answer| match answer {
            Answer::Page { .. } => 200,
            Answer::Refused(Refusal(status, ..)) => status,
        })
    }

    #[test]
    fn requests_are_understood_or_refused_for_a_reason() {
        for (request, expected) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Some(200)),
            ("HEAD /metrics?a=b HTTP/1.1\r\nhost: x\r\n\r\n", Some(200)),
            ("GET http://localhost:9100/metrics HTTP/1.1\r\nHost: x\r\n\r\n", Some(200)),
            ("GET /metrics HTTP/1.0\r\n\r\n", Some(200)),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r", None),
            ("G", None),
            ("", None),
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Some(404)),
            ("GET http://metrics HTTP/1.1\r\nHost: x\r\n\r\n", Some(404)),
            ("GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", Some(404)),
            ("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Some(405)),
            ("GET /metrics HTTP/1.1\r\n\r\n", Some(400)),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", Some(400)),
            ("GET /metrics\r\n\r\n", Some(400)),
            ("{\"execute\":\"qmp_capabilities\"}\n", Some(400)),
            ("\u{1}\u{2}\r\n\r\n", Some(400)),
            ("GET /metrics HTTP/2.0\r\n\r\n", Some(505)),
        ] {
            assert_eq!(status(request), expected, "{request:?}");
        }
        let fields = (0..100).map(|field| format!("a{field}: b\r\n")).collect::<String>();
        assert_eq!(status(&format!("GET /metrics HTTP/1.1\r\n{fields}\r\n")), Some(431));
    }
}
