"""What `with` and `async with` can enter, as far as the text shows it; the machine refuses the rest in CPython's words."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from waymark.compiler.bindings import Action, Library, UserClass

if TYPE_CHECKING:
    from waymark.compiler.resolve.functions import FunctionResolver

_BOTH = frozenset({"contextlib.nullcontext"})
_PLAIN = frozenset({"contextlib.suppress"}) | _BOTH
_ASYNC = _BOTH | {
    "asyncio.Barrier",
    "asyncio.BoundedSemaphore",
    "asyncio.Condition",
    "asyncio.Lock",
    "asyncio.Semaphore",
    "asyncio.TaskGroup",
    "asyncio.timeout",
    "asyncio.timeout_at",
}
_HELP = "use try/finally, or move it into an @action and await it"


def check_manager(resolver: FunctionResolver, item: ast.withitem, is_async: bool) -> None:
    """Report a manager that can never be entered in this way."""
    node = item.context_expr
    if not isinstance(node, ast.Call):
        return
    keyword, code = ("async with", "WM112") if is_async else ("with", "WM110")
    shown = ast.unparse(node.func)
    match resolver.static(node.func):
        case Library(name) if name in (_PLAIN if is_async else _ASYNC) and name not in _BOTH:
            other = "with" if is_async else "async with"
            resolver.report(
                node,
                code,
                f"`{shown}(...)` cannot be entered by `{keyword}`",
                f"write `{other} {shown}(...)`",
            )
        case Library(name) if name not in _PLAIN | _ASYNC:
            resolver.report(node, code, f"`{keyword}` cannot enter the result of `{shown}(...)`", _HELP)
        case Action():
            resolver.report(node, code, f"`{keyword}` cannot enter the action `{shown}(...)`", _HELP)
        case UserClass(info):
            resolver.report(
                node,
                code,
                f"`{keyword}` would run code of the class `{info.key.qualname}`, which a workflow cannot",
                _HELP,
            )
