//! Images without a format.

use super::place::Place;
use super::{Entry, FirmwareFiles, Kernel, firmware};
use crate::vm::Error;

/// Copies the image to its address and enters it there.
pub(super) fn load(
    kernel: &Kernel,
    files: &dyn FirmwareFiles,
    place: &mut Place<'_>,
) -> Result<Entry, Error> {
    kernel.expect_alone("a flat image")?;
    let address = kernel.flat_address;
    let bytes = kernel.image.bytes();
    if bytes.is_empty() {
        return Err(kernel.image.problem("the image is empty"));
    }
    place.put(&kernel.image, "the image", address.into(), bytes)?;
    firmware::leave(files, place)?;
    Ok(Entry::protected(address))
}
