"""Chance of one run: drawn from a seed that was recorded when it was started, so a replay draws the same.

Ids and secrets come from a stream of hashes, which nobody can continue who does not know the seed. `random.*` is Python's own
generator, seeded from that stream, so `random.seed(5)` gives what it gives everywhere. Both are part of the state.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import random
import struct
import uuid
from collections.abc import Callable
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.vm.limits import Meter, exceeded
from waymark.vm.weight import check_walk

_WORDS = struct.Struct("<625I")
_STEPS_PER_DRAW = 8
_MODULE_FUNCTIONS = (
    "betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits", "lognormvariate", "normalvariate",
    "paretovariate", "randbytes", "randint", "random", "randrange", "sample", "seed", "shuffle", "triangular", "uniform",
    "vonmisesvariate", "weibullvariate",
)  # fmt: skip
_LOOPING = frozenset({"betavariate", "gammavariate", "vonmisesvariate"})
"""They draw until a number fits, which none does when a parameter is not finite."""


class Generator(random.Random):
    """`random.Random`, whose state is plain data."""

    __waymark_state__ = ("words", "gauss_next")

    @property
    def words(self) -> bytes:
        """The state of the generator proper."""
        return _WORDS.pack(*self.getstate()[1])

    @words.setter
    def words(self, data: bytes) -> None:
        self.setstate((self.VERSION, _WORDS.unpack(data), None))


Generator.__name__ = Generator.__qualname__ = "Random"
Generator.__module__ = "random"


class Chance:
    """Chance of one machine."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        # State: in a snapshot.
        self.seed = b""
        """Empty when none was recorded; then nothing can be drawn."""
        self.drawn = 0
        """Blocks taken from the stream."""
        self.generator: Generator | None = None
        """Behind `random.*`; made when first asked for."""

    def draw(self, count: int) -> bytes:
        """The next bytes of the stream."""
        if not self.seed:
            raise UnsupportedPatternError(
                "this run was started without a seed, so it can draw nothing at random"
            )
        self._meter.text(count)
        self._meter.burn(_STEPS_PER_DRAW + (count >> 4))
        parts = []
        for _ in range(-(-count // 32)):
            parts.append(hashlib.sha256(self.seed + self.drawn.to_bytes(8, "big")).digest())
            self.drawn += 1
        return b"".join(parts)[:count]

    def module_generator(self) -> Generator:
        """The one behind the functions of `random`."""
        if self.generator is None:
            self.generator = self.new_generator()
        return self.generator

    def new_generator(self) -> Generator:
        """`random.Random()`, which nobody gave a seed."""
        return Generator(int.from_bytes(self.draw(32), "big"))

    def below(self, limit: int) -> int:
        """A number under a limit, each as likely: as `secrets.randbelow`."""
        if limit <= 0:
            raise ValueError("Upper bound must be positive.")
        bits = (limit - 1).bit_length()
        while True:
            found = self.bits(bits)
            if found < limit:
                return found

    def bits(self, count: int) -> int:
        """As `secrets.randbits`."""
        if count < 0:
            raise ValueError("number of bits must be non-negative")
        self._meter.integer(count)
        size = -(-count // 8)
        return int.from_bytes(self.draw(size), "big") >> (8 * size - count)


def check_draw(
    meter: Meter, chance: Chance, name: str, receiver: Generator, args: list[Any], kwargs: dict[str, Any]
) -> None:
    """Before a method of a generator is called."""
    meter.burn(_STEPS_PER_DRAW)
    given = [*args, *kwargs.values()]
    if name == "choices":
        _take(meter, kwargs.get("k", 1))
        for argument in given:
            meter.consume(argument)
    elif name == "sample":
        _take(meter, args[1] if len(args) > 1 else kwargs.get("k"))
        for argument in given:
            meter.consume(argument)
            if isinstance(argument, list | tuple):
                meter.burn(len(argument))
    elif name == "shuffle":
        meter.burn(_STEPS_PER_DRAW * meter.consume(args[0] if args else None))
    elif name == "randbytes" and given and isinstance(given[0], int):
        meter.text(given[0])
        meter.integer(8 * min(given[0], 10**6))
    elif name == "getrandbits" and given and isinstance(given[0], int):
        meter.integer(given[0])
    elif name == "seed":
        if not given or given[0] is None:
            receiver.seed(int.from_bytes(chance.draw(32), "big"))
        check_walk(meter, given)
    elif name in _LOOPING:
        for argument in given:
            if isinstance(argument, float) and not math.isfinite(argument):
                exceeded(f"random.{name}() of {argument} would draw for ever")


def _take(meter: Meter, count: Any) -> None:
    if isinstance(count, int) and count > 0:
        meter.items(count)
        meter.burn(_STEPS_PER_DRAW * count)


def _of_module(name: str) -> Callable[..., Any]:
    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        generator = machine.chance.module_generator()
        return machine.calls.library.methods.draw(generator, name, [*args], kwargs)

    return call


def _uuid4(machine: Any, /) -> uuid.UUID:
    return uuid.UUID(bytes=machine.chance.draw(16), version=4)


def _choice(machine: Any, seq: Any) -> Any:
    if not len(seq):
        raise IndexError("Cannot choose from an empty sequence")
    return seq[machine.chance.below(len(seq))]


def _token_bytes(machine: Any, nbytes: int | None = None) -> bytes:
    found: bytes = machine.chance.draw(_count(nbytes))
    return found


def _token_hex(machine: Any, nbytes: int | None = None) -> str:
    return _token_bytes(machine, nbytes).hex()


def _token_urlsafe(machine: Any, nbytes: int | None = None) -> str:
    return base64.urlsafe_b64encode(_token_bytes(machine, nbytes)).rstrip(b"=").decode("ascii")


def _count(nbytes: int | None) -> int:
    if nbytes is None:
        return 32
    if not isinstance(nbytes, int):
        raise TypeError(f"'{type(nbytes).__name__}' object cannot be interpreted as an integer")
    if nbytes < 0:
        raise ValueError("negative argument not allowed")
    return nbytes


def _compare_digest(machine: Any, a: Any, b: Any, /) -> bool:
    for text in (a, b):
        machine.meter.consume(text)
    return hmac.compare_digest(a, b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"random.{name}": _of_module(name) for name in _MODULE_FUNCTIONS},
    "secrets.choice": _choice,
    "secrets.compare_digest": _compare_digest,
    "secrets.randbelow": lambda machine, exclusive_upper_bound: machine.chance.below(exclusive_upper_bound),
    "secrets.randbits": lambda machine, k: machine.chance.bits(k),
    "secrets.token_bytes": _token_bytes,
    "secrets.token_hex": _token_hex,
    "secrets.token_urlsafe": _token_urlsafe,
    "uuid.uuid4": _uuid4,
}
"""By the name of the library table."""
