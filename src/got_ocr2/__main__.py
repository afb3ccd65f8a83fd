"""`python -m got_ocr2` is the `got-ocr2` command."""

import sys

from .cli import main

sys.exit(main())
