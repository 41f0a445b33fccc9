"""What is wrong, or special, about calls: methods, classes, awaiting, run_action, generator arguments."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING

from waymark.compiler.bindings import Action, Form, Helper, Library, UserClass
from waymark.compiler.resolve import library
from waymark.compiler.resolve.names import near
from waymark.compiler.resolve.statics import PATTERN_HELP, Refusal, Typing
from waymark.compiler.resolve.workflow_class import Primitive
from waymark.program.patterns import UnboundedPattern, examine
from waymark.values.classes import ClassKind

if TYPE_CHECKING:
    from waymark.compiler.resolve.functions import FunctionResolver

_EAGER = frozenset({"list", "tuple", "set", "frozenset", "dict", "sum", "sorted", "min", "max"})
"""Consume a generator completely before anything else can happen."""

_GENERATOR_FORMS = {"any": Form.ANY, "all": Form.ALL, "list": Form.LIST, "set": Form.SET, "tuple": Form.TUPLE}

_NEVER_AWAITABLE = frozenset(
    [
        "abs",
        "bool",
        "bytes",
        "dict",
        "enumerate",
        "float",
        "format",
        "frozenset",
        "hash",
        "int",
        "isinstance",
        "len",
        "list",
        "print",
        "range",
        "repr",
        "round",
        "set",
        "sorted",
        "str",
        "tuple",
        "zip",
    ]
)

PLAIN_RESULTS = (
    ast.Constant,
    ast.JoinedStr,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.Compare,
    ast.BinOp,
    ast.UnaryOp,
)
"""Expressions whose value is never an awaitable."""


class CallChecks:
    """The calls of one function."""

    def __init__(self, resolver: FunctionResolver) -> None:
        self._resolver = resolver

    def visit(self, node: ast.Call) -> None:
        """Resolve a call with its arguments."""
        resolver = self._resolver
        callee = resolver.static(node.func)
        match callee:
            case Primitive("run_action"):
                self._run_action(node)
                return
            case Typing(value) if getattr(value, "__name__", "") == "cast":
                self._cast(node)
                return
            case Library(name):
                self._library_call(node, name)
            case UserClass(info) if info.kind is ClassKind.PLAIN:
                file = getattr(sys.modules.get(info.key.module), "__file__", None)
                is_installed = library.is_installed(file or "")
                resolver.report(
                    node,
                    "WM135",
                    f"class `{info.key.qualname}` is neither a dataclass, a pydantic model, an enum nor an exception",
                    "use it in an @action and return plain data" if is_installed else "make it a dataclass",
                )
            case None if isinstance(node.func, ast.Attribute):
                self._method_call(node, node.func)
        resolver.visit_children(node)

    def _library_call(self, node: ast.Call, name: str) -> None:
        first = node.args[0] if node.args else None
        if isinstance(first, ast.GeneratorExp):
            alone = len(node.args) == 1 and not node.keywords
            if name in _EAGER or (name in _GENERATOR_FORMS and alone):
                self._resolver.permit(first)
            if name in _GENERATOR_FORMS and alone:
                self._resolver.set_form(node, _GENERATOR_FORMS[name])
        if name == "datetime.datetime.now" and not node.args and not node.keywords:
            self._resolver.report(
                node,
                "WM170",
                f"`{ast.unparse(node)}` asks for the time zone of the host",
                "write `datetime.now(timezone.utc)`, or name another zone",
            )
        if name.startswith("re."):
            self._pattern(node)
        if name == "print":
            self._print(node)
        if name in ("isinstance", "issubclass") and len(node.args) == 2:
            self._union(node.args[1])

    def _pattern(self, node: ast.Call) -> None:
        """A pattern that stands in the call; its flags are known in the run only, and make few patterns worse."""
        given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "pattern")]
        if not given or not isinstance(given[0], ast.Constant) or not isinstance(given[0].value, str | bytes):
            return
        try:
            examine(given[0].value)
        except UnboundedPattern as reason:
            self._resolver.report(given[0], "WM171", f"`{ast.unparse(given[0])}`: {reason}", PATTERN_HELP)
        except (re.error, OverflowError):
            return  # so Python says when it runs

    def _print(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            is_none = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
            if keyword.arg == "file" and not is_none:
                self._resolver.report(
                    keyword,
                    "WM132",
                    "`print(file=...)` talks to the outside",
                    "leave out `file=`: print writes to the log of the run; write files in an @action",
                )

    def _union(self, node: ast.expr) -> None:
        """Mark `A | B | None` as a tuple of classes; nested ones too."""
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.BitOr):
            return
        parts = union_parts(node)
        if all(
            (isinstance(part, ast.Constant) and part.value is None)
            or isinstance(self._resolver.static(part), Library | UserClass)
            for part in parts
        ):
            self._resolver.set_form(node, Form.UNION)

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> None:
        name = function.attr
        if name == "join" and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            self._resolver.permit(node.args[0])
        if (
            self._resolver.is_self(function.value)
            or name in library.METHOD_NAMES
            or (name.startswith("__") and name.endswith("__"))
            or self._is_refused(function.value)
        ):
            return
        self._resolver.method_calls.append(function)

    def _is_refused(self, node: ast.expr) -> bool:
        """Whether a receiver has been reported already, so that its method need not be."""
        root = node.func if isinstance(node, ast.Call) else node
        return isinstance(self._resolver.static(root), Refusal)

    def _cast(self, node: ast.Call) -> None:
        if len(node.args) == 2 and not node.keywords and _is_type_expression(node.args[0]):
            self._resolver.set_form(node, Form.CAST)
            self._resolver.visit(node.args[1])
        else:
            self._resolver.report(
                node, "WM143", "`cast` needs a type and a value", "write `cast(SomeType, value)`"
            )

    def _run_action(self, node: ast.Call) -> None:
        resolver = self._resolver
        resolver.set_form(node, Form.RUN_ACTION)
        help = "write `await self.run_action(some_action(...), retry=RetryPolicy(...), timeout=seconds)`"
        if len(node.args) != 1 or isinstance(node.args[0], ast.Starred):
            resolver.report(node, "WM142", "`self.run_action` takes one action call", help)
        elif not self._may_be_action_call(node.args[0]):
            resolver.report(
                node.args[0],
                "WM142",
                f"`{ast.unparse(node.args[0])}` is not a call of an @action",
                help,
            )
        for keyword in node.keywords:
            if keyword.arg not in ("retry", "timeout"):
                shown = f"keyword `{keyword.arg}`" if keyword.arg else "`**`"
                hint = near(keyword.arg or "", ("retry", "timeout"))
                resolver.report(keyword, "WM142", f"`self.run_action` does not take {shown}", hint or help)
        for argument in node.args:
            resolver.visit(argument)
        for keyword in node.keywords:
            resolver.visit(keyword.value)

    def _may_be_action_call(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return not isinstance(self._resolver.static(node.func), Helper | Library | UserClass | Primitive)
        return not isinstance(node, (*PLAIN_RESULTS, ast.Await)) and not isinstance(
            self._resolver.static(node), Action | Helper | Library | UserClass
        )

    # Awaiting.

    def check_statement(self, node: ast.expr) -> None:
        """An expression statement must not drop an awaitable."""
        if self._is_awaitable(node):
            assert isinstance(node, ast.Call)
            self._resolver.report(
                node,
                "WM140",
                f"`{ast.unparse(node.func)}(...)` is not awaited, so it would never run",
                f"write `await {ast.unparse(node.func)}(...)`",
            )

    def _is_awaitable(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call):
            return False
        match self._resolver.static(node.func):
            case Action() | Primitive("run_action"):
                return True
            case Helper(is_async=is_async):
                return is_async
            case Library(name):
                return name in library.AWAITABLE_FUNCTIONS
            case _:
                return False

    def check_await(self, node: ast.Await) -> None:
        """What is awaited must be able to be."""
        value = node.value
        shown = ast.unparse(value) if isinstance(value, ast.Name | ast.Attribute) else "this"
        if isinstance(value, PLAIN_RESULTS):
            self._refuse_await(value, "a plain value cannot be awaited", "leave out `await`")
            return
        if isinstance(value, ast.Call):
            callee = self._resolver.static(value.func)
            name = ast.unparse(value.func) if isinstance(value.func, ast.Name | ast.Attribute) else "it"
            if isinstance(callee, Helper) and not callee.is_async:
                if not self._resolver.gives_plain_values(callee):
                    return
                self._refuse_await(
                    value,
                    f"`{name}` is not async, so its result cannot be awaited",
                    f"leave out `await`, or write `async def {name.rpartition('.')[2]}`",
                )
            elif isinstance(callee, UserClass) or (
                isinstance(callee, Library) and callee.name in _NEVER_AWAITABLE
            ):
                self._refuse_await(
                    value, f"the result of `{name}(...)` cannot be awaited", "leave out `await`"
                )
            return
        if isinstance(self._resolver.static(value), Action | Helper | Library | UserClass):
            self._refuse_await(value, f"`{shown}` is not called", f"write `await {shown}(...)`")

    def _refuse_await(self, node: ast.expr, message: str, help: str) -> None:
        self._resolver.report(node, "WM141", message, help)


def union_parts(node: ast.expr) -> list[ast.expr]:
    """The classes of `A | B | C`, left to right."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*union_parts(node.left), *union_parts(node.right)]
    return [node]


def _is_type_expression(node: ast.expr) -> bool:
    """Whether evaluating a type has no effect, so that it can be left out."""
    allowed = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.BinOp, ast.Tuple, ast.List)
    skipped = (ast.expr_context, ast.operator)
    return all(isinstance(part, allowed + skipped) for part in ast.walk(node))
