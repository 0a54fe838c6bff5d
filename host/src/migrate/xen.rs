//! The state of the devices alone, as toolstacks of Xen want it.
//!
//! QEMU's `xen-save-devices-state` writes neither a configuration section nor guest
//! memory nor a description, whatever the machine; footers and the run state are in
//! it if they are in a migration stream of that machine.

use vmstate::{Layouts, Stream};

use super::{Fault, Loaded, Problem, Stopped};
use crate::machine::{Error, Machine};

impl Machine {
    /// The state of all devices, and of processors if there are any, as QEMU's
    /// `xen-save-devices-state` writes it. The processors must be stopped.
    ///
    /// # Errors
    /// As [`save_stream`](Self::save_stream).
    pub fn save_devices(&self, stopped: &Stopped) -> Result<Vec<u8>, Error> {
        let mut stream = self.save_stream_as(stopped)?;
        stream.configuration = None;
        stream.devices.description = None;
        Ok(stream.write(&[]))
    }

    /// Loads what [`save_devices`](Self::save_devices) or QEMU wrote, all or
    /// nothing. What it says of processors is kept: they go with the memory they run in.
    /// A whole stream without guest memory is taken as well. The processors must be
    /// stopped.
    ///
    /// # Errors
    /// Everything that does not fit; the machine is untouched then.
    pub fn load_devices(&self, bytes: &[u8]) -> Result<Loaded, Vec<Problem>> {
        let stream = Stream::read(bytes, Layouts::builtin()).map_err(|error| {
            let fault = Fault::Unreadable(error.problem);
            vec![Problem { offset: Some(error.offset), fault }]
        })?;
        self.load_stream(&stream)
    }
}
