"""Arguments to parameters, with CPython's own rules and error messages.

For each signature a host function without a body is made whose only job is to be called: CPython binds, or raises the TypeError that the user
would have seen. Parameter names are checked to be identifiers before any text is made of them.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Sequence
from typing import Any

from waymark.errors import ProgramError
from waymark.program.program import Parameter, ParameterKind

DEFAULT = object()
"""Stands in a bound list for a parameter that takes its default."""

Binder = Callable[..., list[Any]]


def make_binder(qualname: str, parameters: Sequence[Parameter]) -> Binder:
    """A function that takes a call's arguments and returns them in the order of the parameters.

    Raises:
        ProgramError: A parameter name is no identifier, or the kinds are out of order.
    """
    parts: list[str] = []
    seen_star = False
    for position, parameter in enumerate(parameters):
        if (
            not parameter.name.isidentifier()
            or keyword.iskeyword(parameter.name)
            or parameter.name.startswith("_waymark")
        ):
            raise ProgramError(f"{qualname} has a parameter named {parameter.name!r}")
        text = parameter.name if parameter.default is None else f"{parameter.name}=_waymark_default"
        match parameter.kind:
            case ParameterKind.VAR_POSITIONAL:
                text, seen_star = f"*{parameter.name}", True
            case ParameterKind.VAR_KEYWORD:
                text = f"**{parameter.name}"
            case ParameterKind.KEYWORD_ONLY if not seen_star:
                parts.append("*")
                seen_star = True
            case _:
                pass
        parts.append(text)
        following = parameters[position + 1 : position + 2]
        if parameter.kind is ParameterKind.POSITIONAL_ONLY and not (
            following and following[0].kind is ParameterKind.POSITIONAL_ONLY
        ):
            parts.append("/")
    names = "".join(f"{parameter.name}, " for parameter in parameters)
    source = f"def _waymark_bind({', '.join(parts)}):\n    return [{names}]\n"
    namespace: dict[str, Any] = {"_waymark_default": DEFAULT}
    try:
        exec(compile(source, "<signature>", "exec"), namespace)
    except SyntaxError as error:
        raise ProgramError(f"{qualname} has a damaged signature: {error.msg}") from None
    binder: Any = namespace["_waymark_bind"]
    binder.__name__ = qualname.rpartition(".")[2]
    binder.__qualname__ = qualname
    return binder  # type: ignore[no-any-return]
