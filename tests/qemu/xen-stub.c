/*
 * Answers what QEMU asks of Xen while it starts, so that its xenfv machines
 * start on a host without the hypervisor. No guest can run on them; they stay
 * paused, where their devices can be used and their state saved and loaded.
 *
 * Preloaded (LD_PRELOAD), these functions are found before those of Xen's
 * libraries. Only what a paused machine gets to is here; anything else goes to
 * the real library, which fails for want of a hypervisor, as it should.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

/* QEMU hands handles back and never looks inside. */
static char handle;

#define OPENS(name) void *name(void) { return &handle; }
/* Most functions return 0 for success; those of XenStore return a bool. */
#define SUCCEEDS(name) int name(void) { return 0; }
#define IS_TRUE(name) int name(void) { return 1; }
/* XenStore without a single key. */
#define FINDS_NOTHING(name) void *name(void) { errno = ENOENT; return NULL; }

OPENS(xc_interface_open)
OPENS(xendevicemodel_open)
OPENS(xenevtchn_open)
OPENS(xenforeignmemory_open)
OPENS(xengnttab_open)
OPENS(xs_daemon_open)
OPENS(xs_open)

SUCCEEDS(xenevtchn_close)
SUCCEEDS(xengnttab_close)
SUCCEEDS(xs_daemon_close)

/* QEMU takes its guest's accesses from pages it shares with Xen: one for single
 * accesses, one for a queue of them. No processor runs, so they stay empty. */
SUCCEEDS(xendevicemodel_create_ioreq_server)
SUCCEEDS(xendevicemodel_destroy_ioreq_server)
SUCCEEDS(xendevicemodel_set_ioreq_server_state)
SUCCEEDS(xendevicemodel_map_io_range_to_ioreq_server)
SUCCEEDS(xendevicemodel_unmap_io_range_from_ioreq_server)
SUCCEEDS(xendevicemodel_map_pcidev_to_ioreq_server)
SUCCEEDS(xendevicemodel_unmap_pcidev_from_ioreq_server)
SUCCEEDS(xenforeignmemory_unmap_resource)

int xendevicemodel_get_ioreq_server_info(void *xen, uint16_t domain, uint16_t server,
                                         uint64_t *single, uint64_t *queue, uint32_t *port)
{
    /* Frames are left out when QEMU maps the pages as a resource. */
    if (single)
        *single = 1;
    if (queue)
        *queue = 2;
    if (port)
        *port = 1;
    return 0;
}

void *xenforeignmemory_map_resource(void *xen, uint16_t domain, unsigned type, unsigned id,
                                    unsigned long frame, unsigned long count, void **address,
                                    int protection, int flags)
{
    *address = mmap(NULL, count * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return *address == MAP_FAILED ? NULL : &handle;
}

/* Guest memory: with no guest, any memory will do. It goes where QEMU says, as
 * it does when a restored device's memory moves to its place. */
void *xenforeignmemory_map2(void *xen, uint32_t domain, void *address, int protection, int flags,
                            size_t pages, const uint64_t frames[], int errors[])
{
    int fixed = address ? MAP_FIXED : 0;
    if (errors)
        memset(errors, 0, pages * sizeof *errors);
    flags = MAP_PRIVATE | MAP_ANONYMOUS | fixed;
    address = mmap(address, pages * PAGE, protection, flags, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}

/* An event channel for each processor, and one for the queue. */
int xenevtchn_bind_interdomain(void)
{
    static int port;
    return ++port;
}

/* Interrupt lines, interrupt routing and memory types are Xen's: told, and of
 * no consequence here. */
SUCCEEDS(xendevicemodel_set_isa_irq_level)
SUCCEEDS(xendevicemodel_set_pci_intx_level)
SUCCEEDS(xendevicemodel_set_pci_link_route)
SUCCEEDS(xendevicemodel_set_mem_type)
/* QEMU asks at its start whether grants can be copied. */
SUCCEEDS(xengnttab_grant_copy)

FINDS_NOTHING(xs_directory)
FINDS_NOTHING(xs_read)
IS_TRUE(xs_mkdir)
IS_TRUE(xs_set_permissions)
IS_TRUE(xs_watch)

/* Readable when a watch fires: never. */
int xs_fileno(void)
{
    static int file = -1;
    if (file < 0)
        file = eventfd(0, EFD_CLOEXEC);
    return file;
}
