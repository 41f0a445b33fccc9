"""First pass: from a workflow class to the syntax trees of run() and every helper it can reach.

The text is parsed whole and by file, so positions are those of the file. It is compiled once to compare it with the
function that was imported: a file that was replaced under a running process must not become the program. A file that has not been touched
since this module was loaded, which is before any workflow is, may differ all the same: import hooks rewrite code. It is taken as it is.
"""

from __future__ import annotations

import ast
import linecache
import time
import types
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waymark.compiler.diagnostics import Findings

NATIVE_RUN_ATTRIBUTE = "__waymark_native_run__"
"""Where `@workflow` leaves the user's own run() on the function that replaces it."""

PRIMITIVE_ATTRIBUTE = "__waymark_primitive__"
"""Marks methods of `Workflow` that the compiler lowers itself; holds the name of the primitive."""

_LOADED_AT = time.time() - 1
"""Seconds since 1970; a second earlier for file systems with coarse times."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
CodeNode = FunctionNode | ast.Lambda | ast.GeneratorExp
"""Syntax that becomes a function of the program."""


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """One function of the workflow with its syntax tree."""

    name: str
    """Name it is called by on self."""
    label: str
    """Name with its class, as `CheckoutWorkflow.run`."""
    function: types.FunctionType
    node: CodeNode
    is_static: bool
    """It has no self: a staticmethod, a function of a module or one inside another."""
    owner: str
    """Name of the class it is written in, for private names (`__x`)."""
    file: str
    """Path as shown to people here and now."""
    program_file: str
    """Path kept in the program: the same wherever the program is compiled."""
    lines: tuple[str, ...]
    """The file's lines."""
    qualname: str
    """`__qualname__` of the function."""
    decorator: str = ""
    """Name of the builtin decorator that has been taken into account."""
    is_nested: bool = False
    """It is written inside another function of the program."""

    @property
    def defined_in(self) -> type | None:
        """The class whose body holds the method, known when it mentions `super`."""
        if "__class__" not in self.function.__code__.co_freevars:
            return None
        found = self.function.__closure__[self.function.__code__.co_freevars.index("__class__")].cell_contents  # type: ignore[index]
        return found if isinstance(found, type) else None

    @property
    def statements(self) -> list[ast.stmt]:
        """The body; that of a lambda returns its expression, a generator expression has none."""
        if isinstance(self.node, ast.GeneratorExp):
            return []
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(self.node.body), self.node.body)]
        return self.node.body

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def self_name(self) -> str | None:
        """Name of the first parameter, unless static or without parameters."""
        if self.is_static or isinstance(self.node, ast.GeneratorExp):
            return None
        positional = [*self.node.args.posonlyargs, *self.node.args.args]
        return positional[0].arg if positional else None

    def line_text(self, line: int) -> str:
        """A line of the file without its end."""
        return self.lines[line - 1].rstrip("\r\n") if 0 < line <= len(self.lines) else ""

    def column(self, line: int, byte_offset: int) -> int:
        """Column in characters, from 1, of a position given in UTF-8 bytes."""
        text = self.line_text(line)
        if text.isascii():
            return byte_offset + 1
        return len(text.encode()[:byte_offset].decode(errors="replace")) + 1

    def mangled(self, name: str) -> str:
        """The name as Python stores it: `__x` inside class C is `_C__x`."""
        if name.startswith("__") and not name.endswith("__") and self.owner.strip("_"):
            return f"_{self.owner.lstrip('_')}{name}"
        return name

    def text(self) -> str:
        """The function as written, decorators included."""
        first, last = _first_line(self.node), self.node.end_lineno or self.node.lineno
        return "".join(self.lines[first - 1 : last])


@dataclass(frozen=True, slots=True)
class _File:
    """One parsed file."""

    lines: tuple[str, ...]
    functions: dict[tuple[str, int], FunctionNode]
    """By name and first line, decorators included."""
    code: types.CodeType | None = field(repr=False)
    """To compare with what was imported; None when the file was not touched after this process began to load workflows."""


@dataclass(slots=True)
class Files:
    """The files read during one compilation, or during several of one moment."""

    _known: dict[str, _File | str] = field(default_factory=dict)

    def read(self, function: types.FunctionType) -> _File | str:
        """The file of a function, or why there is none."""
        name = function.__code__.co_filename
        if name not in self._known:
            self._known[name] = _parse(name, function.__globals__)
        return self._known[name]


@dataclass(frozen=True, slots=True)
class WorkflowSource:
    """A workflow class with run() and its helpers."""

    cls: type
    name: str
    functions: tuple[FunctionSource, ...]
    """run() first, helpers in order of first mention."""
    files: Files
    """Every file that was read."""


def workflow_name(cls: type) -> str:
    """`cls.name`, or the class name in lower case."""
    name = getattr(cls, "name", None)
    return name if isinstance(name, str) and name else cls.__name__.lower()


def own_run(cls: type) -> types.FunctionType | None:
    """The user's run(), also when `@workflow` has put its own in the place."""
    run = getattr(cls, "run", None)
    run = getattr(run, NATIVE_RUN_ATTRIBUTE, run)
    return run if isinstance(run, types.FunctionType) else None


def find_source(cls: type, findings: Findings, files: Files | None = None) -> WorkflowSource:
    """Find run() and, through `self.name` and `super().name`, every method it reaches."""
    run = own_run(cls)
    if run is None:
        raise TypeError(f"{cls.__qualname__} has no run() method; write `async def run(self, ...)`")
    files = files or Files()
    found: list[FunctionSource] = []
    waiting: list[tuple[str, types.FunctionType, bool]] = [("run", run, False)]
    asked = {run}
    while waiting:
        name, function, is_static = waiting.pop(0)
        source = locate(name, function, is_static, files, findings, "staticmethod" if is_static else "")
        if source is None:
            continue
        found.append(source)
        for mention, method in _methods_mentioned(cls, source):
            if method[0] not in asked:
                asked.add(method[0])
                waiting.append((mention, *method))
    return WorkflowSource(cls, workflow_name(cls), tuple(found), files)


def _methods_mentioned(
    cls: type, source: FunctionSource
) -> Iterator[tuple[str, tuple[types.FunctionType, bool]]]:
    attributes = [node for node in ast.walk(source.node) if isinstance(node, ast.Attribute)]
    for node in attributes:
        if isinstance(node.value, ast.Name) and node.value.id == source.self_name:
            name = source.mangled(node.attr)
            helper = find_helper(cls, name)
            if helper is not None:
                yield name, helper
    for node in attributes:
        if is_super_call(node.value):
            name = source.mangled(node.attr)
            method = method_of(value_after(cls, source.defined_in, name))
            if method is not None:
                yield name, method


def is_super_call(node: ast.AST) -> bool:
    """Whether a node is written `super()`."""
    match node:
        case ast.Call(func=ast.Name(id="super"), args=[], keywords=[]):
            return True
        case _:
            return False


def value_after(cls: type, owner: type | None, name: str) -> object:
    """What `super().name` finds in a method of `owner`, as it stands in a class body; None when nothing is found."""
    bases = cls.__mro__
    following = bases[bases.index(owner) + 1 :] if owner in bases else ()
    return next((vars(base)[name] for base in following if name in vars(base)), None)


def method_of(value: object) -> tuple[types.FunctionType, bool] | None:
    """The function behind an entry of a class body that would be compiled along, and whether it is static."""
    is_static = isinstance(value, staticmethod)
    function = value.__func__ if isinstance(value, staticmethod) else value
    function = getattr(function, NATIVE_RUN_ATTRIBUTE, function)
    if (
        not isinstance(function, types.FunctionType)
        or hasattr(function, PRIMITIVE_ATTRIBUTE)
        or hasattr(function, "__waymark_action__")
    ):
        return None
    return function, is_static


def find_helper(cls: type, name: str) -> tuple[types.FunctionType, bool] | None:
    """The method of this name that would be compiled along, and whether it is static."""
    if name == "run" or (name.startswith("__") and name.endswith("__")):
        return None
    return next((method_of(vars(base)[name]) for base in cls.__mro__ if name in vars(base)), None)


def text_of(functions: Iterable[FunctionSource]) -> str:
    """Source of functions, each under a comment with its file and first line; those inside others are part of them."""
    return "\n".join(
        f"# {source.program_file}:{_first_line(source.node)}\n{source.text()}"
        for source in functions
        if not source.is_nested
    )


def locate(
    name: str,
    function: types.FunctionType,
    is_static: bool,
    files: Files,
    findings: Findings,
    decorator: str = "",
) -> FunctionSource | None:
    """Find the syntax tree of a function; None with a finding when there is none to rely on."""
    code = function.__code__
    label = function.__qualname__.rpartition("<locals>.")[2]
    file = files.read(function)

    def fail(message: str, help: str, code_word: str = "WM101") -> None:
        findings.report_function(code, shown_path(code.co_filename), label, (code_word, message, help))

    if isinstance(file, str):
        code_word = "WM102" if file.startswith("nested") else "WM101"
        message = f"the source of {label} cannot be used: {file}"
        help = "define the workflow in a module file"
        if code_word == "WM102":
            help = "split the expression into several statements"
        fail(message, help, code_word)
        return None
    node = file.functions.get((code.co_name, code.co_firstlineno))
    if node is None:
        if code.co_name == "<lambda>":
            fail(f"{label} is a lambda", "write the method with `def`")
        else:
            fail(
                f"the source file does not hold {label} where it was imported from",
                "restart the process, so that code and file agree",
            )
        return None
    if file.code is not None and not _same_code(code, file.code, node):
        fail(
            f"the source of {label} changed after it was imported",
            "restart the process, so that code and file agree",
        )
        return None
    parts = label.split(".")
    return FunctionSource(
        name=name,
        label=label,
        function=function,
        node=node,
        is_static=is_static,
        owner=parts[-2] if len(parts) > 1 else "",
        file=shown_path(code.co_filename),
        program_file=_program_path(function),
        lines=file.lines,
        qualname=function.__qualname__,
        decorator=decorator,
    )


def _parse(filename: str, module_globals: dict[str, Any]) -> _File | str:
    linecache.checkcache(filename)
    lines = tuple(linecache.getlines(filename, module_globals))
    if not lines:
        return "there is no file behind it (a REPL, exec, or a module without source)"
    text = "".join(lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, filename)
            may_have_changed = _touched_at(filename) > _LOADED_AT
            code = compile(text, filename, "exec", dont_inherit=True) if may_have_changed else None
    except (RecursionError, MemoryError):
        return "nested too deeply to be parsed"
    except (SyntaxError, ValueError) as error:
        return f"its file does not parse any more ({error})"
    functions: dict[tuple[str, int], FunctionNode] = {
        (node.name, _first_line(node)): node
        for node in _statements(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return _File(lines, functions, code)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement of a file, without what is inside of expressions, which is most of it."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            parts = getattr(node, name, ())
            if isinstance(parts, list):
                waiting.extend(parts)


def _touched_at(filename: str) -> float:
    """When a file was last written or put in its place, in seconds since 1970; 0 when it is no file."""
    try:
        status = Path(filename).stat()
    except OSError:
        return 0.0
    return max(status.st_mtime, status.st_ctime)


def _first_line(node: CodeNode) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _same_code(imported: types.CodeType, module: types.CodeType, node: FunctionNode) -> bool:
    """Whether the text compiles to the imported function.

    A function with `assert` is not compared: pytest rewrites assertions when it imports a test module.
    """
    if any(isinstance(part, ast.Assert) for part in ast.walk(node)):
        return True
    return any(
        candidate.co_code == imported.co_code
        and candidate.co_names == imported.co_names
        and candidate.co_varnames == imported.co_varnames
        and _plain(candidate.co_consts) == _plain(imported.co_consts)
        for candidate in _codes(module)
        if candidate.co_name == imported.co_name and candidate.co_firstlineno == imported.co_firstlineno
    )


def _plain(constants: tuple[object, ...]) -> list[str]:
    return [repr(value) for value in constants if not isinstance(value, types.CodeType | frozenset | set)]


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    waiting = [code]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(constant for constant in current.co_consts if isinstance(constant, types.CodeType))


def shown_path(filename: str) -> str:
    """A path for people: relative to the working directory when it is below it."""
    path = Path(filename)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return filename


def _program_path(function: types.FunctionType) -> str:
    """A path that depends on the module, not on the host: `shop/flows.py`."""
    path = Path(function.__code__.co_filename)
    depth = len(function.__module__.split(".")) + (path.name == "__init__.py")
    return "/".join(path.parts[-depth:])
