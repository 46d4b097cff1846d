/*
 * PID 1 of a guest: sets the machine up, then runs what the host sends and says what was seen.
 *
 * The kernel's command line gives `mm_swap` (zram0, vda: the swap device) and `mm_channel` (a serial line, ttyS1) as
 * environment. Nothing here may end: the kernel panics when PID 1 does, and the host takes that for a crash.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "boot.h"
#include "drive.h"
#include "execute.h"
#include "observe.h"
#include "op_codes.h"
#include "process.h"
#include "tool.h"
#include "wire.h"
#include "world.h"

/* What is to be observed in a batch. */
enum options { OBSERVE_PAGES = 1, OBSERVE_SMAPS = 2 };

/* What became of a trace. */
enum status { STATUS_DONE, STATUS_DIED, STATUS_STUCK, STATUS_NOT_STARTED, STATUS_TOO_MUCH };

static uint8_t incoming[WIRE_MAX], outgoing[WIRE_MAX];
static struct view views[2];
static char lacks[512];
static int channel = -1;

static void give_up(const char *text)
{
	dprintf(STDERR_FILENO, "mmfuzz: %s\n", text);
	if (channel >= 0)
		wire_error(channel, 0, text);
	sleep(1);
	reboot(RB_POWER_OFF);
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void say_ready(void)
{
	struct buffer text = {.bytes = outgoing, .room = sizeof outgoing};
	struct utsname name;
	char line[1024];

	uname(&name);
	snprintf(line, sizeof line,
		 "release=%s\nversion=%s\nops=%s\nnodes=%d\nswap=%s\nlacks=%s\n", name.release, name.version,
		 OP_TABLE_DIGEST, nr_nodes, setting("mm_swap", "zram0"), lacks);
	put_bytes(&text, line, strlen(line));
	wire_send(channel, FRAME_READY, 0, text.bytes, text.length);
}

/*
 * Whether nothing is left of the traces before: no page swapped out. Slots in the CPU's caches of free slots (64 to
 * give out, 64 given back) count as used.
 */
#define CACHED_SLOTS 128

static bool is_clean(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 && (info.totalswap - info.freeswap) * info.mem_unit <= CACHED_SLOTS * PAGE_BYTES;
}

static enum status status_of(const struct run *run)
{
	if (run->end == CALLS_DIED)
		return STATUS_DIED;
	return run->end == CALLS_STUCK ? STATUS_STUCK : STATUS_DONE;
}

static uint8_t alive_mask(const struct run *run)
{
	uint8_t mask = 0;

	for (int i = 0; i < MAX_PROCESSES; i++)
		mask |= (uint8_t)(run->processes[i].alive << i);
	return mask;
}

static void put_outcome(struct buffer *answer, const struct run *run, const struct outcome *outcome)
{
	put(answer, (uint16_t)outcome->error, 2);
	put(answer, (uint16_t)outcome->value, 2);
	put(answer, outcome->child, 1);
	put(answer, outcome->reached, 1);
	put(answer, alive_mask(run), 1);
}

static void look(struct run *run, struct view *view, const struct view *before, int options)
{
	observe_pages(run, view, before);
	if (options & OBSERVE_SMAPS)
		observe_smaps(run, view);
}

/* Run the ops one by one; how many were run. */
static uint16_t run_ops(struct run *run, struct cursor *words, uint16_t number, int options, struct buffer *answer)
{
	struct view *before = &views[0], *after = &views[1];
	uint16_t done = 0;

	memset(views, 0, sizeof views);
	for (; done < number && run->end == CALLS_MADE && !answer->full; done++) {
		struct op op = op_of_word((uint32_t)take(words, 4));
		struct view *old = before;
		bool counted = options & OBSERVE_PAGES && is_counted(op);
		struct outcome outcome;

		if (counted)
			observe_counters(before);
		outcome = drive(run, op);
		wait_for_swap();
		if (counted)
			observe_counters(after);
		if (!(options & OBSERVE_PAGES)) {
			outcome.reached = outcome.error == 0;
			put_outcome(answer, run, &outcome);
			continue;
		}
		look(run, after, done ? before : NULL, options);
		outcome.reached = has_reached(run, op, &outcome, after);
		put_outcome(answer, run, &outcome);
		put_changes(answer, run, after, counted ? before : after, before, options & OBSERVE_SMAPS);
		before = after;
		after = old;
	}
	return done;
}

/* Last of all, what every living process reads in all its pages. */
static void put_values(struct run *run, struct buffer *answer)
{
	for (int process = 0; process < MAX_PROCESSES; process++) {
		uint8_t values[MAX_PAGES];

		if (!run->processes[process].alive || run->end != CALLS_MADE)
			continue;
		memset(values, GARBAGE, sizeof values);
		read_all_pages(run, process, values);
		put_bytes(answer, values, run->world.total);
	}
}

static void run_trace(const struct world *world, uint32_t nonce, uint32_t sequence, uint16_t index,
		      struct cursor *words, int options)
{
	struct buffer answer = {.bytes = outgoing, .room = sizeof outgoing};
	uint16_t number = (uint16_t)take(words, 2), done = 0;
	struct cursor own = {words->bytes, 4u * number, false};
	struct run run;
	enum status status;

	words->short_of |= words->left < own.left;
	if (words->short_of)
		return;
	words->bytes += own.left;
	words->left -= own.left;
	put(&answer, index, 2);
	/* Their places; filled in below. */
	put(&answer, 0, 4);
	if (run_start(&run, world, nonce)) {
		done = run_ops(&run, &own, number, options, &answer);
		put_values(&run, &answer);
		status = answer.full ? STATUS_TOO_MUCH : status_of(&run);
	} else {
		status = STATUS_NOT_STARTED;
	}
	run_end(&run);
	outgoing[2] = (uint8_t)status;
	outgoing[3] = restore_swap() && is_clean();
	memcpy(outgoing + 4, &done, sizeof done);
	wire_send(channel, FRAME_TRACE, sequence, answer.bytes, answer.length);
}

static void run_batch(uint32_t sequence, size_t length)
{
	struct cursor cursor = {incoming, length, false};
	int options = (int)take(&cursor, 1);
	uint32_t nonce = (uint32_t)take(&cursor, 4);
	struct world world;
	uint16_t number;

	if (!world_take(&cursor, &world)) {
		wire_error(channel, sequence, "a world that this guest cannot make");
		return;
	}
	number = (uint16_t)take(&cursor, 2);
	for (uint16_t index = 0; index < number && !cursor.short_of; index++)
		run_trace(&world, nonce + index, sequence, index, &cursor, options);
	if (cursor.short_of || cursor.left)
		wire_error(channel, sequence, "a batch whose length does not fit its traces");
}

static void serve(void)
{
	struct frame frame;

	while (wire_receive(channel, &frame, incoming)) {
		if (frame.kind == FRAME_PING)
			wire_send(channel, FRAME_PONG, frame.sequence, incoming, frame.length);
		else if (frame.kind == FRAME_RUN)
			run_batch(frame.sequence, frame.length);
		else if (frame.kind == FRAME_EXECUTE)
			execute_program(channel, frame.sequence, incoming, frame.length);
		else
			wire_error(channel, frame.sequence, "a frame of a kind that this guest does not know");
	}
}

int main(int count, char **words)
{
	if (getpid() != 1)
		return tool_main(count, words);
	/* Nobody reads a signal's name here; a write to a closed channel is seen by its result. */
	signal(SIGPIPE, SIG_IGN);
	if (!boot_mount() || !boot_load_modules())
		give_up(boot_trouble);
	channel = boot_channel(setting("mm_channel", "ttyS1"));
	if (channel < 0)
		give_up("the channel to the host cannot be opened");
	boot_settings();
	if (!boot_swap(setting("mm_swap", "zram0")))
		give_up(boot_trouble);
	if (!observe_prepare())
		give_up("/proc/kpageflags, kpagecount or vmstat is missing (CONFIG_PROC_PAGE_MONITOR)");
	if (!worlds_prepare())
		give_up("no memory cgroups of version 2 (CONFIG_MEMCG)");
	drive_prepare(setting("mm_swap", "zram0"), lacks, sizeof lacks);
	if (!processes_prepare())
		give_up("the processes' shared memory cannot be set up");
	say_ready();
	serve();
	give_up("the channel is closed");
	return 1;
}
