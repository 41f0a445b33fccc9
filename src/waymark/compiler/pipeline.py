"""The passes in a line: source → check → resolve → lower → assemble → verify."""

from __future__ import annotations

from dataclasses import dataclass

from waymark.compiler.assemble import assemble
from waymark.compiler.check import check
from waymark.compiler.diagnostics import Findings, refuse
from waymark.compiler.lower import lower
from waymark.compiler.resolve import resolve
from waymark.compiler.source import Files, find_source, text_of
from waymark.program.program import Program, encode_program, hash_program
from waymark.program.verify import verify


@dataclass(frozen=True, slots=True)
class CompiledWorkflow:
    """What registering a workflow sends.

    Attributes:
        program: The program.
        encoded: Its stored form.
        hash: Identity of what it does, 32 bytes; where the source stands does not count.
        source: Text of run() and every helper, each under a comment with file and first line.
    """

    program: Program
    encoded: bytes
    hash: bytes
    source: str


def compile_workflow(cls: type, files: Files | None = None) -> CompiledWorkflow:
    """Compile the run() of a workflow class with every helper it reaches.

    Args:
        files: Remembers parsed files, for whoever compiles many workflows at once.

    Raises:
        UnsupportedPatternError: The code holds something that is refused; carries every finding.
        TypeError: The class has no run().
    """
    findings = Findings()
    source = find_source(cls, findings, files)
    resolved = resolve(check(source, findings), findings)
    _stop_if_refused(cls, findings)
    lowered = lower(resolved, findings)
    _stop_if_refused(cls, findings)
    program = assemble(lowered)
    verify(program)
    text = text_of(function.source for function in resolved.functions)
    encoded = encode_program(program)
    return CompiledWorkflow(program, encoded, hash_program(encoded), text)


def _stop_if_refused(cls: type, findings: Findings) -> None:
    if findings:
        raise refuse(cls.__qualname__, findings.sorted())
