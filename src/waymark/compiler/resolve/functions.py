"""Binds every name of one function, and reports what cannot be bound."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Iterable
from types import NoneType

from waymark.compiler.bindings import (
    Action,
    ComprehensionScope,
    Constant,
    Form,
    Helper,
    Library,
    Local,
    ResolvedFunction,
    SelfData,
    Stored,
    UserClass,
)
from waymark.compiler.check import is_refused
from waymark.compiler.decisions import FIELDS, Lowered
from waymark.compiler.diagnostics import Findings
from waymark.compiler.resolve import library
from waymark.compiler.resolve.calls import PLAIN_RESULTS, CallChecks
from waymark.compiler.resolve.managers import check_manager
from waymark.compiler.resolve.members import Members
from waymark.compiler.resolve.names import MISSING, near, outer_value, visible_names
from waymark.compiler.resolve.nested import check_annotations, default_nodes, nested_source, with_default
from waymark.compiler.resolve.outside import purpose
from waymark.compiler.resolve.scopes import (
    Comprehension,
    captured_names,
    names_bound_in,
    nonlocal_names,
    parameter_nodes,
    target_names,
)
from waymark.compiler.resolve.statics import Module, Refusal, Static, Statics, Typing
from waymark.compiler.resolve.variables import Scope, Variables
from waymark.compiler.resolve.workflow_class import Primitive, WorkflowClass
from waymark.compiler.source import CodeNode, FunctionSource, is_super_call
from waymark.errors import ValueEncodingError
from waymark.program.library import ATTRIBUTES, FUNCTIONS, METHODS, VALUES
from waymark.program.live import live_object
from waymark.program.program import HELD, Parameter
from waymark.program.refused import REFUSED
from waymark.values.classes import ClassInfo, ClassKind
from waymark.values.codec import encode

_LOWERED_FIELDS: dict[str, tuple[str, ...]] = {
    node: tuple(name for name, decision in decisions.items() if isinstance(decision, Lowered))
    for node, decisions in FIELDS.items()
}


TEMPORARIES_PER_PATTERN = 5
"""What a mapping pattern inside another needs: its place there, the value, the keys, what they found, the rest."""


def _in_class(module: types.ModuleType, node: ast.Attribute) -> str:
    """The hint for `datetime.now`, where the module was imported and its class of the same name was meant."""
    name = module.__name__.rpartition(".")[2]
    if hasattr(getattr(module, name, None), node.attr):
        return f"did you mean `{ast.unparse(node.value)}.{name}.{node.attr}`?"
    return ""


class FunctionResolver:
    """Resolves one function.

    Args:
        outer: Resolver of the function that this one is written in.
    """

    def __init__(
        self,
        source: FunctionSource,
        workflow: WorkflowClass,
        findings: Findings,
        outer: FunctionResolver | None = None,
    ) -> None:
        self.source = source
        self.workflow = workflow
        self._statics: Statics = workflow.statics
        self.findings = findings
        self.result = ResolvedFunction(source)
        around: Variables | None = None if outer is None else outer._variables
        self._variables: Variables = Variables(self.result, around)
        self._known: dict[ast.AST, Static | Primitive | None] = {}
        self.method_calls: list[ast.Attribute] = []
        """Calls of methods that no type of the library has."""
        self.looked_up: list[ast.Attribute] = []
        """Attributes that are read from some value when the code runs."""
        self._calls = CallChecks(self)

    def resolve(self) -> ResolvedFunction:
        """Bind everything."""
        if isinstance(self.source.node, ast.GeneratorExp):
            self._resolve_generator(self.source.node)
            return self.result
        self._declare(self.source.node.args)
        for statement in self.source.statements:
            self.visit(statement)
        return self.result

    def _resolve_generator(self, node: ast.GeneratorExp) -> None:
        """Its first iterable belongs to the function around it, and is the first local here."""
        variables = self._variables
        variables.new_local(".0")
        for generator in node.generators:
            for target in target_names(generator.target):
                name = self.source.mangled(target.id)
                variables.declare(name)
                variables.given.add(name)
        self._visit_loops(node.generators)
        self.visit(node.elt)

    def _visit_loops(self, generators: list[ast.comprehension]) -> None:
        for index, generator in enumerate(generators):
            if index:
                self.visit(generator.iter)
            self.visit(generator.target)
            for condition in generator.ifs:
                self.visit(condition)

    # What the checks of calls need.

    def report(self, node: ast.AST, code: str, message: str, help: str) -> None:
        """Record a finding in this function."""
        self.findings.report(self.source, node, code, message, help)

    def set_form(self, node: ast.AST, form: Form) -> None:
        """Have a node lowered in a way of its own."""
        self.result.forms[node] = form

    def permit(self, generator: ast.expr) -> None:
        """Make a list of a generator expression: the one who asks takes all of it at once."""
        self.set_form(generator, Form.COLLECTED)

    def gives_plain_values(self, helper: Helper) -> bool:
        """Whether everything that a helper which is not async returns is known not to be awaitable."""
        statements = self.workflow.table.source(helper.index).statements
        returned = [
            node.value for part in statements for node in ast.walk(part) if isinstance(node, ast.Return)
        ]
        return all(value is None or isinstance(value, PLAIN_RESULTS) for value in returned)

    # Declarations.

    def _declare(self, arguments: ast.arguments) -> None:
        source, variables = self.source, self._variables
        parameters = parameter_nodes(arguments)
        defaults = self._held_defaults(arguments) if source.is_nested else self._defaults(arguments)
        entries = []
        for node, kind in parameters:
            name = source.mangled(node.arg)
            variables.declare(name)
            variables.given.add(name)
            entries.append(Parameter(name, kind, defaults.get(name)))
        self.result.parameters = tuple(entries)
        if source.self_name is not None:
            self.result.self_index = 0
        elsewhere, given_inside = nonlocal_names(source.statements)
        for name, gives_value in names_bound_in(source.statements):
            if name in elsewhere:
                continue
            variables.declare(source.mangled(name))
            if gives_value:
                variables.given.add(source.mangled(name))
        for name in given_inside:
            variables.given.add(source.mangled(name))

    def _held_defaults(self, arguments: ast.arguments) -> dict[str, int]:
        return {self.source.mangled(name): HELD for name in with_default(arguments)}

    def _defaults(self, arguments: ast.arguments) -> dict[str, int]:
        """Index into the workflow's stored values for each parameter with a default."""
        function = self.source.function
        positional = [*arguments.posonlyargs, *arguments.args]
        values = function.__defaults__ or ()
        pairs = list(
            zip(positional[len(positional) - len(values) :], values, arguments.defaults, strict=False)
        )
        keyword_values = function.__kwdefaults__ or {}
        for part, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            name = self.source.mangled(part.arg)
            if name in keyword_values and node is not None:
                pairs.append((part, keyword_values[name], node))
        found: dict[str, int] = {}
        for part, value, node in pairs:
            shown = ast.unparse(node)
            label = f"{function.__module__}.{function.__qualname__}({part.arg}=)"
            stored = self._statics.store(value, shown, label)
            if isinstance(stored, Refusal):
                self.report(node, stored.code, stored.message, stored.help)
            else:
                found[self.source.mangled(part.arg)] = self.workflow.index_of(stored)
        return found

    # The walk.

    def visit(self, node: ast.AST) -> None:
        """Resolve a node and everything below it."""
        if is_refused(node):
            return
        method = getattr(self, f"_visit_{type(node).__name__}", None)
        if method is None:
            self.visit_children(node)
        else:
            method(node)

    def visit_children(self, node: ast.AST) -> None:
        """Resolve the children of a node, in field order."""
        for name in _LOWERED_FIELDS[type(node).__name__]:
            value = getattr(node, name)
            if isinstance(value, list):
                for part in value:
                    if isinstance(part, ast.AST):
                        self.visit(part)
            elif isinstance(value, ast.AST):
                self.visit(value)

    def _visit_If(self, node: ast.If) -> None:
        while True:
            self.visit(node.test)
            for statement in node.body:
                self.visit(statement)
            match node.orelse:
                case [ast.If() as following]:
                    node = following
                case rest:
                    for statement in rest:
                        self.visit(statement)
                    return

    def _visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        check_annotations(self, node)
        self._visit_nested(node)
        self.result.function_locals[node] = self._variables.found(self.source.mangled(node.name))

    _visit_AsyncFunctionDef = _visit_FunctionDef

    def _visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_nested(node)

    def _visit_nested(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Defaults belong to this function; the rest is a function of its own."""
        for default in default_nodes(node.args):
            self.visit(default)
        self._resolve_inside(node)

    def _resolve_inside(self, node: CodeNode) -> None:
        inner = FunctionResolver(nested_source(self.source, node), self.workflow, self.findings, self)
        self.result.nested[node] = self.workflow.table.add(inner)
        inner.resolve()

    def _visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """What it says is already known: the names are no variables of this function."""

    def _visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        self.visit(node.value)
        self._calls.check_statement(node.value)

    def _visit_Await(self, node: ast.Await) -> None:
        if isinstance(self.source.node, ast.GeneratorExp):
            self.report(
                node,
                "WM118",
                "`await` inside a generator expression makes it an asynchronous generator",
                "use a list comprehension",
            )
        self.visit(node.value)
        self._calls.check_await(node)

    def _visit_Constant(self, node: ast.Constant) -> None:
        try:
            self.result.bindings[node] = Constant(encode(node.value))
        except ValueEncodingError:
            shown = "..." if node.value is ... else repr(node.value)
            self.report(
                node,
                "WM134",
                f"`{shown}` is not a value that workflows have",
                "use None, or a value of another type",
            )

    def _visit_Starred(self, node: ast.Starred) -> None:
        if isinstance(node.value, ast.GeneratorExp):
            self.permit(node.value)
        self.visit(node.value)

    def _visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Attribute) and self.is_self(node.target.value):
            found = self.workflow.member(self.source.mangled(node.target.attr))
            if isinstance(found, Refusal):
                self.report(node.target, found.code, found.message, found.help)
        self.visit(node.target)
        self.visit(node.value)

    def _visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def _visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            check_manager(self, item, isinstance(node, ast.AsyncWith))
        self.visit_children(node)

    _visit_AsyncWith = _visit_With

    def _visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name is not None:
            name = self.source.mangled(node.name)
            self.result.handler_locals[node] = self._variables.found(name)
        for statement in node.body:
            self.visit(statement)

    def _visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            patterns = [part for part in ast.walk(case.pattern) if isinstance(part, ast.pattern)]
            for part in patterns:
                for name in captured_names(part):
                    name = self.source.mangled(name)
                    self.result.captures[name] = self._variables.found(name)
            temporaries = self.result.temporaries
            while len(temporaries) < 1 + TEMPORARIES_PER_PATTERN * len(patterns):
                temporaries.append(self._variables.new_local(f".{len(temporaries)}"))
            self.visit(case)

    def _visit_Subscript(self, node: ast.Subscript) -> None:
        base = self.static(node.value)
        is_class = isinstance(base, UserClass) and base.info.kind is not ClassKind.ENUM
        if (
            isinstance(base, Typing)
            or is_class
            or (isinstance(base, Library) and isinstance(node.ctx, ast.Load))
        ):
            shown = ast.unparse(node)
            self.report(
                node,
                "WM143",
                f"`{shown}` is a type, which is of use in annotations only",
                f"write `{ast.unparse(node.value)}` without the brackets",
            )
            return
        self.visit_children(node)

    def _visit_Call(self, node: ast.Call) -> None:
        self._calls.visit(node)

    # Comprehensions.

    def _visit_comprehension_like(self, node: Comprehension) -> None:
        self.visit(node.generators[0].iter)
        scope = Scope()
        for generator in node.generators:
            for target in target_names(generator.target):
                name = self.source.mangled(target.id)
                if name not in scope.locals:
                    scope.locals[name] = self._variables.new_local(name)
        self._variables.scopes.append(scope)
        self._visit_loops(node.generators)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self._variables.scopes.pop()
        self.result.comprehensions[node] = ComprehensionScope(tuple(scope.locals.values()), scope.clear_first)

    _visit_ListComp = _visit_comprehension_like
    _visit_SetComp = _visit_comprehension_like
    _visit_DictComp = _visit_comprehension_like

    def _visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        self._resolve_inside(node)

    # Names.

    def _visit_Name(self, node: ast.Name) -> None:
        name = self.source.mangled(node.id)
        variables = self._variables
        for scope in reversed(variables.scopes):
            if name in scope.locals:
                if isinstance(node.ctx, ast.Store):
                    scope.bound.add(name)
                elif name not in scope.bound:
                    scope.clear_first = True
                self.result.bindings[node] = Local(scope.locals[name])
                return
        if self.is_self(node):
            self.report(
                node,
                "WM123",
                f"`{node.id}` is used as a value; a run has no workflow object, only its attributes",
                f"use `{node.id}.name`, and pass on the values that are needed",
            )
            return
        index = variables.find(name)
        if index is not None:
            self.result.bindings[node] = Local(index)
            if isinstance(node.ctx, ast.Load) and name in variables.names and name not in variables.given:
                self.report(
                    node,
                    "WM121",
                    f"local variable `{node.id}` is never assigned",
                    "assign it before this line",
                )
            return
        self._use(node, self.static(node))

    def is_self(self, node: ast.AST) -> bool:
        """Whether a node is the name self."""
        return isinstance(node, ast.Name) and self._variables.is_self(self.source.mangled(node.id))

    def is_super(self, node: ast.AST) -> bool:
        """Whether a node is `super()` where it stands for the workflow: directly in a method, for it needs the method's own first argument."""
        return (
            is_super_call(node)
            and self.source.self_name is not None
            and self.source.defined_in is not None
            and not self._variables.scopes
            and self._variables.find("super") is None
            and outer_value(self.source.function, "super") is super
        )

    def _visit_Attribute(self, node: ast.Attribute) -> None:
        name = self.source.mangled(node.attr)
        if isinstance(node.value, ast.Name) and self.is_self(node.value):
            self.result.bindings[node.value] = Local(
                self._variables.found(self.source.mangled(node.value.id))
            )
        if isinstance(node.ctx, ast.Load):
            if self.is_super(node.value):
                self.set_form(node.value, Form.SUPER)
            found = self.static(node)
            if found is not None:
                self._use(node, found)
                return
        elif self.is_self(node.value) and isinstance(
            found := self.workflow.member(name), Helper | Primitive | Refusal
        ):
            refusal = found if isinstance(found, Refusal) else None
            self.report(
                node,
                refusal.code if refusal else "WM125",
                refusal.message if refusal else f"`{node.attr}` is a method of the workflow",
                refusal.help if refusal else "give the attribute another name",
            )
        if name.startswith("__") and name.endswith("__") and name not in library.ATTRIBUTE_NAMES:
            self.report(
                node,
                "WM138",
                f"`{name}` is a special attribute, which is not supported in a workflow",
                "use the operator or the builtin function that stands for it",
            )
        if not self.is_self(node.value):
            if isinstance(node.ctx, ast.Load):
                self.looked_up.append(node)
            self.visit(node.value)

    def names_looked_up(self) -> set[str]:
        """Names of attributes that are read from some value when the code runs."""
        return {self.source.mangled(node.attr) for node in self.looked_up}

    def refuse_class_code(self, classes: Iterable[ClassInfo], members: Members) -> None:
        """Report attributes that are members of a class which cannot be used, and of no other value.

        Left out: exceptions by name, whose attributes no class declares.
        """
        code: dict[str, ClassInfo] = {}
        data: set[str] = set(library.ATTRIBUTE_NAMES | library.METHOD_NAMES)
        for info in classes:
            data.update(field.name for field in info.fields)
            code.update(dict.fromkeys(info.code_names, info))
        caught = set(self.result.handler_locals.values())
        for node in self.looked_up:
            owner = self.result.bindings.get(node.value)
            if isinstance(owner, Local) and owner.index in caught:
                continue
            name = self.source.mangled(node.attr)
            if name in code and name not in data and not members.has_fit(name):
                shown = f"{code[name].key.qualname}.{name}"
                problem = members.problem(name)
                self.report(
                    node,
                    "WM136",
                    problem or f"`{shown}` is code of a class, which cannot run in a workflow",
                    "call it in an @action, or use the fields of the class",
                )
        for call in self.method_calls:
            name = self.source.mangled(call.attr)
            if name not in data and not members.has_fit(name):
                hint = library.METHOD_HINTS.get(name) or near(name, library.METHOD_NAMES)
                self.report(
                    call,
                    "WM136",
                    f"no value in a workflow has a method `{name}` that can run there",
                    hint or "call it in an @action, or write the code into a helper method",
                )

    def static(self, node: ast.AST) -> Static | Primitive | None:
        """What a name or dotted name stands for outside of the function; None: it is looked up at run time."""
        if node not in self._known:
            self._known[node] = self._find_static(node)
        return self._known[node]

    def _find_static(self, node: ast.AST) -> Static | Primitive | None:
        if isinstance(node, ast.Name):
            return self._find_name(node)
        if not isinstance(node, ast.Attribute):
            return None
        if self.is_self(node.value):
            return self.workflow.member(self.source.mangled(node.attr))
        if self.is_super(node.value):
            return self.workflow.super_member(self.source, self.source.mangled(node.attr))
        base = self.static(node.value)
        shown = ast.unparse(node)
        match base:
            case Module(module):
                refused = REFUSED.get(f"{module.__name__}.{node.attr}")
                if refused is not None:
                    return Refusal(refused.code, f"`{shown}` {refused.reason}", refused.help)
                value = getattr(module, node.attr, MISSING)
                if value is MISSING:
                    hint = _in_class(module, node) or near(node.attr, dir(module))
                    return Refusal(
                        "WM120",
                        f"module `{module.__name__}` has no `{node.attr}`",
                        hint or "check the spelling",
                    )
                known = purpose(f"sys.{node.attr}") if module is sys else None
                if known is not None and not isinstance(value, int | float | str | tuple | NoneType):
                    return Refusal(known.code, f"`{shown}` {known.reason}", known.help)
                return self._statics.bind(value, shown, f"{module.__name__}.{node.attr}")
            case UserClass(info):
                cls = self._statics.live_class(info.key)
                return (
                    None
                    if node.attr in ATTRIBUTES["type"]
                    else self._statics.attribute(cls, node.attr, shown)
                )
            case Library(name):
                return self._library_attribute(name, node.attr, shown)
            case Refusal("WM139") if self._is_own_class(node.value):
                return Refusal(
                    "WM124", f"`{shown}` reaches into the workflow by its class", f"write `self.{node.attr}`"
                )
            case Typing() | Refusal():
                return base
            case _:
                return None

    def _is_own_class(self, node: ast.expr) -> bool:
        """Whether a name stands for the workflow's own class, or a base of it."""
        cls = outer_value(self.source.function, node.id) if isinstance(node, ast.Name) else None
        return cls in self.workflow.cls.__mro__ and self.source.self_name is not None

    def _library_attribute(self, name: str, attribute: str, shown: str) -> Static | None:
        owner = live_object(name)
        if f"{name}.{attribute}" in FUNCTIONS | VALUES:
            return Library(f"{name}.{attribute}")
        if name in VALUES:
            return None
        if isinstance(owner, type):
            allowed = set(ATTRIBUTES["type"])
            for base in owner.__mro__:
                allowed |= METHODS.get(base.__name__, frozenset())
            if attribute in allowed:
                return None
        value = getattr(owner, attribute, MISSING)
        if value is MISSING:
            return Refusal("WM120", f"`{name}` has no attribute `{attribute}`", "check the spelling")
        code, message, help = library.refusal(value, shown)
        return Refusal("WM131" if code == "WM130" else code, message, help)

    def _find_name(self, node: ast.Name) -> Static | Primitive | None:
        name = self.source.mangled(node.id)
        if self._variables.find(name) is not None:
            return None
        function = self.source.function
        value = outer_value(function, name)
        if value is MISSING:
            hint = near(node.id, visible_names(function) | set(self._variables.names))
            return Refusal(
                "WM120", f"`{node.id}` is not defined", hint or "define or import it in the module"
            )
        if name == "__file__":
            return Refusal(
                "WM133", "`__file__` differs from host to host", "read files beside the module in an @action"
            )
        return self._statics.bind(value, node.id, f"{function.__module__}.{node.id}")

    def _use(self, node: ast.expr, found: Static | Primitive | None) -> None:
        """Bind a node to what it stands for, as a value."""
        match found:
            case None:
                return
            case Refusal(code, message, help):
                self.report(node, code, message, help)
            case Module(module):
                self.report(
                    node,
                    "WM137",
                    f"module `{module.__name__}` is used as a value",
                    "use its functions and constants by name",
                )
            case Typing():
                self.report(
                    node,
                    "WM143",
                    f"`{ast.unparse(node)}` is of use in annotations only",
                    "use a class, or leave it out",
                )
            case Primitive(name):
                self.report(
                    node, "WM142", f"`self.{name}` can only be called", f"write `await self.{name}(...)`"
                )
            case Local() | Constant() | Stored() | Library() | UserClass() | Action() | Helper() | SelfData():
                if isinstance(found, Helper):
                    self.workflow.mentions.append((self, node, found.index))
                self.result.bindings[node] = found
