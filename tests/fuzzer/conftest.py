"""Kernels by their names."""

import pytest

from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel


@pytest.fixture(scope="session")
def before() -> Kernel:
    """The kernel before the refused patch."""
    return find_kernel("linux-4.0-rc7-mm1")


@pytest.fixture(scope="session")
def patched() -> Kernel:
    """The kernel with the refused patch."""
    return find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin")


@pytest.fixture(scope="session")
def merged() -> Kernel:
    """The kernel in which MADV_FREE was merged."""
    return find_kernel("linux-4.5")
