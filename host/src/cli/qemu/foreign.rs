//! `-device FILE.wasm`: a component that no machine file has.

use super::device::{GivenDevice, free_id};
use super::error::Error;
use super::given::Collected;
use super::invocation::{Device, Interface};
use crate::machine::DeviceRequest;
use crate::machine::file::MachineType;

/// The device that is meant. The drives that it names are its own from now on.
pub(super) fn find(
    given: GivenDevice,
    machine: &MachineType,
    others: &[Device],
    all: &mut Collected,
) -> Result<Device, Error> {
    let GivenDevice { place, driver, id, mut list } = given;
    let missing = |property: &str, value: &str| {
        let text = format!("Property '{driver}.{property}' can't find value '{value}'");
        Error::at(&place, text)
    };
    let (address, chardev) = (list.take("addr"), list.take("chardev"));
    if let Some(name) = chardev.as_deref().filter(|name| !all.has_chardev(name)) {
        return Err(missing("chardev", name));
    }
    for (key, name) in list.each() {
        if key.starts_with("stream.") {
            return Err(Error::at(
                &place,
                format!("{key}: chardev=ID connects a device's streams"),
            ));
        }
        if !key.starts_with("drive.") {
            continue;
        }
        let mut drives = all.drives.iter_mut();
        let drive = drives.find(|drive| drive.id.as_deref() == Some(name));
        let drive = drive.filter(|drive| drive.interface == Interface::None);
        let drive = drive.ok_or_else(|| missing(key, name))?;
        if drive.name.is_some() {
            let text = format!("Drive '{name}' is already in use by another block device");
            return Err(Error::at(&place, text));
        }
        drive.name = Some(name.into());
        drive.device.clone_from(&id);
    }
    let id = id.unwrap_or_else(|| free_id(DeviceRequest::new(&driver).id(), machine, others));
    let properties = list.each().map(|(name, text)| (name.into(), text.into())).collect();
    let template = driver.clone();
    Ok(Device { place, driver, template, choice: None, id, address, chardev, properties })
}
