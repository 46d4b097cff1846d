/* What PID 1 does before it serves: mounts, modules, swap, and settings that make runs repeatable. */
#ifndef BOOT_H
#define BOOT_H

#include <stdbool.h>

/* Text about what went wrong, for the host. */
extern char boot_trouble[256];

/* Mount proc, sysfs and the rest; load the modules of the initramfs in the order of their names. */
bool boot_mount(void);
bool boot_load_modules(void);
/* Make swap on the device (zram0, vda, ...) and turn it on. */
bool boot_swap(const char *device);
/* Settings; those that a kernel does not have are passed over. */
void boot_settings(void);
/* Open the channel to the host, a serial line such as ttyS1. -1 if there is none. */
int boot_channel(const char *name);

#endif
