"""What programs may use of Python's library: the contract between compiler and VM.

`FUNCTIONS` and `CLASSES` are reached by `BUILTIN name`; `METHODS` are the methods of builtin types that `ATTR` gives.
A test proves that the VM implements every name, and that nothing else is reachable.
"""

from __future__ import annotations

FUNCTIONS: frozenset[str] = frozenset(
    {
        "abs", "all", "any", "ascii", "bin", "callable", "chr", "divmod", "enumerate", "filter", "format", "getattr",
        "hasattr", "hex", "isinstance", "issubclass", "iter", "len", "map", "max", "min", "next", "oct", "ord", "pow",
        "repr", "reversed", "round", "sorted", "sum", "zip",
        "asyncio.gather", "asyncio.sleep",
        "math.ceil", "math.floor", "math.sqrt", "math.isnan", "math.isinf", "math.prod", "math.gcd", "math.log", "math.exp",
        "math.trunc", "math.fabs", "math.isclose", "math.factorial", "math.log2", "math.log10", "math.sin", "math.cos", "math.pow",
    }
)  # fmt: skip
"""Functions by the name they are reached by: bare for builtins, `module.name` otherwise."""

EXCEPTIONS: frozenset[str] = frozenset(
    {
        "ArithmeticError", "AssertionError", "AttributeError", "BaseException", "BufferError", "ConnectionAbortedError",
        "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "EOFError", "Exception", "FileExistsError",
        "FileNotFoundError", "FloatingPointError", "ImportError", "IndexError", "InterruptedError", "IsADirectoryError",
        "KeyError", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError", "NotADirectoryError",
        "NotImplementedError", "OSError", "OverflowError", "PermissionError", "ProcessLookupError", "RecursionError",
        "ReferenceError", "RuntimeError", "StopAsyncIteration", "StopIteration", "SyntaxError", "SystemError",
        "TimeoutError", "TypeError", "UnboundLocalError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError",
        "ValueError", "ZeroDivisionError", "BrokenPipeError", "ChildProcessError", "BlockingIOError",
    }
)  # fmt: skip
"""Builtin exception classes."""

CLASSES: frozenset[str] = EXCEPTIONS | frozenset(
    {
        "bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "range", "set", "slice", "str",
        "tuple", "type",
        "asyncio.CancelledError",
        "dataclasses.FrozenInstanceError",
        "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
        "decimal.Decimal", "pathlib.Path", "pathlib.PurePosixPath", "uuid.UUID",
        "waymark.ActionError", "waymark.ActionLost", "waymark.ActionTimeout", "waymark.ExhaustedRetriesError",
        "waymark.RetryPolicy", "waymark.WaymarkError", "waymark.ValueEncodingError",
    }
)  # fmt: skip
"""Classes by the name they are reached by; usable in calls, isinstance and except."""

METHODS: dict[str, frozenset[str]] = {
    "str": frozenset(
        {
            "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format", "index", "isalnum",
            "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace",
            "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace",
            "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
            "swapcase", "title", "upper", "zfill",
        }
    ),
    "bytes": frozenset({"decode", "hex", "startswith", "endswith", "find", "split", "strip", "join", "replace", "count"}),
    "list": frozenset(
        {"append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"}
    ),
    "tuple": frozenset({"count", "index"}),
    "dict": frozenset(
        {"clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"}
    ),
    "set": frozenset(
        {
            "add", "clear", "copy", "difference", "difference_update", "discard", "intersection", "intersection_update",
            "isdisjoint", "issubset", "issuperset", "pop", "remove", "symmetric_difference", "symmetric_difference_update",
            "union", "update",
        }
    ),
    "frozenset": frozenset(
        {"copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"}
    ),
    "int": frozenset({"as_integer_ratio", "bit_count", "bit_length", "conjugate", "to_bytes"}),
    "float": frozenset({"as_integer_ratio", "conjugate", "hex", "is_integer"}),
    "bool": frozenset({"bit_length"}),
    "datetime": frozenset({"isoformat", "date", "time", "timestamp", "replace", "weekday", "strftime", "astimezone"}),
    "date": frozenset({"isoformat", "replace", "weekday", "strftime"}),
    "time": frozenset({"isoformat", "replace", "strftime"}),
    "timedelta": frozenset({"total_seconds"}),
    "Decimal": frozenset({"quantize", "is_nan", "is_finite", "to_integral_value"}),
    "UUID": frozenset(),
    "Path": frozenset({"joinpath", "with_name", "with_suffix", "as_posix", "is_absolute"}),
    "BaseException": frozenset({"add_note", "with_traceback"}),
}  # fmt: skip
"""Methods by type name. Types that are subclasses (bool of int, datetime of date) also have their base's."""

ATTRIBUTES: dict[str, frozenset[str]] = {
    "int": frozenset({"real", "imag", "numerator", "denominator"}),
    "float": frozenset({"real", "imag"}),
    "complex": frozenset({"real", "imag"}),
    "datetime": frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}),
    "date": frozenset({"year", "month", "day"}),
    "time": frozenset({"hour", "minute", "second", "microsecond", "tzinfo"}),
    "timedelta": frozenset({"days", "seconds", "microseconds"}),
    "UUID": frozenset({"hex", "int", "bytes", "version"}),
    "Path": frozenset({"name", "stem", "suffix", "parent", "parts"}),
    "range": frozenset({"start", "stop", "step"}),
    "slice": frozenset({"start", "stop", "step"}),
    "BaseException": frozenset({"args", "__cause__", "__context__", "__notes__"}),
    "enum": frozenset({"name", "value"}),
    "type": frozenset({"__name__", "__qualname__", "__module__"}),
}
"""Data attributes by type name, besides the fields of user classes and the attributes set on exceptions."""

MATH_CONSTANTS: frozenset[str] = frozenset({"math.pi", "math.e", "math.inf", "math.nan", "math.tau"})
"""Module attributes that the compiler folds into constants."""
