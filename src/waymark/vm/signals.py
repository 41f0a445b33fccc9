"""What an instruction tells the loop that runs it, besides None: go on with the next one."""

from __future__ import annotations

SWITCH = "switch"
"""The innermost frame of the task is another one."""

WAIT = "wait"
"""The task cannot go on now, or has ended."""
