//! Makes components of devices: exports the contract for a [`Device`](crate::Device).

/// Makes a component of a device.
///
/// `export!(Uart, stream_input)` exports the device and the parts named after
/// it: `i2c_target`, `stream_input`, `power_events`, `storage_events`,
/// `interrupt_controller`, `end_of_interrupt`, `firmware_files`, `display`,
/// `human_input`, `isa_dma_target`.
#[macro_export]
macro_rules! export {
    ($device:ty $(, $part:ident)*) => {
        #[cfg(target_family = "wasm")]
        mod component {
            use super::*;
            use $crate::__export::Cell;
            use $crate::__export::device_component::exports::southbridge::device::device as contract;

            struct Component;

            thread_local! {
                static DEVICE: Cell<$device> = const { Cell::empty() };
            }

            impl contract::Guest for Component {
                fn describe() -> contract::Description {
                    <$device as $crate::Device>::describe()
                }

                fn configure(properties: Vec<contract::Property>) -> Result<(), String> {
                    DEVICE.with(|cell| cell.configure(properties))
                }

                fn describe_state() -> contract::StateDescription {
                    DEVICE.with(|cell| cell.with($crate::state::describe))
                }

                fn reset(now: u64) {
                    DEVICE.with(|cell| cell.call(now, $crate::Device::reset));
                }

                fn io_read(region: u32, offset: u64, size: u8, now: u64) -> u64 {
                    DEVICE.with(|cell| {
                        cell.call(now, |device, cx| {
                            $crate::Device::io_read(device, cx, region, offset, size)
                        })
                    })
                }

                fn io_write(region: u32, offset: u64, size: u8, value: u64, now: u64) {
                    DEVICE.with(|cell| {
                        cell.call(now, |device, cx| {
                            $crate::Device::io_write(device, cx, region, offset, size, value);
                        });
                    });
                }

                fn line_changed(line: u32, level: bool, now: u64) {
                    DEVICE.with(|cell| {
                        cell.call(now, |device, cx| {
                            $crate::Device::line_changed(device, cx, line, level);
                        });
                    });
                }

                fn timer_expired(timer: u32, now: u64) {
                    DEVICE.with(|cell| {
                        cell.call(now, |device, cx| {
                            $crate::Device::timer_expired(device, cx, timer);
                        });
                    });
                }

                fn save(scope: contract::Scope, now: u64) -> Vec<contract::Section> {
                    DEVICE.with(|cell| cell.with(|device| $crate::state::save(device, scope, now)))
                }

                fn load(
                    scope: contract::Scope,
                    sections: Vec<contract::Section>,
                    now: u64,
                ) -> Result<(), contract::Refusal> {
                    DEVICE.with(|cell| {
                        cell.call(now, |device, cx| $crate::state::load(device, scope, sections, cx))
                    })
                }
            }

            $crate::__export::device_component::export_device!(
                Component with_types_in $crate::__export::device_component
            );
            $($crate::__export_part!($part);)*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_part {
    (i2c_target) => {
        impl $crate::__export::i2c_target_part::exports::southbridge::device::i2c_target::Guest
            for Component
        {
            fn start(read: bool, now: u64) -> bool {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::I2cTarget::start(d, cx, read)))
            }

            fn send(byte: u8, now: u64) -> bool {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::I2cTarget::send(d, cx, byte)))
            }

            fn receive(now: u64) -> u8 {
                DEVICE.with(|cell| cell.call(now, $crate::I2cTarget::receive))
            }

            fn nack(now: u64) {
                DEVICE.with(|cell| cell.call(now, $crate::I2cTarget::nack));
            }

            fn stop(now: u64) {
                DEVICE.with(|cell| cell.call(now, $crate::I2cTarget::stop));
            }
        }

        $crate::__export::i2c_target_part::export_i2c_target!(
            Component with_types_in $crate::__export::i2c_target_part
        );
    };
    (stream_input) => {
        impl $crate::__export::stream_input_part::exports::southbridge::device::stream_input::Guest
            for Component
        {
            fn room(stream: u32) -> u32 {
                DEVICE.with(|cell| cell.with(|d| $crate::StreamInput::room(d, stream)))
            }

            fn receive(stream: u32, byte: u8, now: u64) {
                DEVICE.with(|cell| {
                    cell.call(now, |d, cx| $crate::StreamInput::receive(d, cx, stream, byte));
                });
            }
        }

        $crate::__export::stream_input_part::export_stream_input!(
            Component with_types_in $crate::__export::stream_input_part
        );
    };
    (power_events) => {
        impl $crate::__export::power_events_part::exports::southbridge::device::power_events::Guest
            for Component
        {
            fn button_pressed(now: u64) {
                DEVICE.with(|cell| cell.call(now, $crate::PowerEvents::button_pressed));
            }

            fn woken(reason: $crate::wit::WakeupReason, now: u64) {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::PowerEvents::woken(d, cx, reason)));
            }
        }

        $crate::__export::power_events_part::export_power_events!(
            Component with_types_in $crate::__export::power_events_part
        );
    };
    (storage_events) => {
        impl $crate::__export::storage_events_part::exports::southbridge::device::storage_events::Guest
            for Component
        {
            fn medium_changed(drive: u32, medium: Option<$crate::wit::Medium>, now: u64) {
                DEVICE.with(|cell| {
                    cell.call(now, |d, cx| {
                        $crate::StorageEvents::medium_changed(d, cx, drive, medium);
                    });
                });
            }

            fn completed(
                drive: u32,
                tag: u32,
                outcome: Result<Vec<u8>, $crate::wit::Failure>,
                now: u64,
            ) {
                DEVICE.with(|cell| {
                    cell.call(now, |d, cx| {
                        $crate::StorageEvents::completed(d, cx, drive, tag, outcome);
                    });
                });
            }
        }

        $crate::__export::storage_events_part::export_storage_events!(
            Component with_types_in $crate::__export::storage_events_part
        );
    };
    (interrupt_controller) => {
        impl $crate::__export::interrupt_controller_part::exports::southbridge::device::interrupt_controller::Guest
            for Component
        {
            fn acknowledge(now: u64) -> u8 {
                DEVICE.with(|cell| cell.call(now, $crate::InterruptController::acknowledge))
            }
        }

        $crate::__export::interrupt_controller_part::export_interrupt_controller!(
            Component with_types_in $crate::__export::interrupt_controller_part
        );
    };
    (end_of_interrupt) => {
        impl $crate::__export::end_of_interrupt_part::exports::southbridge::device::end_of_interrupt::Guest
            for Component
        {
            fn ended(vector: u8, now: u64) {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::EndOfInterrupt::ended(d, cx, vector)));
            }
        }

        $crate::__export::end_of_interrupt_part::export_end_of_interrupt!(
            Component with_types_in $crate::__export::end_of_interrupt_part
        );
    };
    (firmware_files) => {
        impl $crate::__export::firmware_files_part::exports::southbridge::device::firmware_files::Guest
            for Component
        {
            fn read(name: String, most: u32, now: u64) -> Option<Vec<u8>> {
                DEVICE.with(|cell| {
                    cell.call(now, |d, cx| $crate::FirmwareFiles::read(d, cx, &name, most))
                })
            }

            fn write(name: String, offset: u32, data: Vec<u8>, now: u64) -> bool {
                DEVICE.with(|cell| {
                    cell.call(now, |d, cx| $crate::FirmwareFiles::write(d, cx, &name, offset, &data))
                })
            }
        }

        $crate::__export::firmware_files_part::export_firmware_files!(
            Component with_types_in $crate::__export::firmware_files_part
        );
    };
    (display) => {
        impl $crate::__export::display_part::exports::southbridge::device::display::Guest
            for Component
        {
            fn picture(now: u64) -> $crate::wit::Frame {
                DEVICE.with(|cell| cell.call(now, $crate::Display::picture))
            }

            fn text(now: u64) -> Option<Vec<String>> {
                DEVICE.with(|cell| cell.call(now, $crate::Display::text))
            }
        }

        $crate::__export::display_part::export_display!(
            Component with_types_in $crate::__export::display_part
        );
    };
    (human_input) => {
        impl $crate::__export::human_input_part::exports::southbridge::device::human_input::Guest
            for Component
        {
            fn key(code: u16, down: bool, now: u64) {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::HumanInput::key(d, cx, code, down)));
            }

            fn moved(x: i32, y: i32, now: u64) {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::HumanInput::moved(d, cx, x, y)));
            }

            fn button(button: $crate::wit::MouseButton, down: bool, now: u64) {
                DEVICE.with(|cell| {
                    cell.call(now, |d, cx| $crate::HumanInput::button(d, cx, button, down));
                });
            }
        }

        $crate::__export::human_input_part::export_human_input!(
            Component with_types_in $crate::__export::human_input_part
        );
    };
    (isa_dma_target) => {
        impl $crate::__export::isa_dma_target_part::exports::southbridge::device::isa_dma_target::Guest
            for Component
        {
            fn take(length: u32, now: u64) -> Vec<u8> {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::IsaDmaTarget::take(d, cx, length)))
            }

            fn give(data: Vec<u8>, now: u64) -> u32 {
                DEVICE.with(|cell| cell.call(now, |d, cx| $crate::IsaDmaTarget::give(d, cx, &data)))
            }

            fn terminal_count(now: u64) {
                DEVICE.with(|cell| cell.call(now, $crate::IsaDmaTarget::terminal_count));
            }
        }

        $crate::__export::isa_dma_target_part::export_isa_dma_target!(
            Component with_types_in $crate::__export::isa_dma_target_part
        );
    };
}
