"""Sizes and chances of the engines that run inside the core. Chances are out of 256."""

MAX_LENGTH = 400
OP_TABLE_SIZE = 256
MAX_OPS = 64
# Failures are told apart while a unit runs by oracle and by how the page came to be what it was.
ORIGINS = 16
FAILURE_KEYS = 512

# A path op is begun instead of run through, and an op is done by the second thread.
BEGIN_CHANCE = 64
SECOND_THREAD_CHANCE = 48
# An op goes to the page that the op before it used.
SAME_PAGE_CHANCE = 128
# An op on a page of the huge area goes to the whole of it.
WHOLE_AREA_CHANCE = 80
# A store takes one of the tokens that several pages may hold, so that KSM finds something to merge.
SHARED_TOKEN_CHANCE = 80

# Sequences that share one draw of swarm's options.
SWARM_SEQUENCES = 32
# Swarm leaves a feature out, and takes an op out of the mix.
SWARM_FEATURE_OUT_CHANCE = 64
SWARM_OP_OUT_CHANCE = 80
# Swarm shrinks a size of the world.
SWARM_SHRINK_CHANCE = 128

# What an op takes, as bits.
TAKES_PROCESS = 1
TAKES_PAGE = 2
TAKES_TOKEN = 4
TAKES_THREAD = 8
TAKES_PATH = 16
TAKES_AREA = 32
