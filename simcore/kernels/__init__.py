"""The kernels shipped with mmfuzz: each file holds one kernel, or one and the patches to it."""

from simcore.kernel_class import KernelBase
from simcore.kernels.linux_4_0_rc7_mm1 import Linux40Rc7Mm1, MakeEveryPteDirty
from simcore.kernels.linux_4_5 import Linux45
from simcore.kernels.linux_4_14 import Linux414
from simcore.kernels.linux_6_1 import Linux61
from simcore.kernels.linux_6_12 import Linux612

KERNELS: tuple[type[KernelBase], ...] = (Linux40Rc7Mm1, MakeEveryPteDirty, Linux45, Linux414, Linux61, Linux612)
