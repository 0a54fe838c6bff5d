use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;

use super::*;
use crate::component::Engine;
use crate::library::Library;
use crate::machine::file::{MachineTypes, Parameters};

const RAM: u64 = 2 << 20;

fn qtest() -> Qtest {
    let types = MachineTypes::builtin().unwrap();
    let machine_type = types.get("pc-i440fx-7.2").unwrap();
    let library = Library::new(Engine::new(None).unwrap());
    let plan = Plan::new(machine_type, &[], &library, Parameters::new(1, RAM)).unwrap();
    let memory = &machine_type.memory;
    let layout = RamLayout {
        size: RAM,
        below_4g_limit: memory.max_ram_below_4g,
        below_4g_split: memory.split_at,
    };
    Qtest::build(&plan, &layout, None, &Backends::default(), Arc::new(|_| {})).unwrap()
}

/// What a client hears that sends this and is gone.
fn told(qtest: &Qtest, requests: &str) -> String {
    let mut replies = Vec::new();
    qtest.serve(requests.as_bytes(), &mut replies).unwrap();
    String::from_utf8(replies).unwrap()
}

#[test]
fn values_are_cut_to_the_width_of_the_access() {
    let requests = "writeb 0x100 0x1ff\nread 0x100 2\nwriteq 0x100 -1\nreadq 0x100\nreadw 0x107\n";
    let replies = "OK\nOK 0xff00\nOK\nOK 0xffffffffffffffff\nOK 0x00000000000000ff\n";
    assert_eq!(told(&qtest(), requests), replies);
}

#[test]
fn data_is_written_and_read_in_both_forms() {
    let requests = "write 0x100 4 0x010203\nb64read 0x100 4\nb64write 0x102 9 /wA=\nread 0x100 5\n\
                    memset 0x1ff000 8192 0x5a\nread 0x1fefff 2\nread 0x1fffff 2\nb64read 0 0\n";
    let replies = "OK\nOK AQIDAA==\nOK\nOK 0x0102ff0000\nOK\nOK 0x005a\nOK 0x5a00\nOK \n";
    assert_eq!(told(&qtest(), requests), replies);
}

/// QEMU 7.2's answers to the same steps.
#[test]
fn time_moves_when_told_and_never_back() {
    let requests = "clock_step 100\nclock_step -5\nclock_set 10\nclock_set -1\nclock_set 5000\n\
                    clock_step 9223372036854775807\nclock_step 0x10\n";
    let times = [100, 100, 100, 100, 5000, 5000, 5016];
    let replies: String = times.iter().map(|time| format!("OK {time}\n")).collect();
    assert_eq!(told(&qtest(), requests), replies);
}

#[test]
fn only_what_changes_is_told_and_only_once_lines_are_intercepted() {
    let requests = "set_irq_in ioapic unnamed-gpio-in 4 1\nirq_intercept_in ioapic\n\
                    set_irq_in ioapic unnamed-gpio-in 4 0\nset_irq_in ioapic unnamed-gpio-in 4 1\n\
                    set_irq_in ioapic unnamed-gpio-in 4 1\nset_irq_in ioapic unnamed-gpio-in 4 0\n";
    let replies = "OK\nOK\nOK\nIRQ raise 4\nOK\nOK\nIRQ lower 4\nOK\n";
    let qtest = qtest();
    assert_eq!(told(&qtest, requests), replies);
    // Interception outlives the client, what a client knows does not.
    let again = "set_irq_in ioapic unnamed-gpio-in 5 1\n";
    assert_eq!(told(&qtest, again), "IRQ raise 5\nOK\n");
    assert_eq!(told(&qtest, again), "IRQ raise 5\nOK\n");
}

#[test]
fn the_first_interception_holds() {
    let requests = "irq_intercept_out ioapic\nirq_intercept_in ioapic\n\
                    set_irq_in ioapic unnamed-gpio-in 4 1\nirq_intercept_in i8259\n";
    assert_eq!(told(&qtest(), requests), "OK\nOK\nOK\nFAIL Unknown device\n");
}

#[test]
fn an_interrupt_that_no_request_caused_is_told_at_once() {
    let qtest = qtest();
    let (client, server) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        let (qtest, client) = (&qtest, client);
        scope.spawn(move || qtest.serve(&server, &server));
        let mut replies = BufReader::new(&client).lines().map(Result::unwrap);
        (&client).write_all(b"irq_intercept_in ioapic\n").unwrap();
        assert_eq!(replies.next().unwrap(), "OK");
        for _ in 0..100 {
            qtest.between_requests(|_| qtest.board.interrupts.set(9, true));
            assert_eq!(replies.next().unwrap(), "IRQ raise 9");
            (&client).write_all(b"set_irq_in ioapic unnamed-gpio-in 9 0\n").unwrap();
            assert_eq!(replies.next().unwrap(), "IRQ lower 9");
            assert_eq!(replies.next().unwrap(), "OK");
        }
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(replies.next(), None);
    });
}

/// Tells when it is read from.
struct Announcing<R>(R, std::sync::mpsc::Sender<()>);

impl<R: Read> Read for Announcing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1.send(()).unwrap();
        self.0.read(buffer)
    }
}

/// Counts what is written at once.
#[derive(Default)]
struct Writes(Vec<usize>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.push(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn replies_to_requests_that_came_together_leave_together() {
    let qtest = qtest();
    let (client, server) = UnixStream::pair().unwrap();
    let (send, reading) = channel();
    let mut writes = Writes::default();
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| qtest.serve(Announcing(&server, send), &mut writes));
        for _ in 0..3 {
            reading.recv().unwrap();
            (&client).write_all(&b"endianness\n".repeat(100)).unwrap();
        }
        reading.recv().unwrap();
        drop(client);
        serving.join().unwrap().unwrap();
    });
    assert_eq!(writes.0, [1000; 3]);
}
