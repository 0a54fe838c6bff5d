//! Hostile devices: whatever one does, the machine and its neighbours go on.

mod common {
    pub(crate) mod guest;
}

mod containment {
    mod answers;
    pub(crate) mod device;
    mod exports;
    mod files;
    pub(crate) mod ground;
    mod guest;
    pub(crate) mod kind;
    pub(crate) mod layout;
    mod outside;
    mod resources;
}
