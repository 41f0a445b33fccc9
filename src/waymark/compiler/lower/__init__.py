"""Fourth pass: from bound syntax trees to instructions with labels."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from waymark.compiler.bindings import ResolvedFunction, ResolvedWorkflow
from waymark.compiler.diagnostics import Findings
from waymark.compiler.lower.builder import Instruction, TooLong
from waymark.compiler.lower.calls import CALLS
from waymark.compiler.lower.comprehensions import COMPREHENSIONS, lower_generator_body
from waymark.compiler.lower.exceptions import EXCEPTIONS
from waymark.compiler.lower.expressions import EXPRESSIONS
from waymark.compiler.lower.function import FunctionLowering
from waymark.compiler.lower.functions import DEFINITIONS, MAKING
from waymark.compiler.lower.loops import LOOPS
from waymark.compiler.lower.managers import MANAGERS
from waymark.compiler.lower.matching import MATCHING
from waymark.compiler.lower.statements import STATEMENTS
from waymark.compiler.lower.tables import Lowerings
from waymark.compiler.lower.targets import TARGETS

LOWERINGS = Lowerings(
    statements=STATEMENTS | LOOPS | EXCEPTIONS | MATCHING | DEFINITIONS | MANAGERS,
    expressions=EXPRESSIONS | COMPREHENSIONS | CALLS | MAKING,
    targets=TARGETS,
)


@dataclass(frozen=True, slots=True)
class LoweredFunction:
    """A function's instructions before they are numbered."""

    resolved: ResolvedFunction
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class LoweredWorkflow:
    """Every function of a workflow, lowered."""

    resolved: ResolvedWorkflow
    functions: tuple[LoweredFunction, ...]


def lower(resolved: ResolvedWorkflow, findings: Findings) -> LoweredWorkflow:
    """Lower a workflow that has no findings so far; the only new one is that code became too long."""
    functions = []
    for function in resolved.functions:
        lowering = FunctionLowering(function, LOWERINGS, resolved.functions)
        try:
            if isinstance(function.source.node, ast.GeneratorExp):
                lower_generator_body(lowering, function.source.node)
            else:
                lowering.lower()
        except TooLong:
            findings.report(
                function.source,
                function.source.node,
                "WM102",
                "this function becomes too long: each way out of a `try` repeats its `finally`",
                "move parts of it into helper methods",
            )
        functions.append(LoweredFunction(function, tuple(lowering.builder.instructions)))
    return LoweredWorkflow(resolved, tuple(functions))
