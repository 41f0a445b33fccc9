"""try, except, else, finally, raise: every way in and out."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Declined, OutOfStock, ShopError, add, echo, fail
from waymark.sdk.workflow import Workflow


@body("value", "key", "fine")
class TryExceptElse(Workflow):
    async def run(self, kind):
        log = []
        try:
            log.append(await fail(kind))
        except ValueError as error:
            log.append(f"value {error}")
        except (KeyError, IndexError) as error:
            log.append(f"key {error}")
        else:
            log.append("else")
        finally:
            log.append("finally")
        return log


@body("value", "zero", "key", "declined", "stock", "empty", "args")
class ActionErrorEscapes(Workflow):
    async def run(self, kind):
        await echo(1)
        return await fail(kind, "it broke")


@body("declined", "stock", "value")
class CaughtByBaseClass(Workflow):
    async def run(self, kind):
        try:
            await fail(kind, "sku-1")
        except ShopError as error:
            return [type(error).__name__, str(error), isinstance(error, OutOfStock), error.args]


@body()
class ExceptionAttributes(Workflow):
    async def run(self):
        try:
            await fail("stock", "sku-9")
        except OutOfStock as error:
            return [error.sku, error.left, str(error)]


@body()
class ReturnInFinally(Workflow):
    async def run(self):
        try:
            return await echo("try")
        finally:
            return "finally"


@body()
class FinallyOverridesError(Workflow):
    async def run(self):
        try:
            1 / 0
        finally:
            return "swallowed"


@body()
class ReturnValueIsKept(Workflow):
    async def run(self):
        x = 1
        try:
            return x
        finally:
            x = await echo(2)


@body()
class ReturnThroughTwoFinallys(Workflow):
    async def go(self, log):
        try:
            try:
                log.append("body")
                return "value"
            finally:
                log.append(await echo("inner"))
        finally:
            log.append(await echo("outer"))

    async def run(self):
        log = []
        return [await self.go(log), log]


@body(5)
class BreakThroughFinally(Workflow):
    async def run(self, n):
        log = []
        for i in range(n):
            try:
                if i == 1:
                    continue
                if i == 3:
                    break
                log.append(i)
            finally:
                log.append(f"f{i}")
        else:
            log.append("else")
        return log


@body()
class ContinueInFinally(Workflow):
    async def run(self):
        log = []
        for i in range(3):
            try:
                log.append(i)
                if i == 1:
                    raise ValueError(i)
            finally:
                log.append("f")
                if i == 1:
                    continue
            log.append("after")
        return log


@body()
class BreakInFinally(Workflow):
    async def run(self):
        for i in range(3):
            try:
                return i
            finally:
                break
        return "after"


@body()
class BreakInFinallySwallows(Workflow):
    async def run(self):
        while True:
            try:
                raise KeyError("lost")
            finally:
                break
        return "survived"


@body()
class ReturnInLoopInFinally(Workflow):
    async def run(self):
        log = []
        for a in range(2):
            for b in range(2):
                try:
                    try:
                        if b:
                            return [log, a, b]
                    finally:
                        log.append((a, b, "in"))
                finally:
                    log.append((a, b, "out"))


@body()
class FinallyRaisesOther(Workflow):
    async def run(self):
        try:
            raise ValueError("first")
        finally:
            raise KeyError("second")


@body()
class ContextIsKept(Workflow):
    async def run(self):
        try:
            try:
                raise ValueError("first")
            finally:
                {}["second"]
        except KeyError as error:
            return [repr(error), repr(error.__context__), error.__cause__]


@body("value", "fine")
class Reraise(Workflow):
    async def run(self, kind):
        log = []
        try:
            try:
                await fail(kind, "again")
            except ValueError:
                log.append("seen")
                raise
        except Exception as error:
            log.append(repr(error))
        return log


@body()
class ReraiseEscapes(Workflow):
    async def run(self):
        try:
            await fail("declined", "no money")
        except ShopError:
            await echo("cleanup")
            raise


@body()
class RaiseFrom(Workflow):
    async def run(self):
        try:
            try:
                await fail("key", "k")
            except KeyError as error:
                raise RuntimeError("wrapped") from error
        except RuntimeError as error:
            return [str(error), repr(error.__cause__), error.__cause__ is error.__context__]


@body()
class RaiseFromNone(Workflow):
    async def run(self):
        try:
            try:
                1 // 0
            except ZeroDivisionError:
                raise ValueError("clean") from None
        except ValueError as error:
            return [error.__cause__, repr(error.__context__)]


@body()
class RaiseFromEscapes(Workflow):
    async def run(self):
        try:
            int("x")
        except ValueError as error:
            raise Declined("bad number") from error


@body(1, "text", None)
class RaiseNonException(Workflow):
    async def run(self, value):
        raise value


@body()
class RaiseClass(Workflow):
    async def run(self):
        raise Declined


@body()
class BareRaiseOutside(Workflow):
    async def run(self):
        raise


@body()
class RaiseInHandler(Workflow):
    async def run(self):
        try:
            raise ValueError("one")
        except ValueError:
            raise TypeError("two")


@body()
class NameUnboundAfterHandler(Workflow):
    async def run(self):
        try:
            1 / 0
        except ZeroDivisionError as error:
            pass
        return error


@body()
class NameReusedByHandler(Workflow):
    async def run(self):
        e = "before"
        for kind in ("value", "fine"):
            try:
                await fail(kind)
            except ValueError as e:
                kept = str(e)
        try:
            return e
        except UnboundLocalError as error:
            return [kept, str(error)]


@body()
class HandlerDeletesName(Workflow):
    async def run(self):
        try:
            raise ValueError(1)
        except ValueError as error:
            del error
        return "fine"


@body(0, 1, 2, 3)
class NestedTries(Workflow):
    async def run(self, n):
        log = []
        try:
            try:
                log.append("a")
                if n == 1:
                    raise ValueError("v")
                try:
                    if n == 2:
                        raise KeyError("k")
                    if n == 3:
                        raise OSError("o")
                except KeyError:
                    log.append("key")
                    await echo(1)
                else:
                    log.append("else")
                finally:
                    log.append("f1")
            except ValueError:
                log.append("value")
            finally:
                log.append("f2")
        except OSError as error:
            log.append(str(error))
        return log


@body()
class ErrorInElse(Workflow):
    async def run(self):
        log = []
        try:
            try:
                log.append("body")
            except KeyError:
                log.append("never")
            else:
                raise KeyError("from else")
            finally:
                log.append("f")
        except KeyError as error:
            log.append(error.args)
        return log


@body()
class ErrorInHandlerRunsFinally(Workflow):
    async def run(self):
        log = []
        try:
            try:
                raise ValueError
            except ValueError:
                log.append("handler")
                raise TypeError("t")
            finally:
                log.append("finally")
        except TypeError:
            log.append("outer")
        return log


@body("value", "key")
class ExceptExpression(Workflow):
    async def run(self, kind):
        wanted = (KeyError,) if kind == "key" else ValueError
        try:
            await fail(kind)
        except wanted as error:
            return type(error).__name__


@body()
class ExceptNonClass(Workflow):
    async def run(self):
        try:
            raise ValueError("x")
        except "ValueError":
            return 1


@body()
class HandledExceptionIsRestored(Workflow):
    async def run(self):
        log = []
        try:
            raise ValueError("outer")
        except ValueError:
            try:
                raise KeyError("inner")
            except KeyError:
                log.append("inner")
            try:
                raise
            except ValueError as error:
                log.append(repr(error))
        return log


@body()
class ReraiseInHelper(Workflow):
    def again(self):
        raise

    async def run(self):
        try:
            raise ValueError("from caller")
        except ValueError:
            try:
                self.again()
            except ValueError as error:
                return repr(error)


@body()
class TryInLoopWithElse(Workflow):
    async def run(self):
        log = []
        for kind in ("fine", "value", "key", "fine"):
            try:
                await fail(kind, kind)
            except ValueError:
                log.append("v")
                continue
            except KeyError:
                log.append("k")
                break
            else:
                log.append("e")
            finally:
                log.append("f")
        return log


@body(0, 1)
class AssertStatements(Workflow):
    async def run(self, n):
        assert n, f"n is {n}"
        assert n < 1, ["list", n]
        return "never"


@body()
class AssertPlain(Workflow):
    async def run(self):
        assert 1 == 2


@body()
class UnboundLocal(Workflow):
    async def run(self):
        if await echo(False):
            x = 1
        return x


@body("upper", "nope")
class AttributeErrors(Workflow):
    async def run(self, name):
        return getattr("text", name)()


@body()
class MissingAttribute(Workflow):
    async def run(self):
        return (await echo(5)).real + [].append


@body(None, 3)
class AttributeOfValue(Workflow):
    async def run(self, value):
        return value.upper()


@body(3, "f")
class CallNonCallable(Workflow):
    async def run(self, value):
        return value(1)


@body()
class ExceptionValues(Workflow):
    async def run(self):
        errors = [
            ValueError("a"),
            KeyError("k"),
            ValueError(),
            OSError(2, "gone"),
            ValueError("a", 1),
            Declined("d"),
        ]
        return [[str(e), repr(e), e.args, type(e).__name__] for e in errors] + [
            isinstance(errors[1], LookupError)
        ]


@body()
class CustomExceptionFields(Workflow):
    async def run(self):
        error = Declined("x")
        error.code = 42
        try:
            raise error
        except ShopError as caught:
            return [caught is error, caught.code]


@body()
class AddedNotes(Workflow):
    async def run(self):
        error = ValueError("x")
        error.add_note("look here")
        return [error.__notes__, str(error)]


@body()
class StoredException(Workflow):
    async def run(self):
        kept = None
        try:
            await fail("value", "kept")
        except ValueError as error:
            kept = error
        await echo(1)
        raise kept


@body()
class ExceptionInComprehension(Workflow):
    async def run(self):
        out = []
        for divisors in ([1, 2], [1, 0], [4]):
            try:
                out.append([8 // d for d in divisors])
            except ZeroDivisionError as error:
                out.append(str(error))
        return out


@body()
class ExceptionInCondition(Workflow):
    async def run(self):
        try:
            if [1][3] or await echo(1):
                return "no"
        except IndexError as error:
            return str(error)


@body()
class FinallyWithAwaitOnError(Workflow):
    async def run(self):
        total = 0
        try:
            total += await add(1)
            await fail("key", "gone")
        finally:
            total += await add(total)
            await echo(total)


@body()
class DeepFinally(Workflow):
    async def run(self):
        log = []
        while True:
            try:
                try:
                    try:
                        log.append("in")
                        raise ValueError("x")
                    except ValueError:
                        log.append("except")
                        break
                    finally:
                        log.append(1)
                finally:
                    log.append(2)
            finally:
                log.append(3)
        return log


@body()
class ExceptStarless(Workflow):
    async def run(self):
        try:
            await fail("value")
        except:
            return "bare"


@body()
class TracebackOfHelper(Workflow):
    def parse(self, text):
        return int(text)

    async def load(self, text):
        return self.parse(await echo(text))

    async def run(self):
        return await self.load("seven")
