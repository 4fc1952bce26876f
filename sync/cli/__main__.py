"""Lets `python -m sync.cli` stand for the installed command."""

import sys

from sync.cli.main import main

sys.exit(main())
