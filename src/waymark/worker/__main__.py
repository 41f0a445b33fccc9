"""`python -m waymark.worker`."""

import sys

from waymark.worker.main import main

sys.exit(main())
