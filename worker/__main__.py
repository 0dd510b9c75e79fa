"""Start the commands: ``python -m worker``."""

import sys
from io import TextIOWrapper

from worker.cli import main

if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal has no letters for ends no command
    main(prog_name="python -m worker")
