use southbridge::control::monitor::human::COMMANDS;

use super::rig::{Rig, find};
use crate::common::data;

/// Commands, and what each prints.
fn dialogue(text: &str) -> Vec<(&str, String)> {
    let mut dialogue: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("> "), dialogue.last_mut()) {
            (Some(command), _) => dialogue.push((command, String::new())),
            (None, Some((_, printed))) => *printed += &format!("{line}\n"),
            (None, None) => panic!("{line:?} comes before a command"),
        }
    }
    dialogue
}

#[test]
fn commands_print_what_they_print_in_qemu() {
    let rig = Rig::with_devices();
    rig.guest.resume().unwrap();
    let recorded = data::text("monitor/commands.txt");
    let mut compared = 0;
    for (line, printed) in dialogue(&recorded) {
        if find(line).is_some() {
            assert_eq!(rig.human(line), printed, "{line:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 32);
}

#[test]
fn the_state_is_said_in_words() {
    let rig = Rig::plain("pc-i440fx-7.2");
    assert_eq!(rig.human("info status"), "VM status: paused (prelaunch)\n");
    rig.guest.resume().unwrap();
    assert_eq!(rig.human("info status"), data::text("monitor/reset/info-status.txt"));
    rig.guest.pause();
    assert_eq!(rig.human("info status"), "VM status: paused\n");
}

#[test]
fn where_clients_take_the_processors_place_there_are_none() {
    let rig = Rig::plain("pc-i440fx-7.2");
    assert_eq!(rig.human("info registers"), "No CPU available\n");
    assert_eq!(rig.human("info registers -a"), "No CPU available\n");
    assert_eq!(rig.human("info cpus"), "");
    assert_eq!(rig.human("info kvm"), "kvm support: disabled\n");
    assert_eq!(rig.human("info version"), "7.2.0southbridge\n");
}

#[test]
fn names_are_in_order_and_their_own() {
    let names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
    assert!(names.is_sorted());
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(COMMANDS.iter().all(|command| !command.help.is_empty()));
}
