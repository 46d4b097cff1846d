/*
 * A process of a world, as its controller (PID 1) and as it sees itself.
 *
 * The processes execute; the controller decides. What is measured are the pages of the world, and nothing else may
 * stand in the LRU lists of its memory cgroup, or in the per-CPU batches before them. So a process runs on a stack in
 * shared memory that the controller touched first, takes its orders from a mailbox there, and makes system calls
 * without libc, whose errno is private memory. The controller's own private memory is not forked (MADV_DONTFORK), so
 * that its stores never copy a page.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define MAX_PROCESSES 4
#define MAX_CALLS 96
#define STACK_SIZE (64 << 10)

enum call_kind {
	CALL_SYSTEM,	/* a system call: nr and args */
	CALL_STORE,	/* args[1] is stored at the address args[0] */
	CALL_LOAD,	/* 8 bytes are loaded from the address args[0] into value */
	CALL_FORK,	/* the process of the mailbox args[0] is forked */
};

struct call {
	uint32_t kind;
	int32_t nr;
	int64_t args[6];
	int64_t result;
	uint64_t value;
};

/* Whose turn it is, as a futex. */
enum turn { TURN_CONTROLLER, TURN_PROCESS };

struct mailbox {
	uint32_t turn;
	pid_t pid;
	uint32_t count;
	struct call calls[MAX_CALLS];
	/* Room for what system calls take and give by address. */
	struct iovec local, remote;
	uint64_t buffer;
	uint8_t resident[64];
	uint8_t stack[STACK_SIZE] __attribute__((aligned(64)));
};

struct shared {
	struct mailbox boxes[MAX_PROCESSES];
};

extern struct shared *shared;

/* Map the shared memory and keep the controller's own memory out of every fork. False if that cannot be done. */
bool processes_prepare(void);

/* Start the first process of a world, in the memory cgroup of this directory. Its pid, or a negative errno. */
pid_t process_start(int cgroup);

/* Begin a list of calls for a process. */
void calls_begin(int process);
/* Add a call; the place of its result. */
struct call *calls_system(int process, long nr, long a, long b, long c, long d, long e, long f);
struct call *calls_add(int process, enum call_kind kind, int64_t first, int64_t second);

/* How a list of calls ended: all made, in the death of the process, or not within the time. */
enum calls_end { CALLS_MADE, CALLS_DIED, CALLS_STUCK };

/* Let the process make its calls, and wait for it. */
enum calls_end calls_run(int process, int milliseconds);

#endif
