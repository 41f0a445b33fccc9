"""pytest plugin: workflows run in tests without a database and without set-up; sleeps are skipped.

The in-memory bridge is a thread of the test process, started by the first run and gone with the process. An explicit
`WAYMARK_BRIDGE_GRPC_ADDR` switches it off, for tests against a real bridge.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Put the test bridge in place; nothing is imported or started before the first run needs it."""
    from waymark.sdk.late import use_for_tests

    if not os.environ.get("WAYMARK_BRIDGE_GRPC_ADDR"):
        use_for_tests("waymark.testing.thread:bridge_of_this_process")


def pytest_unconfigure() -> None:
    """End the test bridge before the interpreter ends its threads."""
    from waymark.sdk.late import end_tests

    end_tests()
