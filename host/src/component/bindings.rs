//! Generated from the WIT package, one module per world.
#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]

pub mod device_component {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/device-component",
    });
}

pub mod i2c_target_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/i2c-target-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod stream_input_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/stream-input-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod power_events_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/power-events-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
            "southbridge:device/power": super::device_component::southbridge::device::power,
        },
    });
}

pub mod storage_events_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/storage-events-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod interrupt_controller_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/interrupt-controller-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod end_of_interrupt_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/end-of-interrupt-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod firmware_files_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/firmware-files-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod display_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/display-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod human_input_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/human-input-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}

pub mod isa_dma_target_part {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "southbridge:device/isa-dma-target-part",
        with: {
            "southbridge:device/types": super::device_component::southbridge::device::types,
        },
    });
}
