"""Settings as frozen records, one per program; `waymark.config` fills them from the environment.

A field is named after its variable: `WAYMARK_LOCK_TTL_MS` is `lock_ttl_ms`. `None` means unset.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

REDACTED: Final = "[redacted]"


class Secret:
    """Text that never shows itself: not in `repr`, not in `str`, not in a log line.

    `reveal()` is the only way to the text; call it where it is used, not before.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret cannot be pickled; pass the environment variable on instead")


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address. `str()` gives `host:port`, with brackets around an IPv6 host."""

    host: str
    """Name or address, without brackets."""
    port: int
    """0 to 65535; 0 lets the system choose."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWorkersSettings:
    """What `waymark-start-workers` is told."""

    database_url: Secret
    worker_count: int
    concurrent_per_worker: int
    max_concurrent_instances: int
    executor_shards: int
    user_module: tuple[str, ...]
    max_action_lifecycle: int | None
    webapp_enabled: bool
    webapp_addr: Address
    webapp_token: Secret | None
    worker_grpc_addr: Address
    worker_command: tuple[str, ...] | None
    poll_interval_ms: int
    instance_done_batch_size: int
    persist_interval_ms: int
    lock_ttl_ms: int
    lock_heartbeat_ms: int
    evict_sleep_threshold_ms: int
    expired_lock_reclaimer_interval_ms: int
    expired_lock_reclaimer_batch_size: int
    scheduler_poll_interval_ms: int
    scheduler_batch_size: int
    runner_profile_interval_ms: int
    garbage_collector_retention_hours: int
    garbage_collector_interval_ms: int
    garbage_collector_batch_size: int
    log_level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings:
    """What `waymark-bridge` is told."""

    bridge_grpc_addr: Address
    bridge_in_memory: bool
    database_url: Secret | None
    """None only in memory mode."""
    bridge_token: Secret | None
    log_level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What the SDK and the boot helper are told."""

    boot_command: tuple[str, ...] | None
    boot_binary: str
    bridge_grpc_addr: Address | None
    """Set: connect there, boot nothing."""
    bridge_grpc_host: str
    bridge_grpc_port: int
    """Base port; the helper probes upward from it."""
    bridge_in_memory: bool
    bridge_token: Secret | None
    database_url: Secret | None
    """The database that the bridge must serve; the SDK itself never connects to it."""
    skip_wait_for_instance: bool
    log_level: str


def describe(settings: StartWorkersSettings | BridgeSettings | ClientSettings) -> str:
    """All effective values as `name=value` in one line, secrets redacted."""
    parts = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, tuple):
            value = ",".join(value)
        elif isinstance(value, bool):
            value = str(value).lower()
        parts.append(f"{field.name}={'unset' if value is None or value == '' else value}")
    return " ".join(parts)
