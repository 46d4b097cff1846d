"""The configuration of a small kernel that has all that the agent drives and reads, without modules.

On top of `make tinyconfig`. NUMA needs SMP, MEM_SOFT_DIRTY needs CHECKPOINT_RESTORE.
"""

FRAGMENT = """
64BIT=y ACPI=y ADVISE_SYSCALLS=y AIO=y BINFMT_ELF=y BINFMT_SCRIPT=y BLK_DEV=y BLK_DEV_INITRD=y BLOCK=y BUG=y
CC_OPTIMIZE_FOR_PERFORMANCE=y CGROUPS=y CHECKPOINT_RESTORE=y COMPACTION=y CROSS_MEMORY_ATTACH=y CRYPTO=y CRYPTO_LZO=y
DEBUG_FS=y DEBUG_KERNEL=y DEVMEM=y DEVTMPFS=y DEVTMPFS_MOUNT=y EPOLL=y EVENTFD=y EXPERT=y FUTEX=y
HIGH_RES_TIMERS=y HYPERVISOR_GUEST=y IDLE_PAGE_TRACKING=y KALLSYMS=y KERNEL_LZ4=y KSM=y KVM_GUEST=y MEMBARRIER=y MEMCG=y
MEMFD_CREATE=y MEM_SOFT_DIRTY=y MIGRATION=y MMU=y MULTIUSER=y NO_HZ_IDLE=y NR_CPUS=4 NUMA=y NUMA_EMU=y PANIC_TIMEOUT=-1
PARAVIRT=y PCI=y PCI_MSI=y POSIX_TIMERS=y PRINTK=y PROC_FS=y PROC_PAGE_MONITOR=y PROC_SYSCTL=y RD_GZIP=y
READ_ONLY_THP_FOR_FS=n SERIAL_8250=y SERIAL_8250_CONSOLE=y SERIAL_8250_NR_UARTS=4 SERIAL_8250_RUNTIME_UARTS=4 SHMEM=y
SIGNALFD=y SLUB=y SMP=y SPECULATION_MITIGATIONS=n SWAP=y SYSCTL=y SYSFS=y TIMERFD=y TMPFS=y TRANSPARENT_HUGEPAGE=y
TRANSPARENT_HUGEPAGE_ALWAYS=n TRANSPARENT_HUGEPAGE_MADVISE=y TTY=y UNWINDER_GUESS=y UNWINDER_ORC=n USERFAULTFD=y
VIRTIO_BLK=y VIRTIO_MENU=y VIRTIO_PCI=y VM_EVENT_COUNTERS=y X86_IOPL_IOPERM=y ZRAM=y ZSMALLOC=y
"""
# What no target is without; a fragment's line is dropped silently when its dependencies are not there.
NEEDED = (
    "BLK_DEV_INITRD", "CROSS_MEMORY_ATTACH", "DEBUG_FS", "DEVTMPFS", "KSM", "MEMCG", "MEM_SOFT_DIRTY", "MIGRATION",
    "NUMA", "PROC_PAGE_MONITOR", "SERIAL_8250_CONSOLE", "SWAP", "TMPFS", "TRANSPARENT_HUGEPAGE", "VIRTIO_BLK",
    "VIRTIO_PCI", "ZRAM",
)  # fmt: skip


def config_lines(name: str) -> str:
    """The fragment as merge_config.sh takes it; the kernel's release ends in the name."""
    lines = [f"CONFIG_{option}" for option in FRAGMENT.split()]
    return "\n".join([*lines, f'CONFIG_LOCALVERSION="-{name}"', ""])


def missing_options(config: str) -> tuple[str, ...]:
    """Options that a finished .config lacks."""
    lines = set(config.splitlines())
    return tuple(option for option in NEEDED if f"CONFIG_{option}=y" not in lines)
