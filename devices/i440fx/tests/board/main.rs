//! Host bridge, ISA bridge and Xen platform device together, held against
//! recordings of QEMU and the sections it saves.

mod machine;
mod recordings;
mod sections;
