#define _GNU_SOURCE
#include "process.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "raw.h"

struct shared *shared;

/* ---- What a process runs. No libc, no private memory that is written, from here... ---- */

static long futex_wait(uint32_t *turn, uint32_t value, const struct timespec *limit)
{
	return raw6(SYS_futex, (long)turn, FUTEX_WAIT, value, (long)limit, 0, 0);
}

static void futex_wake(uint32_t *turn)
{
	raw6(SYS_futex, (long)turn, FUTEX_WAKE, 1, 0, 0, 0);
}

/* A store and a load that a signal ends with minus its number, by recover(). */
__attribute__((noinline)) static int64_t guarded_store(uint64_t *address, uint64_t value)
{
	int64_t result = 0;

	__asm__ volatile(".globl guarded_store_at, guarded_store_end\n"
			 "guarded_store_at: movq %[value], (%[address])\n"
			 "guarded_store_end:"
			 : "+a"(result)
			 : [address] "r"(address), [value] "r"(value)
			 : "memory");
	return result;
}

__attribute__((noinline)) static int64_t guarded_load(const uint64_t *address, uint64_t *value)
{
	int64_t result = 0;

	__asm__ volatile(".globl guarded_load_at, guarded_load_end\n"
			 "guarded_load_at: movq (%[address]), %[value]\n"
			 "guarded_load_end:"
			 : "+a"(result), [value] "=&r"(*value)
			 : [address] "r"(address)
			 : "memory");
	return result;
}

extern const char guarded_store_at[], guarded_store_end[], guarded_load_at[], guarded_load_end[];

static void recover(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (registers[REG_RIP] == (greg_t)guarded_store_at)
		registers[REG_RIP] = (greg_t)guarded_store_end;
	else if (registers[REG_RIP] == (greg_t)guarded_load_at)
		registers[REG_RIP] = (greg_t)guarded_load_end;
	else
		raw6(SYS_exit_group, 128 + signal, 0, 0, 0, 0, 0);
	registers[REG_RAX] = -signal;
}

__attribute__((naked)) static void return_from_signal(void)
{
	__asm__("movl $15, %eax\n\tsyscall");
}

/* The kernel's struct sigaction, which libc's is not. */
struct kernel_sigaction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};
#define KERNEL_SA_RESTORER 0x04000000

static void catch_signals(void)
{
	struct kernel_sigaction action = {
		.handler = recover,
		.flags = SA_SIGINFO | SA_NODEFER | KERNEL_SA_RESTORER,
		.restorer = return_from_signal,
	};

	raw6(SYS_rt_sigaction, SIGSEGV, (long)&action, 0, sizeof action.mask, 0, 0);
	raw6(SYS_rt_sigaction, SIGBUS, (long)&action, 0, sizeof action.mask, 0, 0);
}

static void process_main(void *argument);

static int64_t fork_into(struct mailbox *box)
{
	/* A sibling, so that the controller waits for all alike. */
	struct clone_args args = {
		.flags = CLONE_PARENT,
		.stack = (uintptr_t)box->stack,
		.stack_size = sizeof box->stack,
	};

	return raw_clone3(&args, process_main, box);
}

static void make_call(struct call *call)
{
	switch (call->kind) {
	case CALL_STORE:
		call->result = guarded_store((uint64_t *)call->args[0], (uint64_t)call->args[1]);
		break;
	case CALL_LOAD:
		call->result = guarded_load((const uint64_t *)call->args[0], &call->value);
		break;
	case CALL_FORK:
		call->result = fork_into((struct mailbox *)call->args[0]);
		break;
	default:
		call->result = raw6(call->nr, call->args[0], call->args[1], call->args[2], call->args[3],
				    call->args[4], call->args[5]);
	}
}

static void process_main(void *argument)
{
	struct mailbox *box = argument;

	catch_signals();
	for (;;) {
		while (__atomic_load_n(&box->turn, __ATOMIC_ACQUIRE) != TURN_PROCESS)
			futex_wait(&box->turn, TURN_CONTROLLER, NULL);
		for (uint32_t i = 0; i < box->count; i++)
			make_call(&box->calls[i]);
		__atomic_store_n(&box->turn, TURN_CONTROLLER, __ATOMIC_RELEASE);
		futex_wake(&box->turn);
	}
}

/* ---- ...to here. The rest is the controller's. ---- */

static void on_child(int signal)
{
	/* Only that a wait ends when a process dies. */
	(void)signal;
}

/* Keep what this process may write to out of every fork. */
static bool keep_own_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	bool kept = maps != NULL;

	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long start, end;
		char flags[5];

		if (sscanf(line, "%lx-%lx %4s", &start, &end, flags) != 3 || flags[1] != 'w' || flags[3] != 'p')
			continue;
		if (madvise((void *)start, end - start, MADV_DONTFORK))
			kept = false;
	}
	if (maps)
		fclose(maps);
	return kept;
}

/*
 * A process inherits its parent's restartable sequence, for which the kernel writes to the thread's memory whenever it
 * was preempted: private memory that it does not have.
 */
static void give_up_restartable_sequence(void)
{
#if __has_include(<sys/rseq.h>)
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size)
		raw6(SYS_rseq, (long)area, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER, RSEQ_SIG, 0, 0);
#endif
}

bool processes_prepare(void)
{
	struct sigaction action = {.sa_handler = on_child};

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	/* Touched here, so that the pages are charged to the controller's cgroup; locked, so that they stay. */
	memset(shared, 0, sizeof *shared);
	mlock(shared, sizeof *shared);
	sigaction(SIGCHLD, &action, NULL);
	give_up_restartable_sequence();
	return keep_own_memory();
}

/*
 * A process that has woken the controller shall sleep before the controller goes on: one that is still on its way while
 * its cgroup is over memory.high is throttled for two seconds. Forked processes inherit it.
 */
static void run_before_controller(pid_t pid)
{
	struct sched_param priority = {.sched_priority = 1};

	sched_setscheduler(pid, SCHED_FIFO, &priority);
}

pid_t process_start(int cgroup)
{
	struct mailbox *box = &shared->boxes[0];
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)box->stack,
		.stack_size = sizeof box->stack,
		.cgroup = (uint64_t)cgroup,
	};

	for (int i = 0; i < MAX_PROCESSES; i++) {
		shared->boxes[i].turn = TURN_CONTROLLER;
		shared->boxes[i].pid = 0;
	}
	box->pid = (pid_t)raw_clone3(&args, process_main, box);
	if (box->pid > 0)
		run_before_controller(box->pid);
	return box->pid;
}

void calls_begin(int process)
{
	shared->boxes[process].count = 0;
}

struct call *calls_add(int process, enum call_kind kind, int64_t first, int64_t second)
{
	struct mailbox *box = &shared->boxes[process];
	struct call *call = &box->calls[box->count < MAX_CALLS ? box->count++ : MAX_CALLS - 1];

	memset(call, 0, sizeof *call);
	call->kind = kind;
	call->args[0] = first;
	call->args[1] = second;
	return call;
}

struct call *calls_system(int process, long nr, long a, long b, long c, long d, long e, long f)
{
	struct call *call = calls_add(process, CALL_SYSTEM, a, b);

	call->nr = (int32_t)nr;
	call->args[2] = c;
	call->args[3] = d;
	call->args[4] = e;
	call->args[5] = f;
	return call;
}

static int64_t milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool has_died(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static bool is_leaving(const struct mailbox *box)
{
	return box->count && box->calls[box->count - 1].nr == SYS_exit_group;
}

enum calls_end calls_run(int process, int milliseconds)
{
	struct mailbox *box = &shared->boxes[process];
	int64_t until = milliseconds_now() + milliseconds;
	/* Short, for a death in the moment before the wait interrupts nothing. */
	struct timespec slice = {.tv_nsec = 50 * 1000 * 1000};

	__atomic_store_n(&box->turn, TURN_PROCESS, __ATOMIC_RELEASE);
	futex_wake(&box->turn);
	/* A process that exits is gone by now, and its death interrupts no wait that has not begun. */
	if (is_leaving(box) && has_died(box->pid))
		return CALLS_DIED;
	while (__atomic_load_n(&box->turn, __ATOMIC_ACQUIRE) == TURN_PROCESS) {
		/* Most waits end because the process is done; the others have time for a closer look. */
		if (futex_wait(&box->turn, TURN_PROCESS, &slice) == 0)
			continue;
		if (has_died(box->pid))
			return CALLS_DIED;
		if (milliseconds_now() > until)
			return CALLS_STUCK;
	}
	return CALLS_MADE;
}
