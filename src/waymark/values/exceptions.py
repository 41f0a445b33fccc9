"""What travels with an exception besides its arguments: traceback of the worker, call stack of the workflow."""

from __future__ import annotations

import traceback

TRACEBACK = "__waymark_traceback__"
"""Attribute with the traceback text of the process that raised the exception."""

TRACE = "__waymark_trace__"
"""Attribute with the workflow's own call stack, outermost last: list of (file, line, function)."""

MESSAGE = "__waymark_message__"
"""Attribute with `str(exception)` where the class formats itself."""

BUILTIN_TEXT = "__waymark_builtin_text__"
"""Marks the `__str__` of a stand-in, which gives what the builtin class gives."""

HIDDEN = frozenset({TRACEBACK, TRACE, MESSAGE})
"""Attributes that are ours, not the user's."""

_TRACEBACK_LIMIT = 32_768

_SLOTS: tuple[tuple[type[BaseException], tuple[str, ...]], ...] = (
    (OSError, ("filename", "filename2")),
    (ImportError, ("name", "path")),
    (NameError, ("name",)),
    (AttributeError, ("name",)),
)
"""What builtin classes keep beside `args` and the attributes: the path in "[Errno 2] No such file or directory: 'a'"."""


def attributes_of(exception: BaseException) -> dict[str, object]:
    """The attributes a user, or Python itself, set on an exception (not `args`)."""
    found = {
        name: value
        for name, value in vars(exception).items()
        if name not in HIDDEN and name != "__notes__" and isinstance(name, str)
    }
    for name in slots_of(exception):
        value = getattr(exception, name)
        if value is not None:
            found[name] = value
    return found


def set_attributes(exception: BaseException, attributes: dict[str, object]) -> None:
    """Give an exception the attributes that `attributes_of` found."""
    slots = slots_of(exception)
    for name, value in attributes.items():
        if name in slots:
            setattr(exception, name, value)
        else:
            vars(exception)[name] = value


def slots_of(exception: BaseException) -> tuple[str, ...]:
    """Names that the builtin class of an exception keeps by itself."""
    return tuple(name for cls, names in _SLOTS if isinstance(exception, cls) for name in names)


def traceback_of(exception: BaseException) -> str:
    """Traceback text: what came with the exception, or else that of this process. At most 32 KiB."""
    known = vars(exception).get(TRACEBACK)
    if isinstance(known, str):
        return known
    if exception.__traceback__ is None:
        return ""
    try:
        text = "".join(traceback.format_exception(exception, limit=64))
    except Exception as error:  # user code: __str__, __repr__ of anything in the chain
        text = f"(the traceback could not be formatted: {type(error).__name__})\n"
    return text if len(text) <= _TRACEBACK_LIMIT else text[:_TRACEBACK_LIMIT] + "\n... (cut)\n"


def own_message(exception: BaseException) -> str | None:
    """`str(exception)` where a class formats itself; None where the builtin rules give it from `args`."""
    known = vars(exception).get(MESSAGE)
    if isinstance(known, str):
        return known
    for cls in type(exception).__mro__:
        method = vars(cls).get("__str__")
        if method is not None:
            if cls.__module__ == "builtins" or hasattr(method, BUILTIN_TEXT):
                return None
            break
    try:
        return str(exception)
    except Exception as error:  # user code
        return f"<{type(error).__name__} in __str__>"
