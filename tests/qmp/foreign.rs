//! A client that was written for QEMU: the `qapi` crate.

use std::io::BufReader;
use std::os::unix::net::UnixStream;

use qapi::{Qmp, qmp};
use southbridge::guest::Outcome;

use crate::common::driven::Driven;

#[test]
fn a_client_written_for_qemu_drives_a_guest() {
    let mut driven = Driven::with("pc-i440fx-7.2", |setup| setup.name = Some("g1".into()));
    let listening = driven.listen();
    let stream = UnixStream::connect(&listening.path).expect("the socket is there");
    let mut reader = BufReader::new(stream.try_clone().expect("there are descriptors"));
    let mut client = Qmp::new(qapi::Stream::new(&mut reader, &stream));
    let greeting = client.handshake().expect("it is QMP");
    assert_eq!((greeting.version.qemu.major, greeting.version.qemu.minor), (7, 2));

    let status = client.execute(&qmp::query_status {}).expect("it is asked rightly");
    assert!(status.running);
    let name = client.execute(&qmp::query_name {}).expect("it is asked rightly");
    assert_eq!(name.name.as_deref(), Some("g1"));
    let cpus = client.execute(&qmp::query_cpus_fast {}).expect("it is asked rightly");
    assert_eq!(cpus.len(), 1);
    let commands = client.execute(&qmp::query_commands {}).expect("it is asked rightly");
    assert!(commands.iter().any(|command| command.name == "system_reset"));
    assert!(client.execute(&qmp::query_chardev {}).expect("it is asked rightly").is_empty());
    assert!(!client.execute(&qmp::query_vnc {}).expect("it is asked rightly").enabled);

    client.execute(&qmp::stop {}).expect("it runs");
    client.execute(&qmp::system_reset {}).expect("it can be reset");
    let error = client.execute(&qmp::system_wakeup {}).expect_err("it is not suspended");
    assert!(error.to_string().contains("guest is not in suspended state"), "{error}");
    client.execute(&qmp::cont {}).expect("it stands still");
    let events: Vec<_> = client.events().collect();
    assert!(matches!(
        &events[..],
        [
            qmp::Event::STOP { .. },
            qmp::Event::RESET { data, .. },
            qmp::Event::RESUME { .. }
        ] if !data.guest && data.reason == qmp::ShutdownCause::host_qmp_system_reset
    ));

    client.execute(&qmp::quit {}).expect("the answer comes before the end");
    assert_eq!(driven.outcome(), Outcome::Quit);
}
