#define _GNU_SOURCE
#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "files.h"

#define MODULES "/modules"
#define MM "/sys/kernel/mm/"
#define PAGE_BYTES 4096u
#define ZRAM_BYTES "67108864"
/* Where mkswap(8) writes what the kernel reads: version, last page; the signature ends the first page. */
#define SWAP_INFO_AT 1024
#define SWAP_SIGNATURE "SWAPSPACE2"
#define SIGNATURE_LENGTH 10

char boot_trouble[256];

static bool trouble(const char *what, const char *which)
{
	snprintf(boot_trouble, sizeof boot_trouble, "%s %s: %s", what, which, strerror(errno));
	return false;
}

bool boot_mount(void)
{
	static const struct {
		const char *type, *place;
		bool needed;
	} mounts[] = {
		{"devtmpfs", "/dev", true},
		{"proc", "/proc", true},
		{"sysfs", "/sys", true},
		{"cgroup2", "/sys/fs/cgroup", true},
		{"debugfs", "/sys/kernel/debug", false},
		{"tmpfs", "/tmp", false},
	};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		mkdir(mounts[i].place, 0755);
		/* A kernel may have mounted devtmpfs by itself. */
		if (mount(mounts[i].type, mounts[i].place, mounts[i].type, 0, NULL) && errno != EBUSY &&
		    mounts[i].needed)
			return trouble("cannot mount", mounts[i].type);
	}
	return true;
}

static bool load_module(const char *name)
{
	char path[512];
	int file, result;

	snprintf(path, sizeof path, MODULES "/%s", name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return trouble("cannot open the module", name);
	result = (int)syscall(SYS_finit_module, file, "", 0);
	close(file);
	return result == 0 || errno == EEXIST || trouble("cannot load the module", name);
}

static int is_module(const struct dirent *entry)
{
	return strstr(entry->d_name, ".ko") != NULL;
}

bool boot_load_modules(void)
{
	struct dirent **names;
	int number = scandir(MODULES, &names, is_module, alphasort);

	for (int i = 0; i < number; i++)
		if (!load_module(names[i]->d_name))
			return false;
	return true;
}

/* The size of a block device in pages. */
static long device_pages(const char *device)
{
	char path[96];

	snprintf(path, sizeof path, "/sys/block/%s/size", device);
	return read_number(path, 0) / (PAGE_BYTES / 512);
}

static bool make_swap(const char *path, long pages)
{
	static uint8_t header[PAGE_BYTES];
	uint32_t info[2] = {1, (uint32_t)pages - 1};
	int file = open(path, O_WRONLY);
	bool written;

	if (file < 0)
		return false;
	memcpy(header + SWAP_INFO_AT, info, sizeof info);
	memcpy(header + sizeof header - SIGNATURE_LENGTH, SWAP_SIGNATURE, SIGNATURE_LENGTH);
	written = write(file, header, sizeof header) == sizeof header && fsync(file) == 0;
	close(file);
	return written;
}

bool boot_swap(const char *device)
{
	char path[64];

	if (!strncmp(device, "zram", 4)) {
		snprintf(path, sizeof path, "/sys/block/%s/disksize", device);
		if (!write_text(path, ZRAM_BYTES))
			return trouble("cannot set up", device);
	}
	snprintf(path, sizeof path, "/dev/%s", device);
	if (device_pages(device) < 64)
		return trouble("no swap device, or too small:", device);
	if (!make_swap(path, device_pages(device)))
		return trouble("cannot write a swap header to", device);
	return swapon(path, 0) == 0 || trouble("cannot swap on", device);
}

void boot_settings(void)
{
	static const char *const settings[][2] = {
		/* Anonymous pages are what is looked at. */
		{"/proc/sys/vm/swappiness", "100"},
		/* No neighbours read in. */
		{"/proc/sys/vm/page-cluster", "0"},
		/* Nothing moves pages by itself. */
		{"/proc/sys/kernel/numa_balancing", "0"},
		{"/proc/sys/vm/compaction_proactiveness", "0"},
		{"/proc/sys/kernel/randomize_va_space", "0"},
		{"/sys/module/zswap/parameters/enabled", "N"},
		/* The classic lists, which the simulator has. */
		{MM "lru_gen/enabled", "0"},
		{MM "transparent_hugepage/enabled", "madvise"},
		{MM "transparent_hugepage/defrag", "always"},
		{MM "transparent_hugepage/khugepaged/defrag", "0"},
		{MM "transparent_hugepage/khugepaged/scan_sleep_millisecs", "4000000000"},
		{MM "ksm/run", "0"},
		{MM "ksm/sleep_millisecs", "0"},
		{MM "ksm/advisor_mode", "none"},
		{MM "ksm/pages_to_scan", "5000"},
		{MM "ksm/smart_scan", "0"},
		{MM "ksm/use_zero_pages", "0"},
		{MM "ksm/max_page_sharing", "256"},
		{MM "ksm/merge_across_nodes", "1"},
	};

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		write_text(settings[i][0], settings[i][1]);
}

int boot_channel(const char *name)
{
	char path[64];
	struct termios line;
	int channel;

	snprintf(path, sizeof path, "/dev/%s", name);
	channel = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (channel >= 0 && tcgetattr(channel, &line) == 0) {
		cfmakeraw(&line);
		cfsetspeed(&line, B115200);
		line.c_cflag |= CLOCAL;
		tcsetattr(channel, TCSANOW, &line);
	}
	return channel;
}
