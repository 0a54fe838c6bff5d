//! The program as its users meet it: arguments in, text and exit status out.

#[path = "common/guest.rs"]
mod guest;

#[path = "common/zoo.rs"]
mod zoo;

#[path = "../host/vmstate/tests/streams/data.rs"]
mod data;

#[path = "common/terminal.rs"]
mod terminal;

mod cli {
    mod bad_input;
    mod bench;
    mod card_guest;
    mod convert;
    mod describe;
    mod diff;
    mod in_c;
    mod in_rust;
    mod loading;
    mod memory;
    mod observing;
    mod program;
    mod running;
    mod screen;
    mod shows;
    mod state;
    mod terminals;
}
