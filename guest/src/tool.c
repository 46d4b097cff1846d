#define _GNU_SOURCE
#include "tool.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

__attribute__((noreturn)) static void hang(void)
{
	struct sched_param highest = {.sched_priority = 99};

	/* Without this the kernel would leave the others a twentieth of the time. */
	write_text("/proc/sys/kernel/sched_rt_runtime_us", "-1");
	sched_setscheduler(0, SCHED_FIFO, &highest);
	for (;;)
		;
}

static int write_garbage(const char *device)
{
	static const char garbage[] = "this is no frame, and it is longer than the header of one";
	int channel = open(device, O_WRONLY | O_NOCTTY);

	return channel < 0 || write(channel, garbage, sizeof garbage) < 0;
}

static int print_memory(void)
{
	char line[256];
	FILE *file = fopen("/proc/meminfo", "r");
	long kilobytes = -1;

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "MemAvailable: %ld", &kilobytes) == 1)
			printf("%ld\n", kilobytes);
	if (file)
		fclose(file);
	return kilobytes < 0;
}

int tool_main(int count, char **words)
{
	const char *name = count > 1 ? words[1] : "";

	if (!strcmp(name, "panic"))
		return !write_text("/proc/sysrq-trigger", "c");
	if (!strcmp(name, "hang"))
		hang();
	if (!strcmp(name, "garbage") && count > 2)
		return write_garbage(words[2]);
	if (!strcmp(name, "memory"))
		return print_memory();
	fprintf(stderr, "usage: init panic | hang | garbage DEVICE | memory\n");
	return 2;
}
