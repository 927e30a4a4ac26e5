"""``python -m ranvier.cli``, for interpreters whose scripts are not on the path."""

import sys

from .entry import main

if __name__ == "__main__":
    sys.exit(main())
