"""Real kernels, where the tests of this folder find them."""

from tests.workers.targets.kernels import debian_6_1 as debian_6_1
from tests.workers.targets.kernels import debian_6_12 as debian_6_12
