"""What becomes of every field of every syntax node: one decision per pair, none without.

Imports nothing but the standard library, so that any Python can check it against its own `ast`.
Node types are given by name: some exist only in newer Pythons.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lowered:
    """The field is read and its meaning is in the program."""


@dataclass(frozen=True, slots=True)
class NoEffect:
    """The field has no meaning when the code runs, so it is passed over."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A node with this field set, or this node type, is a diagnostic."""

    code: str
    message: str
    help: str


Decision = Lowered | NoEffect | Refused

LOWERED = Lowered()
CONTEXT = NoEffect("said again by the statement that holds it")
TYPE_COMMENT = NoEffect("a comment for type checkers")
ANNOTATION = NoEffect("Python does not evaluate annotations of locals")
SIGNATURE = NoEffect("belongs to the function's signature, evaluated when the function was defined")

_ACTION = "move it into an @action and await it"
YIELD = Refused(
    "WM104", "`yield` is not supported in a workflow", "append each value to a list and return the list"
)
YIELD_FROM = Refused(
    "WM104", "`yield from` is not supported in a workflow", "append each value to a list and return the list"
)
CLASS = Refused(
    "WM107",
    "a class inside a workflow function is not supported",
    "define the class at the top of the module",
)
IMPORT = Refused("WM108", "`import` is not supported in a workflow", "import at the top of the module")
GLOBAL = Refused(
    "WM109", "`global` is not supported in a workflow", "keep state in locals or in attributes of `self`"
)
ASYNC_FOR = Refused(
    "WM111", "`async for` is not supported in a workflow", "let an @action return the items as a list"
)
DECORATOR = Refused(
    "WM116",
    "decorators on workflow functions are not supported",
    "call what the decorator does inside the function",
)
TYPE_ALIAS = Refused(
    "WM117", "`type` is not supported inside a workflow", "define the alias at the top of the module"
)
TYPE_PARAMETERS = Refused(
    "WM117", "type parameters are not supported on workflow functions", "use a TypeVar of the module"
)
TEMPLATE = Refused("WM103", "template strings are not supported in a workflow", "use an f-string")

NODES: dict[str, Refused] = {
    "Yield": YIELD,
    "YieldFrom": YIELD_FROM,
    "ClassDef": CLASS,
    "Import": IMPORT,
    "ImportFrom": IMPORT,
    "Global": GLOBAL,
    "AsyncFor": ASYNC_FOR,
    "TypeAlias": TYPE_ALIAS,
    "TemplateStr": TEMPLATE,
}
"""Node types that are refused wherever they stand. Everything below them is refused with them."""


def _fields(decision: Decision, *names: str) -> dict[str, Decision]:
    return dict.fromkeys(names, decision)


_FUNCTION: dict[str, Decision] = {
    "name": LOWERED,
    "args": LOWERED,
    "body": LOWERED,
    "decorator_list": DECORATOR,
    "returns": SIGNATURE,
    "type_comment": TYPE_COMMENT,
    "type_params": TYPE_PARAMETERS,
}
_COMPREHENSION = _fields(LOWERED, "elt", "generators")

FIELDS: dict[str, dict[str, Decision]] = {
    # Functions. Defaults are lowered where the function is inside another; else they come evaluated from the function object.
    "FunctionDef": _FUNCTION,
    "AsyncFunctionDef": _FUNCTION,
    "arguments": _fields(
        LOWERED, "posonlyargs", "args", "vararg", "kwonlyargs", "kwarg", "defaults", "kw_defaults"
    ),
    "arg": {"arg": LOWERED, "annotation": SIGNATURE, "type_comment": TYPE_COMMENT},
    "Lambda": _fields(LOWERED, "args", "body"),
    # Statements.
    "Nonlocal": _fields(LOWERED, "names"),
    "Return": _fields(LOWERED, "value"),
    "Delete": _fields(LOWERED, "targets"),
    "Assign": {**_fields(LOWERED, "targets", "value"), "type_comment": TYPE_COMMENT},
    "AugAssign": _fields(LOWERED, "target", "op", "value"),
    "AnnAssign": {
        **_fields(LOWERED, "target", "value"),
        "annotation": ANNOTATION,
        "simple": NoEffect("only says whether the annotation is stored, which functions never do"),
    },
    "For": {**_fields(LOWERED, "target", "iter", "body", "orelse"), "type_comment": TYPE_COMMENT},
    "While": _fields(LOWERED, "test", "body", "orelse"),
    "If": _fields(LOWERED, "test", "body", "orelse"),
    "Raise": _fields(LOWERED, "exc", "cause"),
    "Try": _fields(LOWERED, "body", "handlers", "orelse", "finalbody"),
    "TryStar": _fields(LOWERED, "body", "handlers", "orelse", "finalbody"),
    "With": {**_fields(LOWERED, "items", "body"), "type_comment": TYPE_COMMENT},
    "AsyncWith": {**_fields(LOWERED, "items", "body"), "type_comment": TYPE_COMMENT},
    "withitem": _fields(LOWERED, "context_expr", "optional_vars"),
    "ExceptHandler": _fields(LOWERED, "type", "name", "body"),
    "Assert": _fields(LOWERED, "test", "msg"),
    "Expr": _fields(LOWERED, "value"),
    "Pass": {},
    "Break": {},
    "Continue": {},
    # Expressions.
    "BoolOp": _fields(LOWERED, "op", "values"),
    "NamedExpr": _fields(LOWERED, "target", "value"),
    "BinOp": _fields(LOWERED, "left", "op", "right"),
    "UnaryOp": _fields(LOWERED, "op", "operand"),
    "IfExp": _fields(LOWERED, "test", "body", "orelse"),
    "Dict": _fields(LOWERED, "keys", "values"),
    "Set": _fields(LOWERED, "elts"),
    "ListComp": _COMPREHENSION,
    "SetComp": _COMPREHENSION,
    "DictComp": _fields(LOWERED, "key", "value", "generators"),
    "GeneratorExp": _COMPREHENSION,
    "comprehension": {**_fields(LOWERED, "target", "iter", "ifs"), "is_async": ASYNC_FOR},
    "Await": _fields(LOWERED, "value"),
    "Compare": _fields(LOWERED, "left", "ops", "comparators"),
    "Call": _fields(LOWERED, "func", "args", "keywords"),
    "keyword": _fields(LOWERED, "arg", "value"),
    "FormattedValue": _fields(LOWERED, "value", "conversion", "format_spec"),
    "JoinedStr": _fields(LOWERED, "values"),
    "Constant": {"value": LOWERED, "kind": NoEffect("the u of u'text'")},
    "Attribute": {**_fields(LOWERED, "value", "attr"), "ctx": CONTEXT},
    "Subscript": {**_fields(LOWERED, "value", "slice"), "ctx": CONTEXT},
    "Starred": {**_fields(LOWERED, "value"), "ctx": CONTEXT},
    "Name": {**_fields(LOWERED, "id"), "ctx": CONTEXT},
    "List": {**_fields(LOWERED, "elts"), "ctx": CONTEXT},
    "Tuple": {**_fields(LOWERED, "elts"), "ctx": CONTEXT},
    "Slice": _fields(LOWERED, "lower", "upper", "step"),
    # Operators are told apart by their type.
    **{
        name: {}
        for name in [
            "And",
            "Or",
            "Add",
            "Sub",
            "Mult",
            "MatMult",
            "Div",
            "Mod",
            "Pow",
            "LShift",
            "RShift",
            "BitOr",
            "BitXor",
            "BitAnd",
            "FloorDiv",
            "Invert",
            "Not",
            "UAdd",
            "USub",
            "Eq",
            "NotEq",
            "Lt",
            "LtE",
            "Gt",
            "GtE",
            "Is",
            "IsNot",
            "In",
            "NotIn",
            "Load",
            "Store",
            "Del",
        ]
    },
    # Refused node types: every field goes with them.
    "Yield": _fields(YIELD, "value"),
    "YieldFrom": _fields(YIELD_FROM, "value"),
    "ClassDef": _fields(CLASS, "name", "bases", "keywords", "body", "decorator_list", "type_params"),
    "Import": _fields(IMPORT, "names"),
    "ImportFrom": _fields(IMPORT, "module", "names", "level"),
    "alias": _fields(IMPORT, "name", "asname"),
    "Global": _fields(GLOBAL, "names"),
    "AsyncFor": _fields(ASYNC_FOR, "target", "iter", "body", "orelse", "type_comment"),
    "Match": _fields(LOWERED, "subject", "cases"),
    "match_case": _fields(LOWERED, "pattern", "guard", "body"),
    "MatchValue": _fields(LOWERED, "value"),
    "MatchSingleton": _fields(LOWERED, "value"),
    "MatchSequence": _fields(LOWERED, "patterns"),
    "MatchMapping": _fields(LOWERED, "keys", "patterns", "rest"),
    "MatchClass": _fields(LOWERED, "cls", "patterns", "kwd_attrs", "kwd_patterns"),
    "MatchStar": _fields(LOWERED, "name"),
    "MatchAs": _fields(LOWERED, "pattern", "name"),
    "MatchOr": _fields(LOWERED, "patterns"),
    "TypeAlias": _fields(TYPE_ALIAS, "name", "type_params", "value"),
    "TypeVar": _fields(TYPE_PARAMETERS, "name", "bound", "default_value"),
    "ParamSpec": _fields(TYPE_PARAMETERS, "name", "default_value"),
    "TypeVarTuple": _fields(TYPE_PARAMETERS, "name", "default_value"),
    "TemplateStr": _fields(TEMPLATE, "values"),
    "Interpolation": _fields(TEMPLATE, "value", "str", "conversion", "format_spec"),
}
"""Decision for each field of each node type that can stand in a function, of every Python from 3.11 on."""

OUTSIDE: frozenset[str] = frozenset(
    {"Module", "Interactive", "Expression", "FunctionType", "TypeIgnore", "Suite"}
    | {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice", "AugLoad", "AugStore", "Param"}
)
"""Node types that never stand inside a function of a parsed file: roots, and names kept from old Pythons."""


def is_set(value: object) -> bool:
    """Whether a field of a node holds something."""
    return not (value is None or value == [] or value == 0)
