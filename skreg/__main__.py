"""`python -m skreg`."""

import sys

from .command import main

if __name__ == "__main__":  # processes that share the work import this module too
    sys.exit(main())
