use super::*;

const RECORDING: &str = "# a remark
> irq_intercept_in ioapic
< OK
> inw 0xb000
< IRQ raise 9
< IRQ lower 0
< OK 0x0100
Q system_reset
E {\"event\": \"RESET\"}
R {}
> clock_step 5
< IRQ lower 9
< OK 12
> clock_step
< FAIL no timer
K 0x1e 1
";

#[test]
fn a_recording_is_read_step_by_step() {
    let steps = Trace::parse(RECORDING).steps;
    assert_eq!(steps.len(), 6);
    assert_eq!(steps[5].request, Request::Elsewhere("K 0x1e 1"));
    assert_eq!(steps[0].request, Request::Other("irq_intercept_in ioapic"));
    let Step { line, request, value, ref interrupts, .. } = steps[1];
    assert_eq!((line, request, value), (4, Request::In { port: 0xb000, size: 2 }, Some(0x100)));
    let raised = Interrupt { pin: 9, level: true };
    assert_eq!(interrupts[..], [raised, Interrupt { pin: 0, level: false }]);
    assert_eq!(steps[2].request, Request::Monitor("system_reset"));
    assert_eq!((steps[2].reply, &steps[2].events[..]), ("{}", &["{\"event\": \"RESET\"}"][..]));
    assert_eq!((steps[3].request, steps[3].value), (Request::ClockStep(Some(5)), Some(12)));
    assert_eq!((steps[4].request, steps[4].value), (Request::ClockStep(None), None));
}

#[test]
#[should_panic(expected = "line 2: \"> inb here\" is not part of a recording")]
fn what_is_not_a_recording_is_refused() {
    let _ = Trace::parse("# a remark\n> inb here\n");
}

fn device(step: &Step<'_>, read: u64) -> Answer {
    let change = |level| vec![Interrupt { pin: 9, level }];
    match step.request {
        Request::In { .. } => Answer::value(read).with_interrupts(change(true)),
        // The reset lowers the line; the recorder reads it at the next request.
        Request::Monitor(_) => Answer::done().with_interrupts(change(false)),
        _ => Answer::Skip,
    }
}

#[test]
fn a_device_that_agrees_is_counted() {
    assert_eq!(Trace::parse(RECORDING).replay(&[9], |step| device(step, 0x100)), 2);
}

#[test]
#[should_panic(expected = "line 4: value Some(101), expected Some(100)")]
fn a_wrong_value_is_found() {
    Trace::parse(RECORDING).replay(&[9], |step| device(step, 0x101));
}

#[test]
#[should_panic(expected = "line 4: interrupts [Interrupt { pin: 9, level: true }], expected []")]
fn a_wrong_interrupt_is_found() {
    Trace::parse(RECORDING).replay(&[], |step| device(step, 0x100));
}

#[test]
fn configuration_cycles_are_cut_at_the_data_ports() {
    let mut ports = ConfigurationPorts::default();
    assert_eq!(ports.read(0xcfc, 4, |_| 0), 0xffff_ffff);
    ports.write(0xcf8, 4, 0x8000_0b40, |_, _| panic!("not a data port"));
    let mut seen = Vec::new();
    let value = ports.read(0xcfd, 4, |cycle| {
        seen.push((cycle.offset, cycle.size));
        0
    });
    assert_eq!(seen, [(0x41, 1), (0x42, 2)]);
    assert_eq!(value, 0xff00_0000);
    ports.write(0xcfe, 2, 0x1234, |cycle, part| {
        assert_eq!(cycle, Cycle { bus: 0, devfn: 0x0b, offset: 0x42, size: 2 });
        assert_eq!(part, 0x1234);
    });
    ports.write(0xcfb, 2, 0x1234, |cycle, part| {
        assert_eq!((cycle.offset, cycle.size, part), (0x40, 1, 0x12));
    });
}
