//! What a device was answered when it asked something, as words.

use super::words::{DIRECTIONS, Kind, bytes, hex, number, value, word};
use crate::component::{Description, Question, Reply, Told};

/// How it is written, for messages.
const FORMS: &str = "pci-read BUS DEVFN OFFSET SIZE VALUE, pci-write BUS DEVFN OFFSET SIZE VALUE, \
    i2c-start BUS ADDRESS read|write ANSWER, i2c-send BUS ADDRESS BYTE ANSWER, \
    i2c-receive BUS ADDRESS BYTE, i2c-nack BUS ADDRESS, i2c-stop BUS ADDRESS, \
    isa-take BUS CHANNEL BYTES HEX, isa-give BUS CHANNEL HEX BYTES, isa-end BUS CHANNEL, \
    memory-load ADDRESS SIZE VALUE or memory-read ADDRESS BYTES HEX";

/// A question, as words.
pub(super) fn question(question: &Question, of: &Description) -> String {
    let bus = |number: u32| Kind::Bus.word(of, number);
    match *question {
        Question::PciRead { bus: on, devfn, offset, size } => {
            format!("pci-read {} {devfn:#x} {offset:#x} {size}", bus(on))
        }
        Question::PciWrite { bus: on, devfn, offset, size, value } => {
            format!("pci-write {} {devfn:#x} {offset:#x} {size} {value:#x}", bus(on))
        }
        Question::I2cStart { bus: on, address, read } => {
            format!("i2c-start {} {address:#x} {}", bus(on), word(DIRECTIONS, &read))
        }
        Question::I2cSend { bus: on, address, byte } => {
            format!("i2c-send {} {address:#x} {byte:#x}", bus(on))
        }
        Question::I2cReceive { bus: on, address } => {
            format!("i2c-receive {} {address:#x}", bus(on))
        }
        Question::I2cNack { bus: on, address } => format!("i2c-nack {} {address:#x}", bus(on)),
        Question::I2cStop { bus: on, address } => format!("i2c-stop {} {address:#x}", bus(on)),
        Question::IsaTake { bus: on, channel, length } => {
            format!("isa-take {} {channel} {length}", bus(on))
        }
        Question::IsaGive { bus: on, channel, ref data } => {
            format!("isa-give {} {channel} {}", bus(on), hex(data))
        }
        Question::IsaEnd { bus: on, channel } => format!("isa-end {} {channel}", bus(on)),
        Question::MemoryLoad { address, size } => format!("memory-load {address:#x} {size}"),
        Question::MemoryRead { address, length } => format!("memory-read {address:#x} {length}"),
    }
}

/// A question and its answer, as words.
pub(super) fn print(told: &Told, of: &Description) -> String {
    let asked = question(&told.question, of);
    match (&told.question, &told.reply) {
        (
            Question::PciWrite { .. }
            | Question::I2cNack { .. }
            | Question::I2cStop { .. }
            | Question::IsaEnd { .. },
            _,
        ) => asked,
        (_, Reply::Number(number)) => format!("{asked} {number:#x}"),
        (_, Reply::Bytes(bytes)) => format!("{asked} {}", hex(bytes)),
    }
}

/// Reads a question and its answer.
pub(super) fn parse(words: &[&str], of: &Description) -> Result<Told, String> {
    let bus = |name: &str| Kind::Bus.number(of, name);
    let answer = |word: &str| number(word).map(Reply::Number);
    let nothing = Reply::Number(0);
    let (question, reply) = match *words {
        ["pci-read", on, devfn, offset, size, value] => {
            let (bus, devfn, offset) = (bus(on)?, number(devfn)?, number(offset)?);
            (Question::PciRead { bus, devfn, offset, size: number(size)? }, answer(value)?)
        }
        ["pci-write", on, devfn, offset, size, value] => {
            let (bus, devfn, offset) = (bus(on)?, number(devfn)?, number(offset)?);
            let (size, value) = (number(size)?, number(value)?);
            (Question::PciWrite { bus, devfn, offset, size, value }, nothing)
        }
        ["i2c-start", on, address, direction, acknowledged] => {
            let (bus, address) = (bus(on)?, number(address)?);
            let read = value(DIRECTIONS, direction)?;
            (Question::I2cStart { bus, address, read }, answer(acknowledged)?)
        }
        ["i2c-send", on, address, byte, acknowledged] => {
            let (bus, address, byte) = (bus(on)?, number(address)?, number(byte)?);
            (Question::I2cSend { bus, address, byte }, answer(acknowledged)?)
        }
        ["i2c-receive", on, address, byte] => {
            (Question::I2cReceive { bus: bus(on)?, address: number(address)? }, answer(byte)?)
        }
        ["i2c-nack", on, address] => {
            (Question::I2cNack { bus: bus(on)?, address: number(address)? }, nothing)
        }
        ["i2c-stop", on, address] => {
            (Question::I2cStop { bus: bus(on)?, address: number(address)? }, nothing)
        }
        ["isa-take", on, channel, length, data] => {
            let (bus, channel, length) = (bus(on)?, number(channel)?, number(length)?);
            (Question::IsaTake { bus, channel, length }, Reply::Bytes(bytes(data)?))
        }
        ["isa-give", on, channel, data, taken] => {
            let (bus, channel, data) = (bus(on)?, number(channel)?, bytes(data)?);
            (Question::IsaGive { bus, channel, data }, answer(taken)?)
        }
        ["isa-end", on, channel] => {
            (Question::IsaEnd { bus: bus(on)?, channel: number(channel)? }, nothing)
        }
        ["memory-load", address, size, value] => {
            let (address, size) = (number(address)?, number(size)?);
            (Question::MemoryLoad { address, size }, answer(value)?)
        }
        ["memory-read", address, length, data] => {
            let (address, length) = (number(address)?, number(length)?);
            (Question::MemoryRead { address, length }, Reply::Bytes(bytes(data)?))
        }
        _ => return Err(format!("{:?}: {FORMS} expected", words.join(" "))),
    };
    Ok(Told { question, reply })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let of = crate::bench::testing::description();
        for line in [
            "pci-read pci 0x8 0x4 2 0x7",
            "pci-write pci 0x8 0x4 2 0x7",
            "i2c-start smbus 0x50 read 0x1",
            "i2c-send smbus 0x50 0xff 0x0",
            "i2c-receive smbus 0x50 0xaa",
            "i2c-nack smbus 0x50",
            "i2c-stop smbus 0x50",
            "isa-take isa 2 512 00ff",
            "isa-give isa 2 00ff 0x1",
            "isa-end isa 2",
            "memory-load 0xfee00000 4 0xffffffff",
            "memory-read 0x1000 2 00ff",
        ] {
            let words: Vec<_> = line.split(' ').collect();
            let told = parse(&words, &of).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(print(&told, &of), line);
        }
        let error = parse(&["i2c-nack", "smbus"], &of).unwrap_err();
        assert!(error.starts_with("\"i2c-nack smbus\": pci-read BUS"), "{error}");
    }
}
