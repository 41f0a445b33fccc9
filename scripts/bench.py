"""Measures the whole path: client, bridge, PostgreSQL, shards, workers, and back. Run by `scripts/bench`.

PostgreSQL waits for the disk on every commit. Absolute figures depend on the machine; compare ratios of one run.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg

from waymark.testing.embedded_postgres import EmbeddedPostgres
from waymark.testing.local_stack import local_stack

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True)
class Figure:
    """One measured case: the median of its repetitions, with the lowest and the highest."""

    name: str
    unit: str
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, unit: str, values: list[float]) -> Figure:
        return cls(name, unit, statistics.median(values), min(values), max(values))


async def timed(body: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await body()
    return time.perf_counter() - began


async def measure(flows: Any, dsn: str, repeat: int, scale: float) -> list[Figure]:
    import waymark

    figures: list[Figure] = []

    def add(name: str, unit: str, values: list[float]) -> None:
        figure = Figure.of(name, unit, values)
        figures.append(figure)
        click.echo(f"  {name:<52} {figure.median:>9.1f} {unit:<10} ({figure.low:.1f} to {figure.high:.1f})")

    for _ in range(50):
        await flows.OneAction().run(1)  # every process has seen the program

    trips = [1000 * await timed(lambda: flows.OneAction().run(1)) for _ in range(max(30, round(300 * scale)))]
    trips.sort()
    add("round trip of one action, caller to caller", "ms", trips[len(trips) // 20 : -len(trips) // 20])
    add("the same in the database, start to finish", "ms", database_latencies(dsn, len(trips)))

    async def bulk(runs: int) -> None:
        handles = await waymark.start_many(flows.OneAction, [((number,), {}) for number in range(runs)])
        await asyncio.gather(*[handle.result() for handle in handles])

    runs = round(2000 * scale)
    add(
        f"{runs} runs of one action, bulk start",
        "runs/s",
        [runs / await timed(lambda: bulk(runs)) for _ in range(repeat)],
    )

    async def single(runs: int) -> None:
        gate = asyncio.Semaphore(100)

        async def one(number: int) -> None:
            async with gate:
                await flows.OneAction().run(number)

        await asyncio.gather(*[one(number) for number in range(runs)])

    add(
        f"{runs} runs of one action, one call each",
        "runs/s",
        [runs / await timed(lambda: single(runs)) for _ in range(repeat)],
    )

    async def chains(count: int, steps: int) -> None:
        handles = await waymark.start_many(flows.Chain, [((steps,), {})] * count)
        await asyncio.gather(*[handle.result() for handle in handles])

    count = round(200 * scale)
    actions = count * 50
    add(
        f"{count} runs of 50 sequential actions",
        "actions/s",
        [actions / await timed(lambda: chains(count, 50)) for _ in range(repeat)],
    )

    for width in (50, 500, 5000):
        times = [await timed(lambda width=width: flows.FanOut().run(width)) for _ in range(max(repeat, 5))]  # type: ignore[misc]
        add(f"fan-out of {width} in one run, per action", "us", [1e6 * seconds / width for seconds in times])
    return figures


def database_latencies(dsn: str, count: int) -> list[float]:
    """Milliseconds between created_at and finished_at of the newest runs."""
    query = (
        "SELECT extract(epoch FROM finished_at - created_at)::float8 * 1000 FROM waymark.instances "
        "WHERE finished_at IS NOT NULL ORDER BY created_at DESC LIMIT %s"
    )
    with psycopg.connect(dsn) as database:
        return [row[0] for row in database.execute(query, (count,)).fetchall()]


@click.command(help="Measure Waymark on an embedded PostgreSQL with durable settings.")
@click.option("--repeat", default=3, show_default=True, help="Repetitions of each throughput case.")
@click.option("--scale", default=1.0, show_default=True, help="Share of the full amount of work.")
@click.option("--workers", default=2, show_default=True, help="Worker processes.")
@click.option("--shards", default=2, show_default=True, help="Executor shards.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures to this file.",
)
def main(repeat: int, scale: float, workers: int, shards: int, json_path: Path | None) -> None:
    settings = {
        "PYTHONPATH": str(EXAMPLES),
        "WAYMARK_USER_MODULE": "bench_flows",
        "WAYMARK_WORKER_COUNT": str(workers),
        "WAYMARK_EXECUTOR_SHARDS": str(shards),
        "WAYMARK_LOG_LEVEL": "INFO",
    }
    facts = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "workers": workers,
        "shards": shards,
    }
    click.echo(f"Waymark on {facts}; median (lowest to highest)")
    with EmbeddedPostgres(fsync=True) as postgres:
        dsn = postgres.create_database()
        with local_stack(dsn, settings) as stack:
            stack.use_here()
            stack.start_pool().wait_ready()
            import bench_flows

            figures = asyncio.run(measure(bench_flows, dsn, repeat, scale))
    if json_path is not None:
        json_path.write_text(
            json.dumps({"facts": facts, "figures": [vars(figure) for figure in figures]}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
