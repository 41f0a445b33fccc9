"""Which names are locals: of the function, and of each comprehension."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from waymark.program.program import ParameterKind

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp


def parameter_nodes(arguments: ast.arguments) -> list[tuple[ast.arg, ParameterKind]]:
    """Parameters in the order of a signature; each is the local of the same index."""
    found = [(part, ParameterKind.POSITIONAL_ONLY) for part in arguments.posonlyargs]
    found += [(part, ParameterKind.POSITIONAL_OR_KEYWORD) for part in arguments.args]
    if arguments.vararg is not None:
        found.append((arguments.vararg, ParameterKind.VAR_POSITIONAL))
    found += [(part, ParameterKind.KEYWORD_ONLY) for part in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        found.append((arguments.kwarg, ParameterKind.VAR_KEYWORD))
    return found


def names_bound_in(statements: list[ast.stmt]) -> Iterator[tuple[str, bool]]:
    """Names that the statements make locals of the function, with whether they give them a value.

    Comprehension variables are left out; `:=` inside a comprehension binds in the function. Refused statements count
    too, so that what they bind is not also reported as undefined.
    """
    for statement in statements:
        yield from _bound(statement, frozenset())


def _bound(node: ast.AST, hidden: frozenset[ast.AST]) -> Iterator[tuple[str, bool]]:
    waiting: list[ast.AST] = [node]
    targets: set[ast.AST] = set(hidden)
    while waiting:
        current = waiting.pop(0)
        match current:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del() as context):
                if current not in targets:
                    yield name, isinstance(context, ast.Store)
            case ast.AnnAssign(target=ast.Name(id=name), value=None):
                yield name, False
                targets.add(current.target)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for generator in current.generators:
                    targets.update(target_names(generator.target))
            case ast.ExceptHandler(name=str(name)):
                yield name, True
            case ast.pattern():
                for name in captured_names(current):
                    yield name, True
            case ast.FunctionDef(name=name, args=arguments) | ast.AsyncFunctionDef(name=name, args=arguments):
                yield name, True
                waiting.extend(_evaluated_outside(arguments))
                continue
            case ast.ClassDef(name=name):
                yield name, True
                continue
            case ast.alias(name=name, asname=alias):
                yield alias or name.partition(".")[0], True
            case ast.Lambda(args=arguments):
                waiting.extend(_evaluated_outside(arguments))
                continue
        waiting.extend(ast.iter_child_nodes(current))


def captured_names(pattern: ast.pattern) -> Iterator[str]:
    """The name that a pattern binds by itself, if any."""
    match pattern:
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name


def _evaluated_outside(arguments: ast.arguments) -> list[ast.AST]:
    """Defaults of a function inside the function."""
    return [*arguments.defaults, *(part for part in arguments.kw_defaults if part is not None)]


def nonlocal_names(statements: list[ast.stmt]) -> tuple[set[str], set[str]]:
    """Names that the function itself declares `nonlocal`, and those that functions inside of it do."""
    own: set[str] = set()
    inner: set[str] = set()
    waiting: list[tuple[ast.AST, bool]] = [(statement, False) for statement in statements]
    while waiting:
        node, is_inside = waiting.pop()
        if isinstance(node, ast.Nonlocal):
            (inner if is_inside else own).update(node.names)
        is_inside = is_inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        waiting.extend(
            (child, is_inside) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)
        )
    return own, inner


def target_names(target: ast.expr) -> Iterator[ast.Name]:
    """The names that an assignment to `target` binds, in order."""
    match target:
        case ast.Name():
            yield target
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from target_names(part)
        case ast.Starred(value=value):
            yield from target_names(value)
