use serde_json::{Value, json, to_value};
use southbridge::control::monitor::query_pci;

use super::rig::Rig;
use crate::common::data;

fn recorded(name: &str) -> Value {
    let recorded: Value = serde_json::from_slice(&data::bytes(name)).unwrap();
    recorded["return"].clone()
}

fn told(rig: &Rig) -> Value {
    to_value(query_pci(rig.guest.machine())).unwrap()
}

#[test]
fn after_a_reset_the_functions_are_those_of_qemu() {
    let rig = Rig::with_devices();
    assert_eq!(told(&rig), recorded("monitor/reset/query-pci.json"));
    assert_eq!(rig.human("info pci"), data::text("monitor/reset/info-pci.txt"));
}

#[test]
fn programmed_registers_show_and_looking_does_not_move_the_configuration_address() {
    let rig = Rig::plain("pc-i440fx-7.2");
    let replies = rig.qtest(&data::text("monitor/programmed/requests.txt"));
    assert!(replies.lines().all(|reply| reply == "OK"), "{replies}");
    for _ in 0..2 {
        assert_eq!(told(&rig), recorded("monitor/programmed/query-pci.json"));
        assert_eq!(rig.human("info pci"), data::text("monitor/programmed/info-pci.txt"));
    }
    // Neither the latch has moved nor what the ports answer, nor a base address.
    assert_eq!(rig.qtest("inl 0xcf8\nreadl 0xc4000\n"), "OK 0x80000b44\nOK 0x0000000000000000\n");
    assert_eq!(rig.qtest("outl 0xcf8 0x80000920\ninl 0xcfc\n"), "OK\nOK 0xc001\n");
}

#[test]
fn memory_and_ports_are_sized_without_the_guest() {
    let rig = Rig::plain("xenfv-4.2");
    let platform = |told: &Value| told[0]["devices"][4].clone();
    let regions = |io: i64, memory: i64| {
        json!([
            { "bar": 0, "type": "io", "address": io, "size": 0x100 },
            {
                "bar": 1, "type": "memory", "address": memory, "size": 0x100_0000,
                "prefetch": true, "mem_type_64": false,
            },
        ])
    };
    let function = platform(&told(&rig));
    assert_eq!((&function["slot"], &function["qdev_id"]), (&json!(2), &json!("")));
    assert_eq!(function["class_info"], json!({ "class": 0xff80 }));
    assert_eq!((&function["irq_pin"], &function["irq"]), (&json!(1), &json!(0)));
    assert_eq!(function["regions"], regions(-1, -1));

    rig.qtest(
        "outl 0xcf8 0x80001010\noutl 0xcfc 0xc100\noutl 0xcf8 0x80001014\noutl 0xcfc 0xf2000000\n\
         outl 0xcf8 0x80001004\noutl 0xcfc 3\n",
    );
    assert_eq!(platform(&told(&rig))["regions"], regions(0xc100, 0xf200_0000));
    // As in QEMU neither is anywhere at address 0, nor where it meets 4 GiB.
    rig.qtest(
        "outl 0xcf8 0x80001010\noutl 0xcfc 0\noutl 0xcf8 0x80001014\noutl 0xcfc 0xff000000\n",
    );
    assert_eq!(platform(&told(&rig))["regions"], regions(-1, -1));
    assert_eq!(rig.qtest("inl 0xcfc\n"), "OK 0xff000008\n");
}
