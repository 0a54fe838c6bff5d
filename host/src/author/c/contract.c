/*
 * The bindings ask for the object file that says which contract they are of.
 * `southbridge device build` says it in the module instead.
 */
void __component_type_object_force_link_device_component(void) {}
