"""`waymark-worker`."""

from __future__ import annotations

import sys

from waymark.worker.main import main as run_worker


def main() -> None:
    """Run a worker; only the pool starts this."""
    sys.exit(run_worker())
