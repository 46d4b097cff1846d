/* Ops on the whole machine or a cgroup; drive.h has those of processes. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "drive.h"

/* The outcome of a system call: minus an errno, or anything else. */
struct outcome ended(int64_t result);

/* Four full scans of ksmd, which are a fixed point. */
struct outcome scan_for_ksm(const struct run *run);
/* Memory pressure on the cgroups of these numbers. */
struct outcome reclaim(const struct run *run, int first, int last);
/* Move a process to another cgroup. */
struct outcome attach(const struct run *run, struct op op);
struct outcome swap_off_on(bool off, bool on);

#endif
