"""Every `WAYMARK_*` variable: the one table from which settings, `--help` and the reference page are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from waymark.config import parsers
from waymark.config.cpu import cpu_count
from waymark.config.parsers import Parser, whole

PREFIX = "WAYMARK_"


class Program(StrEnum):
    """Who reads a variable."""

    START_WORKERS = "waymark-start-workers"
    BRIDGE = "waymark-bridge"
    CLIENT = "SDK, boot helper"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as one program reads it."""

    name: str
    programs: tuple[Program, ...]
    parse: Parser
    meaning: str
    """What it does, as a sentence of the reference page."""
    default: str | None = None
    """Text that stands for unset; None: the value is None, or `derive`d."""
    derive: Callable[[Mapping[str, Any]], Any] | None = None
    """Makes the default from the values of the variables before this one, by field name."""
    shown: str = ""
    """How the default reads on the page, where it is not a plain text."""
    required: bool = False
    """Unset stops the program."""
    is_secret: bool = False
    """Its value never appears in an error."""

    @property
    def field(self) -> str:
        """Name of the settings field."""
        return self.name.removeprefix(PREFIX).lower()

    @property
    def default_shown(self) -> str:
        """The default as people read it."""
        return self.shown or ("required" if self.required else self.default or "unset")


_POOL = (Program.START_WORKERS,)
_BRIDGE = (Program.BRIDGE,)
_CLIENT = (Program.CLIENT,)
_ALL = (Program.START_WORKERS, Program.BRIDGE, Program.CLIENT)
_SERVERLESS = (Program.BRIDGE, Program.CLIENT)

_BASE_PORT = "24117"


def _cpus(_: Mapping[str, Any]) -> int:
    return cpu_count()


def _base_port(environment_values: Mapping[str, Any]) -> int:
    base: int | None = environment_values["bridge_base_port"]
    return int(_BASE_PORT) if base is None else base


TABLE: tuple[Variable, ...] = (
    Variable(
        "WAYMARK_DATABASE_URL",
        _POOL,
        parsers.dsn,
        required=True,
        is_secret=True,
        meaning="PostgreSQL DSN (14 or later) of all runtime state.",
    ),
    Variable(
        "WAYMARK_DATABASE_URL",
        _SERVERLESS,
        parsers.dsn,
        is_secret=True,
        shown="required unless in memory",
        meaning="PostgreSQL DSN that the bridge serves.",
    ),
    Variable(
        "WAYMARK_WORKER_COUNT",
        _POOL,
        whole(1, 10_000),
        derive=_cpus,
        shown="CPU count",
        meaning="Python worker processes. The CPU count respects affinity and cgroup quota.",
    ),
    Variable(
        "WAYMARK_CONCURRENT_PER_WORKER", _POOL, whole(1, 100_000), "Actions at once in one worker.", "10"
    ),
    Variable(
        "WAYMARK_MAX_CONCURRENT_INSTANCES",
        _POOL,
        whole(1),
        "Instances in memory over all shards together.",
        "500",
    ),
    Variable(
        "WAYMARK_EXECUTOR_SHARDS",
        _POOL,
        whole(1, 10_000),
        derive=_cpus,
        shown="CPU count",
        meaning="Executor shard processes.",
    ),
    Variable(
        "WAYMARK_USER_MODULE",
        _POOL,
        parsers.modules,
        default="",
        shown="unset",
        meaning="Comma-separated modules every worker imports before it takes work; one that fails to import "
        "stops start-up with its traceback. Unset: modules are imported when an action first needs them.",
    ),
    Variable(
        "WAYMARK_MAX_ACTION_LIFECYCLE",
        _POOL,
        whole(1),
        "Actions a worker runs before it is replaced; the new one is ready before the old one stops.",
    ),
    Variable("WAYMARK_WEBAPP_ENABLED", _POOL, parsers.boolean, "Serve the web UI.", "false"),
    Variable("WAYMARK_WEBAPP_ADDR", _POOL, parsers.address, "Bind address of the web UI.", "0.0.0.0:24119"),
    Variable(
        "WAYMARK_WEBAPP_TOKEN",
        _POOL,
        parsers.secret,
        is_secret=True,
        shown="generated",
        meaning="Login token of the web UI; a generated one is printed once at start as a ready link.",
    ),
    Variable(
        "WAYMARK_WORKER_GRPC_ADDR",
        _POOL,
        parsers.address,
        default="127.0.0.1:24118",
        meaning="Bind address of the gRPC server the Python workers attach to; port 0 picks a free one.",
    ),
    Variable(
        "WAYMARK_WORKER_COMMAND",
        _POOL,
        parsers.command,
        "Command (shell words) that starts a Python worker, for a pool that runs from a frozen executable.",
    ),
    Variable(
        "WAYMARK_POLL_INTERVAL_MS",
        _POOL,
        parsers.milliseconds,
        default="100",
        meaning="Longest wait between looks at the queue when no wake-up arrives.",
    ),
    Variable(
        "WAYMARK_INSTANCE_DONE_BATCH_SIZE",
        _POOL,
        whole(1),
        shown="value of WAYMARK_MAX_CONCURRENT_INSTANCES",
        derive=lambda values: values["max_concurrent_instances"],
        meaning="Most finished instances in one persistence statement.",
    ),
    Variable(
        "WAYMARK_PERSIST_INTERVAL_MS",
        _POOL,
        parsers.milliseconds,
        default="500",
        meaning="Longest time any pending write other than a result may wait before it is flushed.",
    ),
    Variable(
        "WAYMARK_LOCK_TTL_MS",
        _POOL,
        parsers.milliseconds,
        default="15000",
        meaning="Life of a lease that is not renewed. Must be at least 2 times the heartbeat.",
    ),
    Variable("WAYMARK_LOCK_HEARTBEAT_MS", _POOL, parsers.milliseconds, "Lease renewal interval.", "5000"),
    Variable(
        "WAYMARK_EVICT_SLEEP_THRESHOLD_MS",
        _POOL,
        parsers.milliseconds,
        default="10000",
        meaning="A run that waits longer than this, with nothing in flight, leaves memory until it is due.",
    ),
    Variable(
        "WAYMARK_EXPIRED_LOCK_RECLAIMER_INTERVAL_MS",
        _POOL,
        parsers.milliseconds,
        default="15000",
        meaning="Sweep that clears ownership of dead processes (claims see expired leases without it).",
    ),
    Variable(
        "WAYMARK_EXPIRED_LOCK_RECLAIMER_BATCH_SIZE",
        _POOL,
        whole(1),
        "Most instances cleared per sweep statement.",
        "1000",
    ),
    Variable(
        "WAYMARK_SCHEDULER_POLL_INTERVAL_MS",
        _POOL,
        parsers.milliseconds,
        "How often due schedules are looked for.",
        "1000",
    ),
    Variable("WAYMARK_SCHEDULER_BATCH_SIZE", _POOL, whole(1), "Most schedules fired per look.", "100"),
    Variable(
        "WAYMARK_RUNNER_PROFILE_INTERVAL_MS",
        _POOL,
        parsers.milliseconds,
        default="5000",
        meaning="How often throughput, latency and in-flight figures are published to worker_status.",
    ),
    Variable(
        "WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS",
        _POOL,
        whole(0),
        default="24",
        meaning="How long a finished run is kept, counted from when it finished; 0 keeps for ever.",
    ),
    Variable(
        "WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS", _POOL, parsers.milliseconds, "Sweep interval.", "300000"
    ),
    Variable("WAYMARK_GARBAGE_COLLECTOR_BATCH_SIZE", _POOL, whole(1), "Runs deleted per statement.", "100"),
    Variable(
        "WAYMARK_BRIDGE_IN_MEMORY",
        _SERVERLESS,
        parsers.boolean,
        default="false",
        meaning="No PostgreSQL: the engine runs in the bridge over memory. For tests and development.",
    ),
    Variable(
        "WAYMARK_BRIDGE_GRPC_ADDR",
        _BRIDGE,
        parsers.address,
        default="127.0.0.1:24117",
        meaning="gRPC bind address. A non-loopback address needs WAYMARK_BRIDGE_TOKEN.",
    ),
    Variable(
        "WAYMARK_BRIDGE_GRPC_ADDR",
        _CLIENT,
        parsers.address,
        meaning="Explicit host:port to connect to; nothing is booted.",
    ),
    Variable(
        "WAYMARK_BRIDGE_TOKEN",
        _SERVERLESS,
        parsers.secret,
        is_secret=True,
        meaning="Shared secret for a bridge that other hosts reach; the SDK sends it.",
    ),
    Variable(
        "WAYMARK_BRIDGE_GRPC_HOST",
        _CLIENT,
        parsers.host,
        default="127.0.0.1",
        meaning="Host the boot helper probes and the SDK connects to.",
    ),
    Variable(
        "WAYMARK_BRIDGE_BASE_PORT", _CLIENT, parsers.port, "Used when WAYMARK_BRIDGE_GRPC_PORT is unset."
    ),
    Variable(
        "WAYMARK_BRIDGE_GRPC_PORT",
        _CLIENT,
        parsers.port,
        derive=_base_port,
        shown=_BASE_PORT,
        meaning="Base port; the boot helper probes upward from it.",
    ),
    Variable(
        "WAYMARK_BOOT_COMMAND",
        _CLIENT,
        parsers.command,
        "Command (shell words) that boots the singleton bridge; --output-file PATH is appended.",
    ),
    Variable(
        "WAYMARK_BOOT_BINARY",
        _CLIENT,
        parsers.text,
        default="waymark-boot-singleton",
        meaning="Executable used when the command is unset: a path, or a name looked up beside the "
        "running Python and on PATH.",
    ),
    Variable(
        "WAYMARK_SKIP_WAIT_FOR_INSTANCE",
        _CLIENT,
        parsers.boolean,
        default="false",
        meaning="run() returns None as soon as the run is queued.",
    ),
    Variable("WAYMARK_LOG_LEVEL", _ALL, parsers.log_level, "Level of the waymark loggers.", "INFO"),
)
"""In the order of the reference page; a derived default may use the fields of the rows above it."""


NOT_YET: frozenset[str] = frozenset(
    {
        "WAYMARK_WEBAPP_ADDR",
        "WAYMARK_WEBAPP_TOKEN",
        "WAYMARK_SCHEDULER_POLL_INTERVAL_MS",
        "WAYMARK_SCHEDULER_BATCH_SIZE",
        "WAYMARK_RUNNER_PROFILE_INTERVAL_MS",
        "WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS",
        "WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS",
        "WAYMARK_GARBAGE_COLLECTOR_BATCH_SIZE",
    }
)
"""Variables of the contract that nothing in this release acts on; setting one is answered by a warning."""
