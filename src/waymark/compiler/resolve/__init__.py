"""Third pass: bind every name to what it stands for: local, action, helper, class, library, constant."""

from __future__ import annotations

import types

from waymark.compiler.bindings import ResolvedWorkflow
from waymark.compiler.diagnostics import Findings
from waymark.compiler.resolve.functions import FunctionResolver
from waymark.compiler.resolve.members import Members
from waymark.compiler.resolve.plain import PlainFunctions
from waymark.compiler.resolve.statics import Statics
from waymark.compiler.resolve.workflow_class import WorkflowClass, assigned_names, helpers_of
from waymark.compiler.source import WorkflowSource, shown_path


def resolve(source: WorkflowSource, findings: Findings) -> ResolvedWorkflow:
    """Bind the names of all functions of a workflow, reporting those that cannot be."""
    statics = Statics()
    workflow = WorkflowClass(
        source.cls,
        source.functions,
        helpers_of(source.cls, source.functions),
        assigned_names(source.functions),
        statics,
    )
    _refuse_init(source.cls, findings)
    resolvers = [FunctionResolver(function, workflow, findings) for function in source.functions]
    for resolver in resolvers:
        workflow.table.add(resolver)
    plain = PlainFunctions(workflow, source.files)
    statics.bind_function = plain.bind
    for resolver in resolvers:
        resolver.resolve()
    members = Members(workflow, statics, plain)
    _include_all(workflow, plain, members)
    _report_all(workflow, plain, members)
    attributes = tuple((name, workflow.index_of(value)) for name, value in workflow.attributes.items())
    return ResolvedWorkflow(
        source.cls,
        source.name,
        workflow.table.functions(),
        statics.classes(),
        tuple(workflow.stored),
        attributes,
        members.rows(),
    )


def _include_all(workflow: WorkflowClass, plain: PlainFunctions, members: Members) -> None:
    """Functions name functions, their signatures lead to classes, whose members are functions: until nothing is new."""
    is_new = True
    while is_new:
        plain.resolve()
        resolvers = workflow.table.resolvers
        workflow.statics.include_signatures(
            resolver.source.function for resolver in resolvers if not resolver.source.is_nested
        )
        is_new = members.include(name for resolver in resolvers for name in resolver.names_looked_up())


def _report_all(workflow: WorkflowClass, plain: PlainFunctions, members: Members) -> None:
    """A finding in a function makes it unfit, which is a finding where it is named: until nothing is new."""
    count = -1
    while count != sum(len(resolver.findings) for resolver in workflow.table.resolvers):
        count = sum(len(resolver.findings) for resolver in workflow.table.resolvers)
        for resolver in workflow.table.resolvers:
            resolver.refuse_class_code(workflow.statics.classes(), members)
        plain.report()


def _refuse_init(cls: type, findings: Findings) -> None:
    for base in cls.__mro__:
        if base.__module__.startswith("waymark.sdk."):
            continue
        for name in ("__init__", "__new__", "__getattr__", "__getattribute__", "__setattr__"):
            function = vars(base).get(name)
            if isinstance(function, types.FunctionType):
                code = function.__code__
                findings.report_function(
                    code,
                    shown_path(code.co_filename),
                    function.__qualname__.rpartition("<locals>.")[2],
                    (
                        "WM126",
                        f"`{name}` of a workflow never runs: a run starts from run() and its arguments alone",
                        "pass the values as arguments of run()",
                    ),
                )


__all__ = ["resolve"]
