"""Expressions by type. Sizes stay small whatever a loop does with them: what grows is cut, what multiplies is taken modulo."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.choices import Choices
from tests.fuzz.scope import Scope

KINDS = ("int", "str", "bool", "list", "dict", "float", "tuple", "set", "item", "color", "model", "any")
"""Types of variables; `list` holds ints, `dict` ints by str, `set` ints, `tuple` an int and a str, `any` whatever an action gave."""

_WORDS = ("a", "bc", "", "x y", "Zürich", "10", "{}", "a,b,a")


class Expressions:
    """Makes expressions for one program."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._makers: dict[str, tuple[Callable[[Scope, int], str], ...]] = {
            "int": (
                self._int_constant,
                self._int_arithmetic,
                self._int_of_container,
                self._int_conditional,
                self._int_attribute,
                self._int_call,
                self._int_walrus,
                self._int_library,
                self._int_awaited,
                self._int_lambda,
            ),
            "bool": (
                self._bool_constant,
                self._bool_compare,
                self._bool_logic,
                self._bool_membership,
                self._bool_library,
            ),
            "str": (self._str_constant, self._str_format, self._str_method, self._str_cut, self._str_library),
            "float": (self._float_constant, self._float_arithmetic),
            "list": (self._list_display, self._list_comprehension, self._list_operation, self._list_library),
            "dict": (self._dict_display, self._dict_comprehension, self._dict_operation),
            "tuple": (self._tuple_display, self._tuple_slice),
            "set": (self._set_display, self._set_operation, self._set_comprehension),
            "item": (self._item_construct, self._item_replace),
            "color": (self._color,),
            "model": (self._model_construct,),
            "any": (self._any_mixed,),
        }

    def of(self, kind: str, scope: Scope, depth: int = 2) -> str:
        """An expression of a type; the deeper, the simpler."""
        names = scope.of(kind)
        if names and (depth <= 0 or self._choices.chance(45)):
            return self._choices.pick(names)
        makers = self._makers[kind]
        if depth <= 0:
            return makers[0](scope, 0)
        return self._choices.pick(makers)(scope, depth - 1)

    def kind(self) -> str:
        """Some type."""
        return self._choices.pick(KINDS)

    # ---------------------------------------------------------------- int

    def _int_constant(self, scope: Scope, depth: int) -> str:
        return str(self._choices.pick((0, 1, 2, 3, 7, 10, -1, -5, 12, 255, 1000, 10**20, -(2**63))))

    def _int_arithmetic(self, scope: Scope, depth: int) -> str:
        a, b = self.of("int", scope, depth), self.of("int", scope, depth)
        return self._choices.pick(
            (
                f"({a} + {b})",
                f"({a} - {b})",
                f"({a} * {b} % 9973)",
                f"({a} // ({b} or 1))",
                f"({a} % ({b} or 7))",
                f"({a} // {b})",
                f"({a} & {b})",
                f"({a} | {b})",
                f"({a} ^ {b})",
                f"(-{a})",
                f"(~{a})",
                f"(({a} % 50) << ({b} % 9))",
                f"({a} >> ({b} % 70))",
                f"(({a} % 20) ** ({b} % 6))",
                f"(+{a})",
            )
        )

    def _int_of_container(self, scope: Scope, depth: int) -> str:
        xs, n = self.of("list", scope, depth), self.of("int", scope, depth)
        d, t, s = self.of("dict", scope, depth), self.of("tuple", scope, depth), self.of("str", scope, depth)
        return self._choices.pick(
            (
                f"len({xs})",
                f"sum({xs})",
                f"{xs}[{n} % 3]",
                f"({xs} or [{n}])[-1]",
                f"{t}[0]",
                f"{d}.get({s}, {n})",
                f"len({s})",
                f"max({xs}, default={n})",
                f"{d}[{s}]",
                f"len({self.of('set', scope, depth)})",
                f"{xs}.count({n})",
                f"{xs}.index({n})",
            )
        )

    def _int_conditional(self, scope: Scope, depth: int) -> str:
        test = self.of("bool", scope, depth)
        return f"({self.of('int', scope, depth)} if {test} else {self.of('int', scope, depth)})"

    def _int_attribute(self, scope: Scope, depth: int) -> str:
        return self._choices.pick(
            (
                f"{self.of('item', scope, depth)}.price",
                f"{self.of('model', scope, depth)}.age",
                f"len({self.of('color', scope, depth)}.value)",
                "Level.MID",
                "LIMITS['max']",
                "self.count",
                "len(NAMES)",
            )
        )

    def _int_call(self, scope: Scope, depth: int) -> str:
        if not scope.helpers:
            return self._int_constant(scope, depth)
        helper = self._choices.pick(scope.helpers)
        n = self.of("int", scope, depth)
        return self._choices.pick(
            (f"{helper}({n})", f"{helper}(n={n})", f"{helper}(*[{n}])", f"{helper}({n}, k={n})")
        )

    def _int_walrus(self, scope: Scope, depth: int) -> str:
        value = self.of("int", scope, depth)
        if "walrus" not in scope.features or scope.in_generator:
            return f"({value})"
        name = scope.new("w")
        text = f"({name} := {value})"
        return f"({text} + {name})"

    def _int_library(self, scope: Scope, depth: int) -> str:
        n, m = self.of("int", scope, depth), self.of("int", scope, depth)
        return self._choices.pick(
            (
                f"abs({n})",
                f"min({n}, {m})",
                f"divmod({n}, {m} or 1)[1]",
                f"int({self.of('float', scope, depth)})",
                f"round({self.of('float', scope, depth)})",
                f"int({self.of('str', scope, depth)})",
                f"pow({n} % 30, {m} % 5, 101)",
                f"ord(({self.of('str', scope, depth)} or 'q')[0])",
                f"({n}).bit_length()",
            )
        )

    def _int_awaited(self, scope: Scope, depth: int) -> str:
        n = self.of("int", scope, depth)
        if not scope.is_async or scope.in_generator:
            return f"abs({n})"
        return f"(await {self.awaitable(scope, depth)})"

    def _int_lambda(self, scope: Scope, depth: int) -> str:
        n = self.of("int", scope, depth)
        if "lambda" not in scope.features:
            return n
        inner = scope.function(is_async=False)
        name = inner.add("int", scope.new("p"))
        inner.in_generator = True  # what it binds stays inside
        body = self.of("int", inner, depth)
        default = self._choices.pick(("", f", y={self.of('int', scope, 0)}", ", *rest", ", **options"))
        return f"(lambda {name}{default}: {body})({n})"

    def awaitable(self, scope: Scope, depth: int = 1) -> str:
        """Something to await that gives an int, not awaited yet."""
        n = self.of("int", scope, depth)
        after = self._choices.pick((0, 0.001, 0.002, 0.003, 0.005, 0.01))
        options = [
            f"echo({n}, {after})",
            f"square({n} % 100)",
            f"add({n}, {self.of('int', scope, 0)})",
            f"later({n}, seconds={after})",
            f"asyncio.sleep({after}, {n})",
        ]
        if "failing" in scope.features:
            kind = self._choices.pick(("value", "key", "declined", "stock", "zero"))
            options.append(f"fail({kind!r}, 'm', {after})")
        if "policies" in scope.features:
            attempts, failures = self._choices.up_to(3) + 1, self._choices.up_to(3)
            policy = f"RetryPolicy(attempts={attempts}, exception_types=['ValueError'])"
            options.append(
                f"self.run_action(flaky(self.keys.append(0) or len(self.keys), {failures}), retry={policy})"
            )
            # No two limits end at one moment: natively they are timers of one loop, here results of different calls.
            options.append(
                f"self.run_action(later({n}, {after}), timeout=0.004 + (self.keys.append(0) or len(self.keys)) / 100_000)"
            )
        options += [f"{name}({n})" for name in scope.coroutines]
        return self._choices.pick(options)

    # ---------------------------------------------------------------- bool

    def _bool_constant(self, scope: Scope, depth: int) -> str:
        return self._choices.pick(("True", "False"))

    def _bool_compare(self, scope: Scope, depth: int) -> str:
        a, b, c = (self.of("int", scope, depth) for _ in range(3))
        op, other = (
            self._choices.pick(("<", "<=", "==", "!=", ">", ">=")),
            self._choices.pick(("<", "==", ">=")),
        )
        kind = self._choices.pick(("str", "list", "dict", "tuple", "set", "item", "color", "float", "model"))
        x, y = self.of(kind, scope, depth), self.of(kind, scope, depth)
        return self._choices.pick(
            (f"({a} {op} {b})", f"({a} {op} {b} {other} {c})", f"({x} == {y})", f"({x} != {y})")
        )

    def _bool_logic(self, scope: Scope, depth: int) -> str:
        a, b = self.of("bool", scope, depth), self.of("bool", scope, depth)
        n, s = self.of("int", scope, depth), self.of("str", scope, depth)
        return self._choices.pick(
            (f"({a} and {b})", f"({a} or {b})", f"(not {a})", f"bool({n} or {s})", f"bool({s} and {n})")
        )

    def _bool_membership(self, scope: Scope, depth: int) -> str:
        n, s = self.of("int", scope, depth), self.of("str", scope, depth)
        container = self.of(self._choices.pick(("list", "set")), scope, depth)
        return self._choices.pick(
            (
                f"({n} in {container})",
                f"({n} not in {container})",
                f"({s} in {self.of('dict', scope, depth)})",
                f"({s} in {self.of('str', scope, depth)})",
                f"({self.of('any', scope, depth)} is None)",
                f"({self.of('any', scope, depth)} is not None)",
                f"({self.of('color', scope, depth)} is Color.RED)",
            )
        )

    def _bool_library(self, scope: Scope, depth: int) -> str:
        inner = scope.function(is_async=False)
        name = inner.add("int", scope.new("g"))
        inner.in_generator = True
        test = self.of("bool", inner, depth)
        with scope.iterated():
            xs = self.of("list", scope, depth)
        return self._choices.pick(
            (
                f"any({test} for {name} in {xs})",
                f"all({test} for {name} in {xs})",
                f"isinstance({self.of('any', scope, depth)}, (int, str))",
                f"{self.of('str', scope, depth)}.startswith({self.of('str', scope, depth)})",
                f"any({xs})",
            )
        )

    # ---------------------------------------------------------------- str

    def _str_constant(self, scope: Scope, depth: int) -> str:
        return repr(self._choices.pick(_WORDS))

    def _str_format(self, scope: Scope, depth: int) -> str:
        n, f, s = self.of("int", scope, depth), self.of("float", scope, depth), self.of("str", scope, depth)
        return self._choices.pick(
            (
                f"'{{}}-{{:>4}}'.format({n}, {s})[:20]",
                f"'%s/%d' % ({s}, {n})",
                f"format({n}, {self._choices.pick(('d', 'x', ',', '08d', '+', ' ', '^12'))!r})",
                f"format({f}, {self._choices.pick(('.2f', 'e', 'g', '10.3f', '%'))!r})",
                self._f_string(scope, depth),
                f"str({n})[:9]",
                f"repr({s})[:12]",
            )
        )

    def _f_string(self, scope: Scope, depth: int) -> str:
        names = [*scope.of("int"), *scope.of("str"), *scope.of("list"), *scope.of("item")]
        if not names:
            return "f'none'"
        name, other = self._choices.pick(names), self._choices.pick(names)
        part = self._choices.pick(
            (
                f"{{{name}}}",
                f"{{{name}!r}}",
                f"{{{name}!s:>6}}",
                f"{{{name}=}}",
                f"{{{name}!a:{{len({name!r})}}}}",
            )
        )
        return f'f"{part}|{{{other}}}"[:24]'

    def _str_method(self, scope: Scope, depth: int) -> str:
        s, other = self.of("str", scope, depth), self.of("str", scope, depth)
        return self._choices.pick(
            (
                f"{s}.upper()",
                f"{s}.replace({other} or 'a', 'z')[:12]",
                f"{s}.strip().title()",
                f"{s}.partition('a')[2]",
                f"{s}.ljust(5, '.')",
                f"{s}.split(',')[-1]",
            )
        )

    def _str_cut(self, scope: Scope, depth: int) -> str:
        s, other, n = self.of("str", scope, depth), self.of("str", scope, depth), self.of("int", scope, depth)
        return self._choices.pick(
            (f"({s} + {other})[:12]", f"({s} * ({n} % 4))[:12]", f"{s}[::-1]", f"{s}[{n} % 3:]", f"{s}[-1:]")
        )

    def _str_library(self, scope: Scope, depth: int) -> str:
        xs = self.of("list", scope, depth)
        return self._choices.pick(
            (
                f"','.join(map(str, {xs}))[:16]",
                f"{self.of('tuple', scope, depth)}[1]",
                f"{self.of('item', scope, depth)}.sku",
                f"{self.of('color', scope, depth)}.name",
                f"chr(97 + {self.of('int', scope, depth)} % 26)",
                f"str({self.of('bool', scope, depth)})",
                f"hex({self.of('int', scope, depth)})[:10]",
                f"{self.of('model', scope, depth)}.name",
            )
        )

    # ---------------------------------------------------------------- the rest

    def _float_constant(self, scope: Scope, depth: int) -> str:
        return self._choices.pick(("0.0", "1.5", "-2.25", "1e10", "0.1", "3.0", "float('inf')", "-0.0"))

    def _float_arithmetic(self, scope: Scope, depth: int) -> str:
        a, n = self.of("float", scope, depth), self.of("int", scope, depth)
        return self._choices.pick(
            (
                f"({a} * 0.5)",
                f"({a} + 1.25)",
                f"({n} / ({n} or 3))",
                f"abs({a})",
                f"round({a} % 100, 2)",
                f"({a} - {self.of('float', scope, depth)})",
                f"math.floor({a} % 9) * 1.0",
                f"({n} % 1000) ** 0.5",
            )
        )

    def _list_display(self, scope: Scope, depth: int) -> str:
        parts = [self.of("int", scope, depth - 1) for _ in range(self._choices.up_to(4))]
        if depth > 0 and self._choices.chance(30):
            parts.append(f"*{self.of(self._choices.pick(('list', 'list')), scope, depth - 1)}[:3]")
        return f"[{', '.join(parts)}]"

    def _comprehension(self, scope: Scope, depth: int) -> tuple[Scope, str]:
        """Scope of the element, and the `for` parts."""
        inner = scope.function(scope.is_async)
        inner.in_generator = scope.in_generator
        with scope.iterated():
            source = self._choices.pick(
                (
                    self.of("list", scope, depth),
                    f"range({self._choices.up_to(5)})",
                    f"{self.of('list', scope, depth)}[:4]",
                )
            )
        inner.features -= {"walrus"}
        name = inner.add("int", scope.new("c"))
        text = f"for {name} in {source}"
        if self._choices.chance(25):
            second = scope.new("c")
            text += f" for {second} in range({name} % 3)"
            inner.add("int", second)
        if self._choices.chance(40):
            text += f" if {self.of('bool', inner, depth - 1)}"
        return inner, text

    def _list_comprehension(self, scope: Scope, depth: int) -> str:
        inner, loops = self._comprehension(scope, depth)
        return f"[{self.of('int', inner, depth)} {loops}][:8]"

    def _list_operation(self, scope: Scope, depth: int) -> str:
        xs, n = self.of("list", scope, depth), self.of("int", scope, depth)
        return self._choices.pick(
            (
                f"({xs} + {self.of('list', scope, depth)})[:6]",
                f"({xs} * ({n} % 3))[:6]",
                f"{xs}[{n} % 4:]",
                f"{xs}[::-1]",
                f"{xs}[:{n} % 5:2]",
                f"[*{xs}[:3], {n}]",
                f"{xs}.copy()",
            )
        )

    def _list_library(self, scope: Scope, depth: int) -> str:
        with scope.iterated():
            xs = self.of("list", scope, depth)
        options = [
            f"sorted({xs})",
            f"sorted({xs}, reverse=True)",
            f"list(reversed({xs}))",
            f"sorted({self.of('set', scope, depth)})",
            f"[i * j % 97 for i, j in zip({xs}, range(5))]",
            f"[i + j for i, j in enumerate({xs})][:6]",
            f"list({self.of('dict', scope, depth)}.values())",
            f"list(range({self._choices.up_to(5)}))",
            f"list(map(abs, {xs}))",
            f"list(filter(None, {xs}))",
        ]
        if "lambda" in scope.features:
            options.append(f"sorted({xs}, key=lambda v: (v % 3, -v))")
            options.append(f"list(map(lambda v, w=2: v % 50 * w, {xs}))")
        if "generators" in scope.features:
            options.append(f"list(v % 7 for v in {xs} if v)")
            options.append(f"[*(v - 1 for v in {xs})]")
        return self._choices.pick(options)

    def _dict_display(self, scope: Scope, depth: int) -> str:
        parts = [
            f"{self.of('str', scope, depth - 1)}: {self.of('int', scope, depth - 1)}"
            for _ in range(self._choices.up_to(3))
        ]
        if depth > 0 and self._choices.chance(25):
            parts.append(f"**{self.of('dict', scope, depth - 1)}")
        return f"{{{', '.join(parts)}}}"

    def _dict_comprehension(self, scope: Scope, depth: int) -> str:
        inner, loops = self._comprehension(scope, depth)
        return f"{{{self.of('str', inner, depth)}: {self.of('int', inner, depth)} {loops}}}"

    def _dict_operation(self, scope: Scope, depth: int) -> str:
        d = self.of("dict", scope, depth)
        return self._choices.pick(
            (
                f"({d} | {self.of('dict', scope, depth)})",
                f"dict({d})",
                f"dict(sorted({d}.items())[:4])",
                f"dict(a={self.of('int', scope, depth)}, **{{'b': 1}})",
                f"dict(zip('abc', {self.of('list', scope, depth)}))",
                f"dict.fromkeys({self.of('str', scope, depth)}[:4], {self.of('int', scope, depth)})",
            )
        )

    def _tuple_display(self, scope: Scope, depth: int) -> str:
        return f"({self.of('int', scope, depth - 1)}, {self.of('str', scope, depth - 1)})"

    def _tuple_slice(self, scope: Scope, depth: int) -> str:
        return f"(*{self.of('tuple', scope, depth)}[:1], {self.of('str', scope, depth)})"

    def _set_display(self, scope: Scope, depth: int) -> str:
        parts = [self.of("int", scope, depth - 1) for _ in range(self._choices.up_to(3))]
        return f"{{{', '.join(parts)}}}" if parts else "set()"

    def _set_operation(self, scope: Scope, depth: int) -> str:
        a, b = self.of("set", scope, depth), self.of("set", scope, depth)
        return self._choices.pick(
            (
                f"({a} | {b})",
                f"({a} & {b})",
                f"({a} - {b})",
                f"({a} ^ {b})",
                f"set({self.of('list', scope, depth)})",
            )
        )

    def _set_comprehension(self, scope: Scope, depth: int) -> str:
        inner, loops = self._comprehension(scope, depth)
        return f"{{{self.of('int', inner, depth)} {loops}}}"

    def _item_construct(self, scope: Scope, depth: int) -> str:
        s, n = self.of("str", scope, depth), self.of("int", scope, depth)
        return self._choices.pick((f"Item({s}, {n})", f"Item(price={n}, sku={s})", f"Item({s}, {n}, [{s}])"))

    def _item_replace(self, scope: Scope, depth: int) -> str:
        return f"Item({self.of('item', scope, depth)}.sku, {self.of('int', scope, depth)})"

    def _color(self, scope: Scope, depth: int) -> str:
        return self._choices.pick(
            (
                "Color.RED",
                "Color('green')",
                "Color['BLUE']",
                f"list(Color)[{self.of('int', scope, depth)} % 3]",
            )
        )

    def _model_construct(self, scope: Scope, depth: int) -> str:
        if not scope.is_async:  # a library function may call it, and must not wait for a worker
            return "CUSTOMER"
        return self._choices.pick(
            (
                "CUSTOMER",
                f"Customer(name={self.of('str', scope, depth)}, age={self.of('int', scope, depth)} % 100)",
            )
        )

    def _any_mixed(self, scope: Scope, depth: int) -> str:
        kind = self._choices.pick(("int", "str", "list", "tuple", "dict", "item"))
        return self._choices.pick(("None", self.of(kind, scope, depth)))
