//! What a guest says, without what differs from run to run on one program, too.

/// What ends the firmware's look for devices, and what begins it: the title on
/// its screen, which is in its log for the second time.
const FOUND: &str = "All threads complete.";
const TITLE: &str = "SeaBIOS (version ";

/// What each further processor says when it has started.
const PROCESSOR: &str = "handle_smp: apic_id=";

/// Lines, of a terminal too, where a new line is also begun anew.
pub(crate) fn lines(said: &str) -> Vec<String> {
    said.lines().map(|line| line.trim_matches('\r').to_owned()).collect()
}

/// What the firmware says of a drive begins with this, and the address of what it has
/// allocated for it.
const DRIVE: &str = "drive 0x";

/// The lines of the debug console.
///
/// The firmware looks for devices in several threads, which take turns as long
/// as the devices take time, and the processors start at once: these lines are
/// sorted. Which thread allocates first, and so what is at which address, differs too.
pub(crate) fn log(said: &str) -> Vec<String> {
    let mut lines = lines(said);
    for line in lines.iter_mut().filter(|line| line.starts_with(DRIVE)) {
        if let Some((_, what)) = line.split_once(": ") {
            *line = format!("drive: {what}");
        }
    }
    let ends: Vec<_> = (0..lines.len()).filter(|&at| lines[at].starts_with(FOUND)).collect();
    for end in ends {
        let title = lines[..end].iter().rposition(|line| line.starts_with(TITLE));
        lines[title.map_or(0, |at| at + 1)..end].sort();
    }
    let is_same = |a: &String, b: &String| a.starts_with(PROCESSOR) && b.starts_with(PROCESSOR);
    lines.chunk_by_mut(is_same).for_each(<[String]>::sort);
    lines
}

/// The lines of the serial port, where GRUB tells about the machine.
///
/// The timer and the clock go on: two numbers of ticks, and in the first 16
/// bytes of the CMOS the seconds, the minutes, and the interrupts that there
/// were.
pub(crate) fn serial(said: &str) -> Vec<String> {
    let mut lines = lines(said);
    for at in 1..lines.len() {
        if lines[at - 1].ends_with("PM timer") {
            lines[at] = "(ticks)".to_owned();
        } else if lines[at - 1] == "CMOS" {
            let mut bytes: Vec<_> = lines[at].split(' ').collect();
            // The address is the first.
            for register in [0x00, 0x02, 0x0c] {
                if let Some(byte) = bytes.get_mut(1 + register) {
                    *byte = "--";
                }
            }
            lines[at] = bytes.join(" ");
        }
    }
    lines
}
