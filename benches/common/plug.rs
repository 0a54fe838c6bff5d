//! A device in a slot, without a machine.

use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::{Effects, Image, Limits, Resources, SlotId};
use southbridge::slot::{Setting, Slot};

/// Plugs a device with its default properties, granted whatever it asks for.
pub(crate) fn plug(image: &Image, clock: &Arc<Clock>) -> Slot {
    let setting = Setting {
        id: SlotId(0),
        name: "bench".into(),
        grants: image.imports().clone(),
        properties: Vec::new(),
        resources: Resources::none(),
        media: Arc::default(),
        limits: Limits::default(),
    };
    Slot::plug(setting, clock.clone(), image, &mut Effects::new()).expect("the device is sound")
}
