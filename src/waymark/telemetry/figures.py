"""What the services count; the supervisor publishes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class PoolFigures:
    """Counts of a worker pool since it started, and gauges of the moment."""

    dispatched: int = 0
    """Calls handed to a worker."""
    completed: int = 0
    """Results that workers gave, of whatever outcome."""
    lost: int = 0
    """Calls that came back lost because their worker went away."""
    timed_out: int = 0
    """Calls answered by the pool because their worker did not obey its cancel in time."""
    unknown_results: int = 0
    """Results that were dropped: given twice, or for a token that the worker does not hold."""
    workers_killed: int = 0
    """Workers ended because an action outlived its timeout and the grace."""
    workers_attached: int = 0
    """Streams accepted."""
    workers_refused: int = 0
    """Streams refused: wrong secret, unknown id or another protocol."""
    queued: int = 0
    """Gauge: calls that wait for a free slot."""
    in_flight: int = 0
    """Gauge: calls that workers hold."""
    workers: int = 0
    """Gauge: workers that take work."""
