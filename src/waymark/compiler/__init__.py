"""The compiler: from the source of run() to a program, or to every reason why not."""

from waymark.compiler.codes import CODES
from waymark.compiler.diagnostics import Diagnostic
from waymark.compiler.pipeline import CompiledWorkflow, compile_workflow

__all__ = ["CODES", "CompiledWorkflow", "Diagnostic", "compile_workflow"]
