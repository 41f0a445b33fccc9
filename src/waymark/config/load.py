"""The environment becomes settings records; what is set but cannot be honoured is a `ConfigError`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from waymark.config.parsers import Refused
from waymark.config.table import NOT_YET, PREFIX, TABLE, Program, Variable
from waymark.errors import ConfigError
from waymark.model.settings import BridgeSettings, ClientSettings, StartWorkersSettings

_HOW_TO_SET_DATABASE = "is not set; set it to postgresql://user:password@host:5432/database"


def load_start_workers(environment: Mapping[str, str]) -> StartWorkersSettings:
    """Settings of `waymark-start-workers`.

    Raises:
        ConfigError: The first variable that cannot be honoured.
    """
    settings = StartWorkersSettings(**_read(Program.START_WORKERS, environment))
    if settings.lock_ttl_ms < 2 * settings.lock_heartbeat_ms:
        raise ConfigError(
            "WAYMARK_LOCK_TTL_MS",
            f"must be at least 2 times WAYMARK_LOCK_HEARTBEAT_MS ({settings.lock_heartbeat_ms}), "
            f"got {settings.lock_ttl_ms}; write {2 * settings.lock_heartbeat_ms}, or lower the heartbeat",
        )
    if settings.webapp_enabled:
        raise ConfigError(
            "WAYMARK_WEBAPP_ENABLED",
            "cannot be honoured, this release has no web page yet; unset it, or write 0",
        )
    return settings


def load_bridge(environment: Mapping[str, str]) -> BridgeSettings:
    """Settings of `waymark-bridge`.

    Raises:
        ConfigError: The first variable that cannot be honoured.
    """
    settings = BridgeSettings(**_read(Program.BRIDGE, environment))
    if settings.database_url is None and not settings.bridge_in_memory:
        raise ConfigError(
            "WAYMARK_DATABASE_URL", f"{_HOW_TO_SET_DATABASE}, or set WAYMARK_BRIDGE_IN_MEMORY=1"
        )
    if not settings.bridge_grpc_addr.is_loopback and settings.bridge_token is None:
        raise ConfigError(
            "WAYMARK_BRIDGE_GRPC_ADDR",
            "must be a loopback address unless WAYMARK_BRIDGE_TOKEN is set, "
            f'got "{settings.bridge_grpc_addr}"; '
            f"set the token, or write 127.0.0.1:{settings.bridge_grpc_addr.port}",
        )
    return settings


def load_client(environment: Mapping[str, str]) -> ClientSettings:
    """Settings of the SDK and of the boot helper.

    Raises:
        ConfigError: The first variable that cannot be honoured.
    """
    values = _read(Program.CLIENT, environment)
    # Only the default of another variable; nobody reads it later.
    del values["bridge_base_port"]
    return ClientSettings(**values)


def load_log_level(environment: Mapping[str, str]) -> str:
    """`WAYMARK_LOG_LEVEL` alone, for programs that need nothing else.

    Raises:
        ConfigError: It names no level.
    """
    (variable,) = (variable for variable in TABLE if variable.name == "WAYMARK_LOG_LEVEL")
    level: str = _value(variable, environment.get(variable.name, "").strip(), {})
    return level


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """One warning for each `WAYMARK_*` variable that is set and that no program of this release acts on."""
    known = sorted({variable.name for variable in TABLE})
    warnings = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            hint = f"; did you mean {near[0]}?" if near else ""
            warnings.append(f"config: {name} is not a variable of this release and has no effect{hint}")
        elif name in NOT_YET and environment[name].strip():
            warnings.append(f"config: {name} has no effect yet: what it is for comes with a later release")
    return warnings


def _read(program: Program, environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable in TABLE:
        if program in variable.programs:
            values[variable.field] = _value(variable, environment.get(variable.name, "").strip(), values)
    return values


def _value(variable: Variable, text: str, values: Mapping[str, Any]) -> Any:
    if not text:
        if variable.required:
            raise ConfigError(variable.name, _HOW_TO_SET_DATABASE)
        if variable.derive is not None:
            return variable.derive(values)
        if variable.default is None:
            return None
        text = variable.default
    try:
        return variable.parse(text)
    except Refused as refusal:
        got = "" if variable.is_secret else f', got "{_printable(text)}"'
        hint = f"; write {refusal.hint}" if refusal.hint else ""
        raise ConfigError(variable.name, f"must be {refusal.accepted}{got}{hint}") from None


def _printable(text: str) -> str:
    shown = text if len(text) <= 200 else text[:200] + "..."
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
