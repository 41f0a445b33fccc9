"""ExceptionGroup and except*: construction, taking apart, what handlers catch, raise and let pass."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Declined, OutOfStock, ShopError, echo, fail
from waymark.sdk.workflow import Workflow


def show(error):
    """A group with its structure, notes and links, as plain data."""
    if error is None:
        return None
    parts = [type(error).__name__, str(error)]
    if isinstance(error, BaseExceptionGroup):
        parts.append([show(part) for part in error.exceptions])
    if error.__cause__ is not None:
        parts.append(["cause", str(error.__cause__)])
    if error.__context__ is not None:
        parts.append(["context", str(error.__context__)])
    return parts


def nested():
    return ExceptionGroup(
        "outer",
        [
            ValueError("v1"),
            ExceptionGroup(
                "inner", [KeyError("k"), ValueError("v2"), ExceptionGroup("deep", [TypeError("t")])]
            ),
            OSError("o"),
        ],
    )


@body()
class MakeGroups(Workflow):
    async def run(self):
        group = ExceptionGroup("message", [ValueError(1), KeyError("k")])
        base = BaseExceptionGroup("base", [asyncio.CancelledError("c")])
        plain = BaseExceptionGroup("plain", [ValueError(2)])
        return [
            show(group),
            group.message,
            len(group.exceptions),
            type(group.exceptions).__name__,
            repr(group),
            str(base),
            type(base).__name__,
            type(plain).__name__,
            isinstance(group, Exception),
            isinstance(base, Exception),
            group.args[0],
        ]


@body("empty", "text", "item", "message", "base", "none")
class MakeGroupsWrongly(Workflow):
    async def run(self, kind):
        match kind:
            case "empty":
                return ExceptionGroup("m", [])
            case "text":
                return ExceptionGroup("m", "abc")
            case "item":
                return ExceptionGroup("m", [ValueError(1), 3])
            case "message":
                return ExceptionGroup(3, [ValueError(1)])
            case "base":
                return ExceptionGroup("m", [asyncio.CancelledError()])
            case _:
                return ExceptionGroup("m")


@body("class", "tuple", "function", "nothing", "group")
class SplitAndSubgroup(Workflow):
    async def run(self, by):
        group = nested()
        match by:
            case "class":
                condition = ValueError
            case "tuple":
                condition = (KeyError, OSError)
            case "function":
                condition = lambda error: str(error) in ("v2", "t")
            case "nothing":
                condition = LookupError if False else ArithmeticError
            case "group":
                condition = lambda error: isinstance(error, ExceptionGroup) and error.message == "inner"
        match, rest = group.split(condition)
        return [show(match), show(rest), show(group.subgroup(condition)), group.subgroup(Exception) is group]


@body(3, "x", None)
class SplitByNonsense(Workflow):
    async def run(self, condition):
        return nested().split(condition)


@body()
class SplitKeepsLinks(Workflow):
    async def run(self):
        try:
            try:
                {}["first"]
            except KeyError as error:
                raise nested() from error
        except ExceptionGroup as group:
            group.add_note("a note")
            match, rest = group.split(ValueError)
            return [
                show(match),
                show(rest),
                match.__notes__,
                rest.__notes__,
                match.__cause__ is rest.__cause__,
            ]


@body()
class Derive(Workflow):
    async def run(self):
        group = nested()
        made = group.derive([KeyError("new")])
        return [show(made), made.message, type(made).__name__]


@body("value", "key", "declined", "fine", "both")
class StarOnNaked(Workflow):
    async def run(self, kind):
        log = []
        try:
            log.append(await fail(kind, "m"))
        except* ValueError as errors:
            log.append(["value", show(errors)])
        except* (KeyError, ShopError) as errors:
            log.append(["others", show(errors)])
        else:
            log.append("else")
        finally:
            log.append("finally")
        return log


@body()
class StarParts(Workflow):
    async def run(self):
        log = []
        try:
            raise nested()
        except* ValueError as errors:
            log.append(show(errors))
        except* (KeyError, OSError) as errors:
            log.append(show(errors))
        except* TypeError as errors:
            log.append(show(errors))
        return log


@body()
class StarLeavesTheRest(Workflow):
    async def run(self):
        log = []
        try:
            try:
                raise nested()
            except* ValueError as errors:
                log.append(await echo(len(errors.exceptions), 1))
        except ExceptionGroup as rest:
            log.append(show(rest))
        return log


@body()
class StarOrder(Workflow):
    async def run(self):
        log = []
        try:
            raise ExceptionGroup("g", [ValueError(1), UnicodeError(2), KeyError(3)])
        except* UnicodeError as errors:
            log.append(["unicode", repr(errors.exceptions)])
        except* ValueError as errors:
            log.append(["value", repr(errors.exceptions)])
        except* Exception as errors:
            log.append(["rest", repr(errors.exceptions)])
        except* LookupError:
            log.append("never")
        return log


@body("naked", "named", "new", "from", "other")
class StarRaises(Workflow):
    async def run(self, way):
        try:
            try:
                raise ExceptionGroup("g", [ValueError(1), KeyError(2), OSError(3)])
            except* ValueError as errors:
                match way:
                    case "naked":
                        raise
                    case "named":
                        raise errors
                    case "new":
                        raise TypeError("new")
                    case "from":
                        raise TypeError("new") from errors
                    case "other":
                        raise errors.exceptions[0]
            except* KeyError:
                pass
        except BaseException as error:
            return show(error)


@body()
class StarRaisesTwice(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("g", [ValueError(1), KeyError(2), OSError(3)])
            except* ValueError:
                raise RuntimeError("first")
            except* KeyError:
                raise RuntimeError("second")
        except ExceptionGroup as error:
            return show(error)


@body()
class StarNakedRaisesMerge(Workflow):
    async def run(self):
        try:
            try:
                raise nested()
            except* ValueError:
                raise
            except* TypeError:
                raise
            except* KeyError:
                pass
        except ExceptionGroup as error:
            return show(error)


@body("value", "key")
class StarOnNakedReraises(Workflow):
    async def run(self, kind):
        try:
            try:
                await fail(kind, "m")
            except* ValueError:
                raise
        except Exception as error:
            return show(error)


@body()
class StarNameIsUnbound(Workflow):
    async def run(self):
        try:
            raise ExceptionGroup("g", [ValueError(1)])
        except* ValueError as errors:
            kept = errors
        try:
            return errors
        except UnboundLocalError as error:
            return [str(error), show(kept)]


@body()
class StarContextOfNewErrors(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
            except* ValueError:
                {}["missing"]
        except ExceptionGroup as error:
            return show(error)


@body()
class StarOfGroupClass(Workflow):
    async def run(self):
        found = []
        for cls in (ExceptionGroup, BaseExceptionGroup, 3, (ValueError, "x")):
            try:
                try:
                    raise ValueError("x")
                except* cls:
                    pass
            except TypeError as error:
                found.append([str(error), str(error.__context__)])
        return found


@body()
class StarAndLoops(Workflow):
    async def run(self):
        log = []
        for kind in ("value", "key", "fine", "declined"):
            try:
                log.append(await fail(kind, kind))
                if kind == "fine":
                    continue
            except* (ValueError, KeyError) as errors:
                for error in errors.exceptions:
                    if isinstance(error, KeyError):
                        break
                    log.append(str(error))
                else:
                    log.append("no key")
            except* ShopError:
                log.append(await echo("shop", 1))
            finally:
                log.append("next")
        return log


@body()
class StarNested(Workflow):
    async def run(self):
        log = []
        try:
            try:
                raise nested()
            except* OSError:
                try:
                    raise ExceptionGroup("again", [ValueError("n"), KeyError("n")])
                except* KeyError as errors:
                    log.append(show(errors))
        except ExceptionGroup as error:
            log.append(show(error))
        return log


@body()
class StarInsideHandler(Workflow):
    async def run(self):
        log = []
        try:
            raise KeyError("outer")
        except KeyError:
            try:
                raise ExceptionGroup("g", [ValueError("v")])
            except* ValueError as errors:
                log.append(show(errors))
            try:
                raise
            except KeyError as error:
                log.append(str(error))
        return log


@body()
class StarReturnFromBody(Workflow):
    async def run(self):
        try:
            return await echo("body")
        except* ValueError:
            pass
        finally:
            await echo("finally")


@body()
class GroupOfTaskGroup(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail("declined", "a", 1))
                group.create_task(fail("stock", "b", 1))
                group.create_task(echo(1, 10))
        except* OutOfStock as errors:
            log.append([errors.exceptions[0].sku, errors.exceptions[0].left])
        except* Declined as errors:
            log.append(show(errors))
        return log


@body()
class GroupAsResult(Workflow):
    async def run(self):
        group = nested()
        group.add_note("note")
        group.code = 7
        again = await echo(group)
        return [show(again), again.code, again.__notes__, again]


@body()
class GroupAsError(Workflow):
    async def run(self):
        try:
            raise KeyError("cause")
        except KeyError as error:
            raise nested() from error


@body()
class GroupSharesParts(Workflow):
    async def run(self):
        part = ValueError("shared")
        one, two = ExceptionGroup("one", [part]), ExceptionGroup("two", [part])
        await asyncio.sleep(1)
        part.note = "seen"
        return [
            one.exceptions[0] is two.exceptions[0],
            one.exceptions[0].note,
            one.subgroup(ValueError) is one,
        ]


@body()
class BaseGroupOfCancellation(Workflow):
    async def run(self):
        log = []
        try:
            raise BaseExceptionGroup("g", [asyncio.CancelledError("c"), ValueError("v")])
        except* asyncio.CancelledError as errors:
            log.append(show(errors))
        except* ValueError as errors:
            log.append(show(errors))
        return log
