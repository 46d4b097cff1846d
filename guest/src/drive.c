#define _GNU_SOURCE
#include "drive.h"

#include <errno.h>
#include <linux/falloc.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"
#include "op_codes.h"
#include "raw.h"
#include "system.h"

#ifndef MADV_FREE
#define MADV_FREE 8
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

struct op op_of_word(uint32_t word)
{
	return (struct op){
		.code = (uint8_t)word,
		.first = word >> 8 & 15,
		.page = word >> 16 & 31,
		.token = (uint8_t)(word >> 24),
	};
}

static uint64_t contents(const struct run *run, uint8_t token)
{
	return (uint64_t)run->nonce << 32 | token;
}

static uint8_t token_of(const struct run *run, uint64_t bytes)
{
	if (bytes == 0)
		return 0;
	return bytes >> 32 == run->nonce && (uint32_t)bytes < GARBAGE ? (uint8_t)bytes : GARBAGE;
}

/* One system call of the op's process; minus an errno if it failed. */
static int64_t process_call(struct run *run, int process, long nr, long a, long b, long c, long d, long e, long f)
{
	struct call *call;

	calls_begin(process);
	call = calls_system(process, nr, a, b, c, d, e, f);
	return run_calls(run, process) ? call->result : -EINTR;
}

static struct outcome advise(struct run *run, struct op op, int advice)
{
	return ended(process_call(run, op.first, SYS_madvise, (long)page_address(run, op.first, op.page),
				  (long)page_length(op.page), advice, 0, 0, 0));
}

static struct outcome store(struct run *run, struct op op)
{
	struct call *call;

	calls_begin(op.first);
	call = calls_add(op.first, CALL_STORE, (int64_t)page_address(run, op.first, op.page),
			 (int64_t)contents(run, op.token));
	if (!run_calls(run, op.first))
		return (struct outcome){.error = EINTR};
	/* What the simulator says of a store that is not permitted. */
	return (struct outcome){.error = (int16_t)(call->result == -SIGSEGV ? EFAULT : call->result)};
}

static struct outcome load(struct run *run, struct op op)
{
	struct call *call;

	calls_begin(op.first);
	call = calls_add(op.first, CALL_LOAD, (int64_t)page_address(run, op.first, op.page), 0);
	if (!run_calls(run, op.first))
		return (struct outcome){.error = EINTR};
	if (call->result)
		return (struct outcome){.error = (int16_t)(call->result == -SIGSEGV ? EFAULT : call->result)};
	return (struct outcome){.value = token_of(run, call->value)};
}

/* A store or load through get_user_pages(): a process reads or writes its own memory as another's. */
static struct outcome through_gup(struct run *run, struct op op, long nr)
{
	struct mailbox *box = &shared->boxes[op.first];
	int64_t result;

	box->buffer = nr == SYS_process_vm_writev ? contents(run, op.token) : 0;
	box->local = (struct iovec){&box->buffer, sizeof box->buffer};
	box->remote = (struct iovec){(void *)page_address(run, op.first, op.page), sizeof box->buffer};
	result = process_call(run, op.first, nr, box->pid, (long)&box->local, 1, (long)&box->remote, 1, 0);
	if (result < 0 || nr == SYS_process_vm_writev)
		return ended(result);
	return (struct outcome){.value = token_of(run, box->buffer)};
}

static struct outcome fork_process(struct run *run, struct op op)
{
	int child = run->born;
	struct call *call;

	if (child >= run->world.processes)
		return (struct outcome){.error = EAGAIN};
	shared->boxes[child].turn = TURN_CONTROLLER;
	calls_begin(op.first);
	call = calls_add(op.first, CALL_FORK, (int64_t)(uintptr_t)&shared->boxes[child], 0);
	if (!run_calls(run, op.first))
		return (struct outcome){.error = EINTR};
	if (call->result < 0)
		return ended(call->result);
	life_begin(run, child, (pid_t)call->result, &run->processes[op.first]);
	return (struct outcome){.child = (uint8_t)child};
}

static struct outcome exit_process(struct run *run, struct op op)
{
	calls_begin(op.first);
	calls_system(op.first, SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (calls_run(op.first, PATIENCE_MS) == CALLS_STUCK) {
		run->end = CALLS_STUCK;
		return (struct outcome){.error = EINTR};
	}
	life_end(run, op.first);
	return (struct outcome){0};
}

static struct outcome make_mergeable(struct run *run, struct op op)
{
	struct outcome outcome = advise(run, op, MADV_MERGEABLE);

	/* A shared mapping is left alone. */
	run->processes[op.first].known_to_ksm |= outcome.error == 0 && !is_shared(run, op.page);
	return outcome;
}

/* To the other node, with every mapping that the page has. */
static struct outcome migrate(const struct run *run, struct op op)
{
	void *address = (void *)page_address(run, op.first, op.page);
	pid_t pid = run->processes[op.first].pid;
	int status = -ENOENT, node;
	/* Without nodes it only says where the page is. */
	long result = raw6(SYS_move_pages, pid, 1, (long)&address, 0, (long)&status, 0);

	node = status == 1 ? 0 : 1;
	if (result == 0)
		result = raw6(SYS_move_pages, pid, 1, (long)&address, (long)&node, (long)&status, MPOL_MF_MOVE_ALL);
	if (result < 0)
		return ended(result);
	return (struct outcome){.error = (int16_t)(status < 0 ? -status : 0), .value = (int16_t)status};
}

static struct outcome protect(struct run *run, struct op op, int protection)
{
	return ended(process_call(run, op.first, SYS_mprotect, (long)page_address(run, op.first, op.page),
				  (long)page_length(op.page), protection, 0, 0, 0));
}

static struct outcome move(struct run *run, struct op op)
{
	struct life *life = &run->processes[op.first];
	uint64_t length = page_length(op.page);
	int64_t result = process_call(run, op.first, SYS_mremap, (long)page_address(run, op.first, op.page),
				      (long)length, (long)length, MREMAP_MAYMOVE | MREMAP_FIXED,
				      (long)other_address(run, op.first, op.page), 0);

	if (result < 0 && result >= -4095)
		return ended(result);
	for (int page = 0; page < run->world.total; page++)
		if (page == op.page || (op.page == WHOLE_AREA && is_area(run, page)))
			life->moved[page] = !life->moved[page];
	return (struct outcome){0};
}

static struct outcome clear_soft_dirty(const struct run *run, struct op op)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/clear_refs", run->processes[op.first].pid);
	return ended(write_text(path, "4") ? 0 : -errno);
}

static struct outcome split(const struct run *run, struct op op)
{
	uint64_t start = page_address(run, op.first, WHOLE_AREA);
	char text[96];

	snprintf(text, sizeof text, "%d,0x%lx,0x%lx", run->processes[op.first].pid, start, start + HUGE_BYTES);
	return ended(write_text("/sys/kernel/debug/split_huge_pages", text) ? 0 : -errno);
}

static struct outcome punch(struct run *run, struct op op)
{
	return ended(process_call(run, op.first, SYS_fallocate, run->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  (long)(file_index(run, op.page) * PAGE_BYTES), PAGE_BYTES, 0, 0));
}

static struct outcome truncate_file(struct run *run, struct op op)
{
	int64_t result = process_call(run, op.first, SYS_ftruncate, run->memfd,
				      (long)(file_index(run, op.page) * PAGE_BYTES), 0, 0, 0, 0);

	if (result < 0 || run->end != CALLS_MADE)
		return ended(result);
	return ended(process_call(run, op.first, SYS_ftruncate, run->memfd, (long)(run->world.file * PAGE_BYTES), 0, 0,
				  0, 0));
}

/* An op on a page of its process. */
static struct outcome drive_page(struct run *run, struct op op)
{
	uint64_t address = page_address(run, op.first, op.page);
	long length = (long)page_length(op.page);

	switch (op.code) {
	case OP_WRITE:
		return store(run, op);
	case OP_READ:
		return load(run, op);
	case OP_GUP_WRITE:
		return through_gup(run, op, SYS_process_vm_writev);
	case OP_GUP_READ:
		return through_gup(run, op, SYS_process_vm_readv);
	case OP_MADV_FREE:
		return advise(run, op, MADV_FREE);
	case OP_MADV_DONTNEED:
		return advise(run, op, MADV_DONTNEED);
	case OP_MADV_COLD:
		return advise(run, op, MADV_COLD);
	case OP_MADV_PAGEOUT:
		return advise(run, op, MADV_PAGEOUT);
	case OP_MERGEABLE:
		return make_mergeable(run, op);
	case OP_UNMERGEABLE:
		return advise(run, op, MADV_UNMERGEABLE);
	case OP_COLLAPSE:
		op.page = WHOLE_AREA;
		return advise(run, op, MADV_COLLAPSE);
	case OP_SPLIT:
		return split(run, op);
	case OP_MIGRATE:
		return migrate(run, op);
	case OP_MLOCK:
		return ended(process_call(run, op.first, SYS_mlock, (long)address, length, 0, 0, 0, 0));
	case OP_MUNLOCK:
		return ended(process_call(run, op.first, SYS_munlock, (long)address, length, 0, 0, 0, 0));
	case OP_MPROTECT_RO:
		return protect(run, op, PROT_READ);
	case OP_MPROTECT_RW:
		return protect(run, op, PROT_READ | PROT_WRITE);
	case OP_MREMAP:
		return move(run, op);
	case OP_PUNCH:
		return punch(run, op);
	case OP_TRUNCATE:
		return truncate_file(run, op);
	default:
		return (struct outcome){.error = ENOSYS};
	}
}

/* An op of a process on itself. */
static struct outcome drive_process(struct run *run, struct op op)
{
	switch (op.code) {
	case OP_FORK:
		return fork_process(run, op);
	case OP_EXIT:
		return exit_process(run, op);
	case OP_MEMCG_ATTACH:
		return attach(run, op);
	case OP_DRAIN:
		/* MADV_COLD empties the batches before it looks at any page. */
		return ended(process_call(run, op.first, SYS_madvise, (long)empty_address(), PAGE_BYTES, MADV_COLD, 0,
					  0, 0));
	case OP_CLEAR_SOFT_DIRTY:
		return clear_soft_dirty(run, op);
	default:
		return (struct outcome){.error = ENOSYS};
	}
}

static bool has_page(uint8_t code)
{
	return OP_HAS_PAGE >> code & 1;
}

static bool has_process(uint8_t code)
{
	return OP_HAS_PROCESS >> code & 1;
}

static bool page_exists(const struct run *run, struct op op)
{
	if (op.page == WHOLE_AREA)
		return run->world.huge > 0;
	if (op.page >= run->world.total)
		return false;
	if (op.code == OP_PUNCH || op.code == OP_TRUNCATE)
		return is_file(run, op.page);
	if (op.code == OP_COLLAPSE || op.code == OP_SPLIT)
		return is_area(run, op.page);
	return true;
}

bool is_counted(struct op op)
{
	return op.code == OP_RECLAIM || op.code == OP_MEMCG_RECLAIM;
}

struct outcome drive(struct run *run, struct op op)
{
	if (has_process(op.code) && (op.first >= MAX_PROCESSES || !run->processes[op.first].alive))
		return (struct outcome){.error = ESRCH};
	if (has_page(op.code))
		return page_exists(run, op) ? drive_page(run, op) : (struct outcome){.error = ESRCH};
	switch (op.code) {
	case OP_KSM_SCAN:
		return scan_for_ksm(run);
	case OP_RECLAIM:
		return reclaim(run, 0, run->world.memcgs - 1);
	case OP_MEMCG_RECLAIM:
		return reclaim(run, op.first % run->world.memcgs, op.first % run->world.memcgs);
	case OP_SWAPOFF:
		return swap_off_on(true, false);
	case OP_SWAPON:
		return swap_off_on(false, true);
	case OP_SWAPOFF_ON:
		return swap_off_on(true, true);
	default:
		return drive_process(run, op);
	}
}

void read_all_pages(struct run *run, int process, uint8_t *values)
{
	struct mailbox *box = &shared->boxes[process];

	calls_begin(process);
	for (int page = 0; page < run->world.total; page++)
		calls_add(process, CALL_LOAD, (int64_t)page_address(run, process, page), 0);
	if (!run_calls(run, process))
		return;
	for (int page = 0; page < run->world.total; page++)
		values[page] = box->calls[page].result ? GARBAGE : token_of(run, box->calls[page].value);
}
