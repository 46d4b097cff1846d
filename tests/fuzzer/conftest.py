"""Kernels by their names, and what is skipped where the core is not compiled."""

import pytest

from simcore.core import is_compiled
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel


@pytest.fixture(autouse=True)
def _skip_without_compiled_core(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("needs_compiled") and not is_compiled():
        pytest.skip("the compiled core is not built")


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
