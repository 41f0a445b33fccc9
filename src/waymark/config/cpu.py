"""How many CPUs this process may use: the least of the machine, its affinity mask and its cgroup quota.

A container with a quota of two CPUs on a machine of 64 gets two workers, not 64.
Source: man 7 cgroups; kernel.org admin-guide/cgroup-v2, "cpu.max"; scheduler/sched-bwc (v1).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

CGROUP_ROOT = Path("/sys/fs/cgroup")
PROCESS_CGROUPS = Path("/proc/self/cgroup")


def cpu_count(*, root: Path = CGROUP_ROOT, membership: Path = PROCESS_CGROUPS) -> int:
    """CPUs this process may use, at least 1; a part of a CPU counts as a whole one.

    Args:
        root: Where the cgroup file systems are mounted.
        membership: File that lists the cgroups of this process.
    """
    count = _affinity()
    quota = _quota(root, membership)
    if quota is not None:
        count = min(count, math.ceil(quota))
    return max(count, 1)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path, membership: Path) -> float | None:
    """The tightest quota in CPUs of the process's cgroup and all its parents; None: unlimited."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    limits: list[float] = []
    for line in lines:
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if hierarchy == "0" and not controllers:
            limits += _limits(root, path, _read_v2)
        elif "cpu" in controllers.split(","):
            limits += _limits(root / "cpu", path, _read_v1)
    return min(limits, default=None)


def _limits(mount: Path, path: str, read: Callable[[Path], float | None]) -> list[float]:
    # Inside a container the path is often that of the host and does not exist below the mount: then only the
    # mount itself, which is the container's own cgroup, is left to read.
    inner = PurePosixPath(path.lstrip("/"))
    folders = [mount / inner, *(mount / parent for parent in inner.parents)]
    return [limit for folder in dict.fromkeys([*folders, mount]) if (limit := read(folder)) is not None]


def _read_v2(folder: Path) -> float | None:
    try:
        quota, _, period = (folder / "cpu.max").read_text().strip().partition(" ")
        return None if quota == "max" else int(quota) / int(period or 100_000)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _read_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return None if quota <= 0 else quota / period
    except (OSError, ValueError, ZeroDivisionError):
        return None
