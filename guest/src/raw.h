/*
 * System calls without libc: for the processes of a world, which may write to nothing but shared memory (see
 * process.h). A result from -4095 to -1 is an errno, as the kernel gives it.
 */
#ifndef RAW_H
#define RAW_H

#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/*
 * clone3(2) of a process that runs entry(argument) on the stack in args, and never returns from it. It has memory of
 * its own, but nothing of it may be needed that was marked MADV_DONTFORK: so the jump is made before any C runs.
 */
static inline long raw_clone3(struct clone_args *args, void (*entry)(void *), void *argument)
{
	long result;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "movq %[argument], %%rdi\n\t"
			 "call *%[entry]\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(result)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof *args), [entry] "r"(entry),
			   [argument] "r"(argument)
			 : "rcx", "r11", "memory");
	return result;
}

#endif
