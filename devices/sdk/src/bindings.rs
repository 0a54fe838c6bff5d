//! Generated from the WIT package, one module per world. The generated code is
//! the one place on the guest side that needs `unsafe`: it is the canonical ABI
//! itself.
#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]

pub mod device_component {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/device-component",
        pub_export_macro: true,
        export_macro_name: "export_device",
        default_bindings_module: "southbridge_sdk::__export::device_component",
    });
}

pub mod i2c_target_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/i2c-target-part",
        pub_export_macro: true,
        export_macro_name: "export_i2c_target",
        default_bindings_module: "southbridge_sdk::__export::i2c_target_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod stream_input_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/stream-input-part",
        pub_export_macro: true,
        export_macro_name: "export_stream_input",
        default_bindings_module: "southbridge_sdk::__export::stream_input_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod power_events_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/power-events-part",
        pub_export_macro: true,
        export_macro_name: "export_power_events",
        default_bindings_module: "southbridge_sdk::__export::power_events_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
            "southbridge:device/power@0.2.0": crate::bindings::device_component::southbridge::device::power,
        },
    });
}

pub mod storage_events_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/storage-events-part",
        pub_export_macro: true,
        export_macro_name: "export_storage_events",
        default_bindings_module: "southbridge_sdk::__export::storage_events_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod interrupt_controller_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/interrupt-controller-part",
        pub_export_macro: true,
        export_macro_name: "export_interrupt_controller",
        default_bindings_module: "southbridge_sdk::__export::interrupt_controller_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod end_of_interrupt_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/end-of-interrupt-part",
        pub_export_macro: true,
        export_macro_name: "export_end_of_interrupt",
        default_bindings_module: "southbridge_sdk::__export::end_of_interrupt_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod firmware_files_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/firmware-files-part",
        pub_export_macro: true,
        export_macro_name: "export_firmware_files",
        default_bindings_module: "southbridge_sdk::__export::firmware_files_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod display_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/display-part",
        pub_export_macro: true,
        export_macro_name: "export_display",
        default_bindings_module: "southbridge_sdk::__export::display_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod human_input_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/human-input-part",
        pub_export_macro: true,
        export_macro_name: "export_human_input",
        default_bindings_module: "southbridge_sdk::__export::human_input_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}

pub mod isa_dma_target_part {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "southbridge:device/isa-dma-target-part",
        pub_export_macro: true,
        export_macro_name: "export_isa_dma_target",
        default_bindings_module: "southbridge_sdk::__export::isa_dma_target_part",
        with: {
            "southbridge:device/types@0.2.0": crate::bindings::device_component::southbridge::device::types,
        },
    });
}
