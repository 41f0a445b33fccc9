"""The codes of diagnostics: what each refuses, why, an example of it, and what to write instead.

Diagnostics, `waymark explain`, docs/diagnostics.md and docs/language.md all tell what stands here. Examples leave out imports; lines outside
of a class are the body of `async def run(self, order)`, and `charge` is an @action of the module. Tests compile both examples of every code.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

PAGE = "docs/diagnostics.md"
"""Where people read about a code, under an anchor that is the code in small letters."""


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding."""

    title: str
    """What is refused, as the end of a sentence."""
    reason: str
    """Why it is."""
    example: str
    """Code that gives it."""
    instead: str
    """The way out: code that compiles."""


def _code(title: str, reason: str, example: str, instead: str) -> Code:
    return Code(
        title,
        " ".join(reason.split()),
        textwrap.dedent(example).strip("\n"),
        textwrap.dedent(instead).strip("\n"),
    )


CODES: dict[str, Code] = {
    "WM101": _code(
        "the source of a function cannot be found, or differs from what was imported",
        """A program is compiled from the text of run() and of every function it reaches. Code without a file (a REPL,
        exec), methods written as a lambda and files that changed after the import have no text that could be relied
        on.""",
        """
        class Checkout(Workflow):
            double = lambda self, n: n * 2

            async def run(self, order):
                return self.double(order)
        """,
        """
        class Checkout(Workflow):
            def double(self, n):
                return n * 2

            async def run(self, order):
                return self.double(order)
        """,
    ),
    "WM102": _code(
        "code that is nested too deeply or too long",
        """Compiling must not depend on how deep the stack of the process is. One function may be nested 120 levels
        deep and hold 100,000 syntax nodes; a sum of 200 terms is nested 200 levels deep, a list of 200 items only
        one.""",
        f"return {'[' * 125}order{']' * 125}",
        """
        for _ in range(125):
            order = [order]
        return order
        """,
    ),
    "WM103": _code(
        "syntax that this release does not know",
        """Python gets new syntax every year. What a release of Waymark has no rule for is refused and never passed
        over.""",
        'return t"order {order}"',
        'return f"order {order}"',
    ),
    "WM104": _code(
        "yield",
        """A generator function is a half-finished call that anybody may resume at any time. Generator expressions
        work, for they are of use where they are made.""",
        """
        class Checkout(Workflow):
            def items(self, order):
                for item in order:
                    yield item * 2

            async def run(self, order):
                return list(self.items(order))
        """,
        """
        class Checkout(Workflow):
            def items(self, order):
                found = []
                for item in order:
                    found.append(item * 2)
                return found

            async def run(self, order):
                return self.items(order)
        """,
    ),
    "WM107": _code(
        "a class defined inside a workflow function",
        """A run that is loaded again must find the class of its values, and a class that is made anew in each run is
        another one each time.""",
        """
        class Line:
            total = 0
        return Line.total
        """,
        """
        @dataclass
        class Line:
            total: int = 0


        class Checkout(Workflow):
            async def run(self, order):
                return Line().total
        """,
    ),
    "WM108": _code(
        "import",
        "A run does not load modules: names of the module that holds the workflow are found when it is registered.",
        """
        import math
        return math.sqrt(order)
        """,
        """
        return math.sqrt(order)  # and `import math` at the top of the module
        """,
    ),
    "WM109": _code(
        "global",
        """A run may go on in another process, which has other globals; what a run remembers is in its variables and
        on `self`.""",
        """
        global count
        count = 1
        """,
        """
        self.count = 1
        """,
    ),
    "WM110": _code(
        "with over something that it cannot enter",
        """`with` runs code of a class when it is entered and left. Only managers that a run can hold across a crash
        are there.""",
        """
        with asyncio.Lock():
            await charge(order)
        """,
        """
        async with asyncio.Lock():
            await charge(order)
        """,
    ),
    "WM111": _code(
        "async for",
        """What it iterates over waits for the outside between two items, and no crash may happen there. An action can
        take all items at once.""",
        """
        async for item in order:
            await charge(item)
        """,
        """
        for item in await charge(order):
            await charge(item)
        """,
    ),
    "WM112": _code(
        "async with over something that it cannot enter",
        """`async with` runs code of a class when it is entered and left. asyncio's own managers work; sessions and
        connections belong into an action.""",
        """
        async with contextlib.suppress(KeyError):
            await charge(order)
        """,
        """
        with contextlib.suppress(KeyError):
            await charge(order)
        """,
    ),
    "WM116": _code(
        "a decorator on a workflow function",
        "What a decorator gives back is other code than the function that is compiled. `staticmethod` works.",
        """
        def traced(function):
            return function


        class Checkout(Workflow):
            @traced
            async def step(self, n):
                return await charge(n)

            async def run(self, order):
                return await self.step(order)
        """,
        """
        class Checkout(Workflow):
            async def step(self, n):
                return await charge(n)

            async def run(self, order):
                return await self.step(order)
        """,
    ),
    "WM117": _code(
        "type aliases and type parameters",
        "They make objects that only annotations need. A workflow function may use those of its module.",
        """
        type Total = int
        total: Total = order
        return total
        """,
        """
        total: int = order
        return total
        """,
    ),
    "WM118": _code(
        "await inside a generator expression",
        "It makes an asynchronous generator, which only `async for` can read, and run() has none.",
        """
        return sum(await charge(n) for n in order)
        """,
        """
        return sum([await charge(n) for n in order])
        """,
    ),
    "WM120": _code(
        "a name that is not defined",
        "Python would raise NameError or AttributeError when the line is reached, perhaps days after the start.",
        """
        return chrage(order)
        """,
        """
        return await charge(order)
        """,
    ),
    "WM121": _code(
        "a local variable that is never assigned",
        "An annotation alone gives a variable no value, so reading it could only fail.",
        """
        total: int
        return total + order
        """,
        """
        total: int = 0
        return total + order
        """,
    ),
    "WM122": _code(
        "an attribute that the workflow does not have",
        "No function assigns it and no class defines it, so reading it could only fail.",
        """
        self.total = order
        return self.totl
        """,
        """
        self.total = order
        return self.total
        """,
    ),
    "WM123": _code(
        "self used as a value",
        """In a run there is no workflow object that could be passed on: only its attributes, which are part of the
        run's state.""",
        """
        return await charge(self)
        """,
        """
        self.total = order
        return await charge(self.total)
        """,
    ),
    "WM124": _code(
        "a kind of class member that workflows cannot use",
        """Methods and plain attributes of a workflow class are compiled along; properties, class methods and other
        descriptors are not.""",
        """
        class Checkout(Workflow):
            @property
            def fee(self):
                return 3

            async def run(self, order):
                return order + self.fee
        """,
        """
        class Checkout(Workflow):
            def fee(self):
                return 3

            async def run(self, order):
                return order + self.fee()
        """,
    ),
    "WM125": _code(
        "assignment to a method of the workflow",
        """A name of the class is either a function, known when the workflow is registered, or a value, known in the
        run.""",
        """
        class Checkout(Workflow):
            def total(self):
                return 3

            async def run(self, order):
                self.total = order
                return self.total
        """,
        """
        class Checkout(Workflow):
            def total(self):
                return 3

            async def run(self, order):
                self.sum = order
                return self.sum + self.total()
        """,
    ),
    "WM126": _code(
        "state that is set in __init__",
        """A run starts from run() and its arguments alone, maybe in another process; no workflow object travels
        there.""",
        """
        class Checkout(Workflow):
            def __init__(self, rate):
                self.rate = rate

            async def run(self, order):
                return order
        """,
        """
        class Checkout(Workflow):
            async def run(self, order, rate=1):
                return order * rate
        """,
    ),
    "WM130": _code(
        "a function that cannot be compiled along",
        """Functions of your modules become part of the program when they are written in the language of workflows.
        Those of installed packages, decorated ones, generators and lambdas of a module stay outside, and so does
        everything that names them. The finding says what was met, and where.""",
        """
        def load(path):
            with open(path) as file:
                return file.read()


        class Checkout(Workflow):
            async def run(self, order):
                return load(order)
        """,
        """
        @action
        async def load(path):
            with open(path) as file:
                return file.read()


        class Checkout(Workflow):
            async def run(self, order):
                return await load(order)
        """,
    ),
    "WM131": _code(
        "a library function or class that workflows do not have",
        """A function of the library is there when its result depends on its arguments alone and a run can hold it.
        docs/language.md lists all of them.""",
        """
        return eval(order)
        """,
        """
        return int(order)
        """,
    ),
    "WM132": _code(
        "input and output",
        """Files, sockets, logging, input() and the environment are outside of the run: a run that goes on in
        another process, or takes an entry in again after a crash, would read something else or write twice. An action
        does it once and the run keeps its result.""",
        """
        return open(order).read()
        """,
        """
        @action
        async def read(path):
            return open(path).read()


        class Checkout(Workflow):
            async def run(self, order):
                return await read(order)
        """,
    ),
    "WM133": _code(
        "what differs from process to process",
        """Time, random numbers and uuid4 are recorded and work; addresses, hashes of text and clocks of the process
        have no meaning in another one.""",
        """
        return uuid.uuid1()
        """,
        """
        return uuid.uuid4()
        """,
    ),
    "WM134": _code(
        "a value that cannot be kept with the program",
        """Constants of the module become part of the program, so they must be values that can be stored: no locks,
        connections or objects of plain classes.""",
        """
        lock = asyncio.Lock()


        class Checkout(Workflow):
            async def run(self, order):
                async with lock:
                    return await charge(order)
        """,
        """
        class Checkout(Workflow):
            async def run(self, order):
                lock = asyncio.Lock()
                async with lock:
                    return await charge(order)
        """,
    ),
    "WM135": _code(
        "a class whose own code would have to run",
        """Values of a run are data. Classes with special methods of their own (`__init__`, `__add__`, `__eq__`, ...)
        would run code where none can be seen; dataclasses, pydantic models, enums and exceptions describe
        themselves.""",
        """
        class Line:
            def __init__(self, total):
                self.total = total


        class Checkout(Workflow):
            async def run(self, order):
                return Line(order).total
        """,
        """
        @dataclass
        class Line:
            total: int


        class Checkout(Workflow):
            async def run(self, order):
                return Line(order).total
        """,
    ),
    "WM136": _code(
        "a method that values in workflows do not have",
        """Every method that is called must be one of a value type of the language or of one of your classes that can
        be compiled along.""",
        """
        return order.read_text()
        """,
        """
        return order.strip().upper()
        """,
    ),
    "WM137": _code(
        "a module used as a value",
        "A module cannot be stored. Its functions and constants can be used by name.",
        """
        return getattr(math, order)(2)
        """,
        """
        return {"sqrt": math.sqrt, "exp": math.exp}[order](2)
        """,
    ),
    "WM138": _code(
        "special attributes",
        """`__dict__`, `__class__` and their like reach into the machinery below Python's values, which a run does not
        have.""",
        """
        return order.__class__
        """,
        """
        return type(order)
        """,
    ),
    "WM139": _code(
        "a workflow started inside a workflow",
        "Starting a run of its own from a run is not supported yet: its result would have to outlive both.",
        """
        class Checkout(Workflow):
            async def run(self, order):
                if order:
                    return await self.run(None)
        """,
        """
        class Checkout(Workflow):
            async def step(self, order):
                if order:
                    return await self.step(None)

            async def run(self, order):
                return await self.step(order)
        """,
    ),
    "WM140": _code(
        "an awaitable that is never awaited",
        "Python only prints a warning: the action never runs, and the workflow goes on as if it had.",
        """
        charge(order)
        """,
        """
        await charge(order)
        """,
    ),
    "WM141": _code(
        "await of something that is not awaitable",
        "Python would raise TypeError when the line is reached.",
        """
        return await len(order)
        """,
        """
        return len(order)
        """,
    ),
    "WM142": _code(
        "a wrong call of self.run_action",
        """It takes the call of an action, and nothing but `retry=` and `timeout=`; a policy that nobody enforces is
        refused.""",
        """
        return await self.run_action(charge(order), retries=3)
        """,
        """
        return await self.run_action(charge(order), retry=RetryPolicy(attempts=3), timeout=30)
        """,
    ),
    "WM143": _code(
        "a typing construct used as a value",
        """`list[int]`, `Any` and their like are for annotations, which may hold them; no value of a run has such a
        type.""",
        """
        return list[int](order)
        """,
        """
        items: list[int] = list(order)
        return items
        """,
    ),
    "WM144": _code(
        "a part of asyncio that workflows do not have",
        """Tasks, timeouts, locks and queues are there (docs/language.md lists them). Streams, processes and servers
        belong to the outside.""",
        """
        return await asyncio.open_connection("shop", 80)
        """,
        """
        async with asyncio.timeout(30):
            return await charge(order)
        """,
    ),
    "WM150": _code(
        "an annotation that would have to be evaluated",
        """Python evaluates the annotations of an inner function each time it is defined. Names of the module give the
        same value each time; locals and calls may not.""",
        """
        def double(n: order):
            return n * 2

        return double(1)
        """,
        """
        def double(n: int):
            return n * 2

        return double(1)
        """,
    ),
    "WM160": _code(
        "the event loop and what belongs to it",
        """A run has tasks, but no event loop, threads or processes: it is held in memory only while it has something
        to do.""",
        """
        return asyncio.get_running_loop().time()
        """,
        """
        return time.monotonic()
        """,
    ),
    "WM170": _code(
        "the time zone of the host",
        """A run may go on elsewhere, where another zone is set. Taking UTC for it would be another answer than
        Python's, by hours, without a word.""",
        """
        return datetime.datetime.now()
        """,
        """
        return datetime.datetime.now(datetime.timezone.utc)
        """,
    ),
    "WM171": _code(
        "a regular expression that may take time without bound",
        """A pattern such as `(a+)+$` takes time that doubles with each letter, and one run must not stop the others
        of its host.""",
        """
        return re.findall(r"(\\w+\\s?)*$", order)
        """,
        """
        return re.findall(r"\\w+", order)
        """,
    ),
    "WM190": _code(
        "a note: a clock in a loop that never waits",
        """Time in a run is that of the last thing it waited for, so it stands still between two waits and a loop that
        only looks at a clock never ends. The code compiles; `waymark check --notes` remarks on it.""",
        """
        end = time.monotonic() + 60
        while time.monotonic() < end:
            order += 1
        return order
        """,
        """
        end = time.monotonic() + 60
        while time.monotonic() < end:
            order += 1
            await asyncio.sleep(1)
        return order
        """,
    ),
}
"""Every code by name, in order. A code is never given another meaning."""


def reference(code: str) -> str:
    """Where a code is explained, for messages: in an installation, and in the documentation."""
    return f"waymark explain {code} ({PAGE}#{code.lower()})"


def explain(code: str) -> str:
    """The entry of a code as Markdown."""
    entry = CODES[code]
    parts = [
        f"## {code}",
        f"**{entry.title[0].upper()}{entry.title[1:]}.** {entry.reason}",
        f"```python\n{entry.example}\n```",
        "Instead:",
        f"```python\n{entry.instead}\n```",
    ]
    return "\n\n".join(parts) + "\n"
