//! Short conversations with one machine, with QEMU 7.2's answers.

use southbridge::control::SocketError;
use southbridge::control::qtest::QtestServer;
use southbridge::guest::Processors as _;

use super::client::{Client, Listening, machine};

fn listening() -> Listening {
    Listening::new(machine("pc-i440fx-7.2"))
}

/// Holds a conversation: requests and the replies expected.
fn talk(client: &mut Client, conversation: &[(&str, &str)]) {
    for (request, reply) in conversation {
        assert_eq!(client.ask(request), *reply, "{request:?}");
    }
}

#[test]
fn numbers_are_written_as_in_c() {
    let listening = listening();
    talk(
        &mut listening.connect(),
        &[
            ("outl 0xcf8 0x80000000", "OK"),
            ("inl 0xcf8", "OK 0x80000000"),
            ("inl 3320", "OK 0x80000000"),
            ("inl 06370", "OK 0x80000000"),
            ("inl +0XCF8 and more", "OK 0x80000000"),
            ("inl \t0xcfc", "OK 0x12378086"),
            ("inb 0x80", "OK 0x00ff"),
        ],
    );
}

#[test]
fn where_nothing_is_ports_read_as_ones_and_memory_as_zeros() {
    let listening = listening();
    talk(
        &mut listening.connect(),
        &[
            ("inl 0x80", "OK 0xffffffff"),
            ("inb 0xffff", "OK 0x00ff"),
            ("inw 0xffff", "OK 0x00ff"),
            ("inl 0xfffd", "OK 0xffffff"),
            ("inl 0xffff", "OK 0x00ff"),
            ("outl 0xffff 1", "OK"),
            ("readl 0x8000000", "OK 0x0000000000000000"),
            ("write 0x8000000 4 0x01020304", "OK"),
            ("read 0x8000000 4", "OK 0x00000000"),
            ("readb 0x1000000000", "OK 0x0000000000000000"),
            ("readw 0xffffffffffffffff", "OK 0x0000000000000000"),
            ("read 0xffffffffffffffff 3", "OK 0x000000"),
        ],
    );
}

#[test]
fn ram_keeps_what_roms_drop() {
    let listening = listening();
    talk(
        &mut listening.connect(),
        &[
            ("write 0x100 4 0x01020304", "OK"),
            ("write 0x102 4 01020304", "OK"),
            ("read 0x100 8", "OK 0x0102020304000000"),
            ("writeq 0x100 0x123456789abcdef0", "OK"),
            ("readl 0x100", "OK 0x000000009abcdef0"),
            ("readw 0x101", "OK 0x000000000000bcde"),
            ("write 0xfffffe 4 0x01020304", "OK"),
            ("read 0xfffffe 4", "OK 0x01020000"),
            ("write 0xa0000 2 0x0102", "OK"),
            ("readw 0xa0000", "OK 0x0000000000000201"),
            ("write 0xc0000 4 0x01020304", "OK"),
            ("read 0xc0000 4", "OK 0x00000000"),
            ("writel 0xf0000 0x01020304", "OK"),
            ("read 0xf0000 4", "OK 0x00000000"),
            ("write 0xfffffff8 4 0x01020304", "OK"),
            ("read 0xfffffff8 4", "OK 0x00000000"),
            ("memset 0x100 4 0x1ff", "OK"),
            ("memset 0x100 0 1", "OK"),
            ("b64read 0x100 4", "OK /////w=="),
        ],
    );
}

#[test]
fn the_host_bridge_switches_ram_windows() {
    let listening = listening();
    talk(
        &mut listening.connect(),
        &[
            // PAM1: RAM answers at 0xc0000.
            ("outl 0xcf8 0x80000058", "OK"),
            ("outb 0xcfe 0x33", "OK"),
            ("write 0xc0000 4 0x01020304", "OK"),
            ("read 0xbfffe 8", "OK 0x0000010203040000"),
            // Read only: for processors, which qtest is not.
            ("outb 0xcfe 0x11", "OK"),
            ("writeb 0xc0000 9", "OK"),
            ("read 0xc0000 4", "OK 0x09020304"),
            ("outb 0xcfe 0", "OK"),
            ("read 0xc0000 4", "OK 0x00000000"),
        ],
    );
}

#[test]
fn a_device_in_memory_answers_there() {
    let listening = Listening::new(machine("xenfv-4.2"));
    let mut client = listening.connect();
    // The second BAR of the platform device, and its memory enable bit.
    talk(
        &mut client,
        &[
            ("outl 0xcf8 0x80001014", "OK"),
            ("outl 0xcfc 0xf0000000", "OK"),
            ("outl 0xcf8 0x80001004", "OK"),
            ("outl 0xcfc 2", "OK"),
            // 16 MiB that answer with zeros, and nothing behind.
            ("read 0xf0fffffe 4", "OK 0x00000000"),
            ("write 0xf0fffffe 4 0x01020304", "OK"),
        ],
    );
}

/// Has the interval timer interrupt once, and not again.
const ONE_SHOT: [(&str, &str); 3] =
    [("outb 0x43 0x30", "OK"), ("outb 0x40 1", "OK"), ("outb 0x40 0", "OK")];

#[test]
fn interrupts_come_before_the_reply_and_only_on_change() {
    let listening = listening();
    let mut client = listening.connect();
    talk(
        &mut client,
        &[
            ("irq_intercept_in foo", "FAIL Unknown device"),
            ("irq_intercept_in ioapic", "OK"),
            ("irq_intercept_in i440fx/ioapic", "OK"),
            ("irq_intercept_out ioapic", "OK"),
        ],
    );
    talk(&mut client, &ONE_SHOT);
    let raised = (vec!["IRQ raise 0".into()], "OK 1000".into());
    assert_eq!(client.exchange("clock_step 1000"), raised);
    talk(
        &mut client,
        &[
            // The PM registers at 0xb000; TMR_EN.
            ("outl 0xcf8 0x80000b40", "OK"),
            ("outl 0xcfc 0xb001", "OK"),
            ("outl 0xcf8 0x80000b80", "OK"),
            ("outb 0xcfc 1", "OK"),
            // TMR_STS is set at first.
            ("outw 0xb000 1", "OK"),
            ("outw 0xb002 1", "OK"),
        ],
    );
    // The timer overflows: its 24 bits count at 3.579545 MHz.
    let raised = (vec!["IRQ raise 9".into()], "OK 3000001000".into());
    assert_eq!(client.exchange("clock_step 3000000000"), raised);
    assert_eq!(client.ask("outw 0xb002 1"), "OK");
    let lowered = (vec!["IRQ lower 9".into()], "OK".into());
    assert_eq!(client.exchange("outw 0xb000 1"), lowered);
}

/// The ISA bridge shares the interrupts of the devices on its bus.
#[test]
fn new_routes_take_the_interrupts_of_others_back() {
    let listening = listening();
    let mut client = listening.connect();
    talk(&mut client, &[("irq_intercept_in ioapic", "OK")]);
    talk(&mut client, &ONE_SHOT);
    client.exchange("clock_step 1000");
    assert_eq!(client.ask("outl 0xcf8 0x80000860"), "OK");
    let lowered = (vec!["IRQ lower 0".into()], "OK".into());
    assert_eq!(client.exchange("outb 0xcfc 9"), lowered);
}

#[test]
fn an_input_of_the_io_apic_can_be_driven() {
    let listening = listening();
    let mut client = listening.connect();
    talk(
        &mut client,
        &[
            // Entry 5: level-triggered, to a processor that is not there.
            ("writel 0xfec00000 0x1a", "OK"),
            ("writel 0xfec00010 0x8040", "OK"),
            ("readl 0xfec00010", "OK 0x0000000000008040"),
            ("set_irq_in ioapic unnamed-gpio-in 5 1", "OK"),
            // Remote IRR: it has been sent.
            ("readl 0xfec00010", "OK 0x000000000000c040"),
            ("set_irq_in ioapic unnamed-gpio-in 5 0", "OK"),
            ("irq_intercept_in ioapic", "OK"),
        ],
    );
    let raised = (vec!["IRQ raise 5".into()], "OK".into());
    assert_eq!(client.exchange("set_irq_in ioapic unnamed-gpio-in 5 1"), raised);
}

#[test]
fn timers_wait_while_the_machine_has_stopped() {
    let qtest = machine("pc-i440fx-7.2");
    let listening = Listening::new(qtest.clone());
    let mut client = listening.connect();
    assert_eq!(client.ask("irq_intercept_in ioapic"), "OK");
    talk(&mut client, &ONE_SHOT);
    qtest.stop();
    assert_eq!(client.ask("clock_step"), "OK 0");
    assert_eq!(client.ask("clock_step 1000"), "OK 1000");
    qtest.start();
    let late = (vec!["IRQ raise 0".into()], "OK little".into());
    assert_eq!(client.exchange("endianness"), late);
}

#[test]
fn the_clock_stops_at_each_deadline() {
    let listening = listening();
    let mut client = listening.connect();
    talk(
        &mut client,
        &[
            ("outl 0xcf8 0x80000b40", "OK"),
            ("outl 0xcfc 0xb001", "OK"),
            ("outl 0xcf8 0x80000b80", "OK"),
            ("outb 0xcfc 1", "OK"),
            // TMR_STS is set at first.
            ("outw 0xb000 1", "OK"),
            ("outw 0xb002 1", "OK"),
        ],
    );
    // Half the period of the interval timer: 2^15 ticks of 1193182 Hz. QEMU rounds
    // down, is one nanosecond early, and looks again.
    assert_eq!(client.ask("clock_step"), "OK 27462700");
    assert_eq!(client.ask("clock_step"), "OK 27462701");
    talk(&mut client, &ONE_SHOT);
    assert_eq!(client.ask("clock_step"), "OK 27463539");
    assert_eq!(client.ask("clock_step"), "OK 27463540");
    // 2^23 ticks of the PM timer: when its highest bit changes.
    let ticks = 1_u64 << 23;
    let deadline = ticks * 1_000_000_000 / 3_579_545;
    // The real-time clock sets its update flag after a second, and has nothing
    // more to do while nobody reads it.
    assert_eq!(client.ask("clock_step"), "OK 1000000000");
    assert_eq!(client.ask("clock_step"), format!("OK {deadline}"));
    // QEMU rounds down both times, and is one tick early.
    assert_eq!(client.ask("inl 0xb008"), "OK 0x7fffff");
}

#[test]
fn a_client_may_listen_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let qtest = machine("pc-i440fx-7.2");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
            qtest.serve(&stream, &stream).unwrap();
        });
        let mut client = Client::new(listener.accept().unwrap().0);
        assert_eq!(client.ask("endianness"), "OK little");
    });
}

#[test]
fn a_socket_belongs_to_one_machine_and_goes_with_it() {
    let qtest = machine("pc-i440fx-7.2");
    let listening = Listening::new(qtest.clone());
    let path = listening.directory.path().join("qtest");
    let second = QtestServer::start(&path, qtest.clone()).err();
    assert!(matches!(second, Some(SocketError::InUse(_))), "{second:?}");
    let mut client = listening.connect();
    assert_eq!(client.ask("endianness"), "OK little");
    let directory = listening.stop();
    assert!(client.has_ended());
    assert!(!path.exists());
    let _again = QtestServer::start(&path, qtest).expect("the path is free");
    assert_eq!(Client::connect(&path).ask("endianness"), "OK little");
    drop(directory);
}

/// The guide's conversation: a request and what it brings, in two columns.
#[test]
fn the_guides_conversation_is_true() {
    let guide = include_str!("../../docs/guide.md");
    let (_, section) = guide.split_once("\n## qtest\n").expect("the guide has this section");
    let (_, text) = section.split_once("```text\n").expect("there is a conversation");
    let (text, _) = text.split_once("```").expect("it ends");
    let listening = listening();
    let mut client = listening.connect();
    let mut lines = 0;
    for line in text.lines() {
        let (request, reply) = line.split_at(28);
        if !request.trim().is_empty() {
            client.send(format!("{}\n", request.trim_end()).as_bytes());
        }
        assert_eq!(client.line(), reply, "{line:?}");
        lines += 1;
    }
    assert!(lines > 5, "{lines} lines");
}
