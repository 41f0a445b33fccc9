"""Statements: blocks of them, over a scope. Every loop ends by construction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.fuzz.choices import Choices
from tests.fuzz.concurrency import Concurrency
from tests.fuzz.expressions import KINDS, Expressions
from tests.fuzz.recipes import RECIPES
from tests.fuzz.scope import Scope
from tests.fuzz.text import Text

MOST_DEPTH = 4
_ERRORS = (
    "ValueError",
    "KeyError",
    "(IndexError, KeyError)",
    "ZeroDivisionError",
    "ShopError",
    "Exception",
    "LookupError",
    "TypeError",
)


class Statements:
    """Writes statements of one program."""

    def __init__(self, choices: Choices, text: Text) -> None:
        self._choices = choices
        self._text = text
        self.expressions = Expressions(choices)
        self._concurrency = Concurrency(choices, text, self)
        self.left = 0
        """Statements that may still be written."""
        self._makers: dict[str, tuple[Callable[[Scope], None], ...]] = {
            "": (self._assign, self._assign, self._log, self._augment, self._change),
            "if": (self._if,),
            "for": (self._for,),
            "while": (self._while,),
            "try": (self._try, self._finally),
            "raise": (self._raise,),
            "unpack": (self._unpack,),
            "delete": (self._delete,),
            "assert": (self._assert,),
            "match": (self._match,),
            "nested": (self._nested,),
            "lambda": (self._lambda,),
            "generators": (self._generator,),
            "attributes": (self._attribute,),
            "actions": (self._action, self._action),
            "library": (self._library, self._library, self._library),
            "leave": (self._leave,),
            "suppress": (self._suppress,),
            "groups": (self._groups,),
            "unbound": (self._unbound,),
            **self._concurrency.makers,
        }

    def block(self, scope: Scope, most: int = 4) -> None:
        """A block of some statements."""
        with self._text.indented(), scope.block():
            self.some(scope, most)

    def some(self, scope: Scope, most: int) -> None:
        """Statements at this place; at least one."""
        makers = [
            maker
            for feature, group in self._makers.items()
            if not feature or feature in scope.features
            for maker in group
        ]
        wrote = False
        for _ in range(1 + self._choices.up_to(most - 1)):
            if self.left <= 0:
                break
            self.left -= 1
            if scope.depth >= MOST_DEPTH:
                self._choices.pick((self._assign, self._log, self._augment))(scope)
            else:
                self._choices.pick(makers)(scope)
            wrote = True
        if not wrote:
            self._text.line("pass")

    @contextmanager
    def guarded(self, scope: Scope, log: str = "out") -> Iterator[None]:
        """What may raise, caught and noted."""
        text = self._text
        text.line("try:")
        with text.indented(), scope.block():
            yield
        text.line("except Exception as error:")
        with text.indented():
            text.line(f"{log}.append(repr(error))")

    def _of(self, kind: str, scope: Scope, depth: int = 2) -> str:
        return self.expressions.of(kind, scope, depth)

    # ---------------------------------------------------------------- simple

    def _assign(self, scope: Scope) -> None:
        kind = self._choices.pick(KINDS)
        value = self._of(kind, scope)
        own = [name for name in scope.of(kind) if name not in scope.read_only]
        name = self._choices.pick(own) if own and self._choices.chance(40) else scope.new(kind[0])
        form = self._choices.up_to(3)
        if form == 0:
            self._text.line(f"{name} = {value}")
        elif form == 1 and name not in own:  # a name that is nonlocal takes no annotation
            self._text.line(f"{name}: {_ANNOTATIONS.get(kind, 'object')} = {value}")
        elif form == 2:
            second = scope.new(kind[0])
            self._text.line(f"{name} = {second} = {value}")
            scope.add(kind, second)
        else:
            self._text.line(f"{name} = {value}; {name}")
        if name not in scope.of(kind):
            scope.add(kind, name)

    def _log(self, scope: Scope) -> None:
        self._text.line(f"out.append({self._of(self.expressions.kind(), scope)})")

    def _augment(self, scope: Scope) -> None:
        own = [name for name in scope.of("int") if name not in scope.read_only]
        if not own:
            self._assign(scope)
            return
        op = self._choices.pick(("+=", "-=", "&=", "|=", "^=", "//=", "%="))
        self._text.line(f"{self._choices.pick(own)} {op} {self._of('int', scope)}")

    def _change(self, scope: Scope) -> None:
        n, s = self._of("int", scope), self._of("str", scope)
        options = []
        for name in scope.of("list"):
            options += [
                f"if len({name}) < 9: {name}.append({n})",
                f"if {name}: {name}[0] = {n}",
                f"{name}.sort()",
                f"{name}[1:2] = [{n}]",
                f"{name}.insert(0, {name}.pop() if {name} else 0)",
            ]
        for name in scope.of("dict"):
            options += [
                f"{name}[{s}] = {n}",
                f"{name}.pop({s}, None)",
                f"{name}.update(z={n})",
                f"{name}.setdefault({s}, {n})",
            ]
        for name in scope.of("set"):
            options += [f"{name}.add({n})", f"{name}.discard({n})"]
        for name in scope.of("item"):
            options += [
                f"{name}.price = {n}",
                f"{name}.price += 1",
                f"{name}.tags.append({s}) if len({name}.tags) < 5 else None",
            ]
        if not options:
            self._assign(scope)
            return
        self._text.line(self._choices.pick(options))

    def _attribute(self, scope: Scope) -> None:
        n = self._of("int", scope)
        self._text.line(
            self._choices.pick(
                (
                    f"self.count = {n}",
                    f"self.count += {n}",
                    f"self.log[-3:] = [{n}]",
                    "out.append(len(self.log))",
                )
            )
        )

    def _unpack(self, scope: Scope) -> None:
        a, b, c = scope.new("i"), scope.new("i"), scope.new("l")
        n, xs = self._of("int", scope), self._of("list", scope)
        form, kinds = self._choices.pick(
            (
                (f"{a}, {b} = {n}, {self._of('int', scope)}", "ii"),
                (f"{a}, *{c} = [{n}, *{xs}][:5]", "il"),
                (f"*{c}, {a} = [*{xs}, {n}][:5]", "il"),
                (f"({a}, [{b}, *{c}]) = {n}, [{n}, *{xs}]", "iil"),
                (f"[{a}, {b}] = {xs}", "ii"),
                (f"{a}, {b} = {b}, {a} = {n}, 2", "ii"),
            )
        )
        self._text.line(form)
        scope.add("int", a)
        if kinds.count("i") == 2:
            scope.add("int", b)
        if "l" in kinds:
            scope.add("list", c)

    def _delete(self, scope: Scope) -> None:
        xs, d = scope.new("l"), scope.new("d")
        n = self._of("int", scope)
        self._text.line(f"{xs}, {d} = {self._of('list', scope)}, dict(k={n})")
        self._text.line(
            self._choices.pick(
                (f"del {xs}[:1]", f"del {d}['k'], {xs}[1:]", f"del {xs}[{n} % 3]", f"del ({d}['k'])")
            )
        )
        scope.add("list", xs)
        scope.add("dict", d)

    def _assert(self, scope: Scope) -> None:
        self._text.line(
            f"assert {self._of('bool', scope)}" + self._choices.pick(("", f", {self._of('str', scope)}"))
        )

    def _unbound(self, scope: Scope) -> None:
        name = scope.new("u")
        self._text.line(f"if {self._of('bool', scope)}: {name} = {self._of('int', scope)}")
        self._text.line(f"out.append({name})")

    # ---------------------------------------------------------------- compound

    def _if(self, scope: Scope) -> None:
        self._text.line(f"if {self._of('bool', scope)}:")
        self.block(scope)
        if self._choices.chance(40):
            self._text.line(f"elif {self._of('bool', scope)}:")
            self.block(scope, 3)
        if self._choices.chance(50):
            self._text.line("else:")
            self.block(scope, 3)

    def _for(self, scope: Scope) -> None:
        kind, target = "int", scope.new("i")
        xs = self._of("list", scope, 1)
        source = self._choices.pick(
            (f"range({self._choices.up_to(4)})", f"{xs}[:4]", f"sorted({self._of('set', scope, 1)})[:4]")
        )
        if self._choices.chance(25):
            self._text.line(f"for {target}, {scope.new('s')} in enumerate({self._of('str', scope, 1)}[:3]):")
        else:
            self._text.line(f"for {target} in {source}:")
        self._loop_body(scope, kind, target)
        self._orelse(scope)

    def _while(self, scope: Scope) -> None:
        turns = scope.new("n")
        self._text.line(f"{turns} = 0")
        self._text.line(f"while {turns} < {self._choices.up_to(3) + 1} and {self._of('bool', scope)}:")
        with self._text.indented():
            self._text.line(f"{turns} += 1")
        self._loop_body(scope, "int", turns)
        self._orelse(scope)

    def _loop_body(self, scope: Scope, kind: str, name: str) -> None:
        with self._text.indented(), scope.block():
            scope.add(kind, name)
            scope.read_only.add(name)
            scope.loops += 1
            leaves, scope.in_finally = scope.in_finally, False
            self.some(scope, 4)
            if self._choices.chance(35):
                self._text.line(f"if {self._of('bool', scope)}: {self._choices.pick(('continue', 'break'))}")
                self._log(scope)
            scope.in_finally = leaves
            scope.loops -= 1

    def _orelse(self, scope: Scope) -> None:
        if self._choices.chance(30):
            self._text.line("else:")
            self.block(scope, 2)

    def _try(self, scope: Scope) -> None:
        text = self._text
        text.line("try:")
        self.block(scope)
        for index in range(1 + self._choices.up_to(1)):
            error = self._choices.pick(_ERRORS)
            name = scope.new("e")
            text.line(f"except {error} as {name}:" if index == 0 else "except Exception:")
            with text.indented(), scope.block():
                if index == 0:
                    text.line(f"out.append(repr({name}.args))")
                    text.line(
                        f"out.append(repr({name}.__cause__))"
                        if self._choices.chance(20)
                        else f"out.append({name}.__context__ is None or isinstance({name}, waymark.ActionTimeout))"
                    )
                self.some(scope, 2)
                if self._choices.chance(15):
                    text.line(
                        self._choices.pick(
                            (
                                "raise",
                                "raise RuntimeError('again')",
                                "raise ValueError('from') from None",
                                "raise KeyError('k') from RuntimeError('cause')",
                            )
                        )
                    )
        if self._choices.chance(30):
            text.line("else:")
            self.block(scope, 2)
        if self._choices.chance(30):
            self._finally_part(scope)

    def _finally(self, scope: Scope) -> None:
        self._text.line("try:")
        self.block(scope)
        self._finally_part(scope)

    def _finally_part(self, scope: Scope) -> None:
        self._text.line("finally:")
        outer, scope.in_finally = scope.in_finally, True
        self.block(scope, 2)
        scope.in_finally = outer

    def _raise(self, scope: Scope) -> None:
        n, s = self._of("int", scope), self._of("str", scope)
        # One with an `__init__` of its own is built on a worker, for which a function that the library calls cannot wait.
        own = f"OutOfStock({s}, {n})" if scope.is_async else f"IndexError({s})"
        error = self._choices.pick(
            (
                f"ValueError({s})",
                f"KeyError({n})",
                f"Declined({s})",
                own,
                "LookupError",
                f"RuntimeError({n}, {s})",
            )
        )
        text = f"raise {error}" + self._choices.pick(("", "", " from None", " from ValueError('cause')"))
        if self._choices.chance(70):
            with self.guarded(scope):
                self._text.line(f"if {self._of('bool', scope)}: {text}")
        else:
            self._text.line(f"if {self._of('bool', scope)}: {text}")

    def _leave(self, scope: Scope) -> None:
        ways = ["break", "continue"] if scope.loops else []
        if not scope.no_return:
            ways.append(f"return {self._of('int', scope)}")
        if scope.in_finally or not ways:
            self._log(scope)
            return
        test = f"{self._of('bool', scope)} and {self._of('bool', scope)}"
        self._text.line(f"if {test}: {self._choices.pick(ways)}")

    def _suppress(self, scope: Scope) -> None:
        error = self._choices.pick(("ValueError", "KeyError, ValueError", "Exception", "ZeroDivisionError"))
        self._text.line(
            self._choices.pick(
                (
                    f"with contextlib.suppress({error}):",
                    f"with contextlib.nullcontext({self._of('int', scope)}) as {scope.new('x')}, contextlib.suppress({error}):",
                )
            )
        )
        self.block(scope)

    def _groups(self, scope: Scope) -> None:
        text = self._text
        text.line("try:")
        with text.indented(), scope.block():
            self.some(scope, 2)
            parts = f"ValueError({self._of('int', scope)}), KeyError('k')"
            inner = "ExceptionGroup('h', [OSError(1), ValueError(2)])"
            text.line(f"if {self._of('bool', scope)}: raise ExceptionGroup('g', [{parts}, {inner}])")
        name = scope.new("e")
        text.line(
            f"except* {self._choices.pick(('ValueError', 'KeyError', '(KeyError, OSError)', 'Exception'))} as {name}:"
        )
        with text.indented(), scope.block():
            text.line(f"out.append([repr(part) for part in {name}.exceptions])")
            outer = scope.in_finally, scope.no_return
            scope.in_finally = scope.no_return = True
            self.some(scope, 2)
            scope.in_finally, scope.no_return = outer
        if self._choices.chance(50):
            text.line("except* (LookupError, ArithmeticError):")
            with text.indented():
                text.line("out.append('lookup')")

    def _match(self, scope: Scope) -> None:
        kind = self._choices.pick(("list", "dict", "tuple", "item", "any", "int", "color", "str"))
        text = self._text
        text.line(f"match {self._of(kind, scope)}:")
        with text.indented():
            for _ in range(1 + self._choices.up_to(2)):
                self._case(scope)
            if self._choices.chance(40):
                text.line("case _:")
                self.block(scope, 2)

    def _case(self, scope: Scope) -> None:
        a, b = scope.new("m"), scope.new("m")
        n = self._choices.up_to(3)
        pattern, ints, lists = self._choices.pick(
            (
                (f"{n}", "", ""),
                (f"int({a})", a, ""),
                (f"[{a}, *{b}]", a, b),
                (f"[{a}, {n}, *_] | [_, {a}]", a, ""),
                (f"[*_, {n}, int() as {a}]", a, ""),
                ("[]", "", ""),
                (f"{{'a': {a}}}", a, ""),
                (f"{{'b': int({a}), **{b}}}", a, ""),
                (f"(int({a}), str())", a, ""),
                (f"Item(sku=str(), price={a})", a, ""),
                (f"Item('a' | '', {a})", a, ""),
                ("Color.RED | Color.BLUE", "", ""),
                ("str()", "", ""),
                ("None | True", "", ""),
                (f"(int() | bool()) as {a}", a, ""),
            )
        )
        with scope.block():
            if ints:
                scope.add("int", ints)
            if lists:
                scope.add("list", lists)
            guard = f" if {self._of('bool', scope)}" if self._choices.chance(35) else ""
            self._text.line(f"case {pattern}{guard}:")
            self.block(scope, 3)

    # ---------------------------------------------------------------- functions

    def _nested(self, scope: Scope) -> None:
        text = self._text
        is_async = scope.is_async and self._choices.chance(50)
        name, parameter = scope.new("f"), scope.new("a")
        own = [local for local in scope.of("int") if local not in scope.read_only]
        extra = self._choices.pick(
            (
                "",
                ", /, k=2",
                f", k={self._of('int', scope, 1)}",
                ", *more",
                f", *, k={self._of('int', scope, 1)}",
                ", **named",
            )
        )
        text.line(f"{'async ' if is_async else ''}def {name}({parameter}{extra}):")
        inner = scope.function(is_async)
        inner.add("int", parameter)
        inner.read_only.discard(parameter)
        with text.indented():
            if own and self._choices.chance(40):
                shared = self._choices.pick(own)
                text.line(f"nonlocal {shared}")
                inner.read_only.discard(shared)
                text.line(f"{shared} += 1")
            self.some(inner, 3)
            text.line(f"return {self._of('int', inner)}")
        with scope.iterated():
            n = self._of("int", scope, 1)
        if is_async:
            scope.coroutines.append(name)
            text.line(f"out.append(await {name}({n}))")
        else:
            text.line(
                self._choices.pick(
                    (
                        f"out.append({name}({n}))",
                        f"out.append([{name}(v) for v in ({n}, 2)])",
                        f"out.append(sorted([3, 1, 2], key={name}))",
                    )
                )
            )

    def _lambda(self, scope: Scope) -> None:
        name = scope.new("f")
        inner = scope.function(is_async=False)
        inner.in_generator = True
        parameter = inner.add("int", scope.new("a"))
        self._text.line(f"{name} = lambda {parameter}, *rest, k=1: {self._of('int', inner)}")
        self._text.line(f"out.append({name}({self._of('int', scope)}, 2, k=3))")

    def _generator(self, scope: Scope) -> None:
        name = scope.new("g")
        inner = scope.function(is_async=False)
        inner.in_generator = True
        item = inner.add("int", scope.new("v"))
        with scope.iterated():
            xs = self._of("list", scope, 1)
        self._text.line(
            f"{name} = ({self._of('int', inner)} for {item} in {xs} if {self._of('bool', inner)})"
        )
        self._text.line(f"out.append(next({name}, None))")
        if scope.is_async:
            self._text.line("await echo(0)")
        self._text.line(
            self._choices.pick(
                (
                    f"out.append(list({name}))",
                    f"out.append(sum({name}))",
                    f"for {item} in {name}: out.append({item})",
                    f"out.append(next({name}, 'end'))",
                )
            )
        )

    # ---------------------------------------------------------------- world

    def _action(self, scope: Scope) -> None:
        if not scope.is_async:
            self._assign(scope)
            return
        value = self.expressions.awaitable(scope)
        if self._choices.chance(60):
            with self.guarded(scope):
                self._text.line(f"out.append(await {value})")
        else:
            name = scope.new("i")
            self._text.line(f"{name} = await {value}")
            scope.add("int", name)

    def _library(self, scope: Scope) -> None:
        row = self._choices.pick(RECIPES)
        self._text.recipes.add(row.name)
        filled = row.template
        for kind in KINDS:
            while f"<{kind}>" in filled:
                filled = filled.replace(f"<{kind}>", self._of(kind, scope, 1), 1)
        with self.guarded(scope):
            self._text.line(f"out.append({filled})")


_ANNOTATIONS = {"int": "int", "list": "list[int]", "str": "str", "dict": "dict[str, int]"}
