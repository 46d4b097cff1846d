"""`python -m benchmarks` is `mmfuzz bench`, for a checkout that is not installed."""

import sys

from cli.main import main

main(["bench", *sys.argv[1:]])
