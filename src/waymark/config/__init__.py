"""The environment becomes settings records, or an error with variable, value and what is accepted."""

from waymark.config.load import (
    load_bridge,
    load_client,
    load_log_level,
    load_start_workers,
    unknown_variables,
)
from waymark.config.table import TABLE, Program, Variable

__all__ = [
    "TABLE",
    "Program",
    "Variable",
    "load_bridge",
    "load_client",
    "load_log_level",
    "load_start_workers",
    "unknown_variables",
]
