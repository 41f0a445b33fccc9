"""The value domain and its bytes: a closed, tagged set with exact round trips.

An encoded value is one format byte followed by MessagePack. None, bool, 64-bit int, float, str, bytes, list and dict with str keys are
themselves; everything else is an extension type of the table below. A container that occurs more than once is written once (SHARED) and
referred to (AGAIN), so aliasing and cycles survive, and so does a state snapshot, which is one value with the machine's own types added.

Decoding never imports, and calls nothing that a payload names: the `ClassSource` decides which classes exist.
Plain values take a path without any Python per item, because most payloads are plain.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import pathlib
import uuid
import zoneinfo
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from waymark.errors import ValueDecodingError, ValueEncodingError
from waymark.values import exceptions
from waymark.values.classes import SET_NAMES, ClassKey, ClassKind, Traits
from waymark.values.collections import KINDS, factory_name, fill, make_empty, parts_of
from waymark.values.known import KNOWN_CLASSES
from waymark.values.special import traits_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORMAT = 1
_NO_TRAITS = Traits()
_FORMAT_BYTE = bytes((FORMAT,))

MAX_VALUE_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 128

_INT_LOW, _INT_HIGH = -(2**63), 2**64 - 1
_SCALARS = frozenset({type(None), bool, int, float, str, bytes})
_STR_ONLY = frozenset({str})
_TEXTS = frozenset({str, bytes})
_FALLBACK_TEXT = 1000

LONG_TEXT = 1024
"""In a snapshot, a text of that length that occurs more than once is written once, so a state never grows by being restored."""


class Tag:
    """Extension types. A number is never reused for another meaning."""

    TUPLE = 1
    SET = 2
    FROZENSET = 3
    DICT = 4
    """[k1, v1, k2, v2, ...] for dicts whose keys are not all str."""
    INT = 5
    """Beyond 64 bits: two's complement, little-endian."""
    TEXT = 6
    """str with lone surrogates: UTF-8 with surrogatepass."""
    DATETIME = 7
    DATE = 8
    TIME = 9
    TIMEDELTA = 10
    UUID = 11
    DECIMAL = 12
    PATH = 13
    COMPLEX = 14
    RECORD = 15
    ENUM = 16
    EXCEPTION = 17
    SHARED = 18
    """[number, node]: first occurrence of a container that occurs again."""
    AGAIN = 19
    """number of a SHARED container."""
    ZONE = 20
    """[key] of a named time zone, [microseconds from UTC, name or None] of a fixed one."""
    FRACTION = 21
    COLLECTION = 22
    """[kind, factory name or maximal length, parts]; kinds in `values.collections`."""


@dataclass(frozen=True, slots=True)
class InternalType:
    """A type of the VM that may occur in snapshots only. Code 63 to 127, or -128 to -2."""

    code: int
    names: tuple[str, ...]
    """Attributes that make up its state."""
    load: Callable[..., Any] | None = None
    """Makes the value from its parts; None: the type is made empty and filled, so that it may contain itself."""
    type: Any = None
    """The type to make when there is no `load`."""


class ClassSource(Protocol):
    """Which classes decoding may use, and how it builds their instances without running code of theirs."""

    @property
    def set_type(self) -> Callable[[Iterable[Any]], Any]:
        """Makes a set."""
        ...

    @property
    def deque_type(self) -> Callable[..., Any]:
        """Makes a deque."""
        ...

    @property
    def frozenset_type(self) -> Callable[[Iterable[Any]], Any]:
        """Makes a frozenset."""
        ...

    def new_record(
        self, kind: ClassKind, key: ClassKey, names: tuple[str, ...], traits: Traits | None = None
    ) -> Any:
        """An instance without fields yet."""
        ...

    def fill_record(self, record: Any, values: dict[str, Any], set_names: tuple[str, ...] | None) -> None:
        """Give a new record its fields."""
        ...

    def enum_member(
        self, enum_type: str, key: ClassKey, name: str | None, value: Any, special: tuple[str, ...] = ()
    ) -> Any:
        """The member of that name."""
        ...

    def new_exception(
        self, mro: tuple[ClassKey, ...], args: tuple[Any, ...], attributes: dict[str, Any]
    ) -> BaseException:
        """An exception of the first class of `mro`, which is known or made to be a subclass of the others."""
        ...


class _TooBig(Exception):
    """Unwinds an encoder before it writes more than anybody would take."""


class _Unsupported(Exception):
    """Unwinds an encoder at a value outside the domain."""

    def __init__(self, value: object, problem: str) -> None:
        self.value = value
        self.problem = problem


def encode(
    value: object,
    *,
    root: str = "value",
    max_bytes: int = MAX_VALUE_BYTES,
    max_depth: int = MAX_DEPTH,
    internals: Mapping[type, InternalType] | None = None,
) -> bytes:
    """Encode a value.

    Args:
        value: Any value of the domain.
        root: What the value is, for error messages: `result of shop:charge`.
        max_bytes: Most bytes of the encoded form.
        max_depth: Most containers inside each other.
        internals: Types of the VM, for snapshots.

    Raises:
        ValueEncodingError: A part is outside the domain or over a limit; names the part by its path.
    """
    try:
        data = _encode(value, max_bytes, max_depth, internals)
    except _TooBig:
        raise ValueEncodingError(
            root,
            f"is more than the limit of {max_bytes:,} bytes encoded; store it outside and pass a reference",
        ) from None
    except _Unsupported as error:
        path = _locate(value, error.value, root)
        raise ValueEncodingError(path, error.problem) from None
    if len(data) > max_bytes:
        raise ValueEncodingError(
            root,
            f"is {len(data):,} bytes encoded, more than the limit of {max_bytes:,}; store it outside and pass a reference",
        )
    return data


def _encode(
    value: object, max_bytes: int, max_depth: int, internals: Mapping[type, InternalType] | None
) -> bytes:
    if type(value) in _SCALARS:
        scan = None
    else:
        scan = _Scan(max_bytes, max_depth, internals)
        scan.visit(value, 1)
    if scan is None or not scan.special:
        try:
            return _FORMAT_BYTE + msgspec.msgpack.encode(value)
        except (OverflowError, UnicodeEncodeError):
            pass  # an int beyond 64 bits or a lone surrogate: written by the slow path
    return _FORMAT_BYTE + msgspec.msgpack.encode(
        _Writer(scan or _Scan(max_bytes, max_depth, internals), internals).node(value)
    )


class _Scan:
    """First pass: is everything plain, what occurs more than once, is anything too deep or too big."""

    def __init__(self, max_bytes: int, max_depth: int, internals: Mapping[type, InternalType] | None) -> None:
        self.special = False
        self.counts: dict[int, int] = {}
        self.replaced: dict[int, str] = {}
        """Parts of exceptions that cannot be stored, by id, and the text that stands for them."""
        self._kept: list[object] = []  # keeps temporary objects alive, so that no id is used twice
        self._open_tuples: set[int] = set()
        self._room = max_bytes
        self._max_depth = max_depth
        self._internals = internals

    def visit(self, value: object, depth: int) -> None:
        kind = type(value)
        if kind in _SCALARS:
            if kind in _TEXTS:
                self._texts((value,))
            return
        key = id(value)
        seen = self.counts.get(key, 0)
        self.counts[key] = seen + 1
        if seen:
            self.special = True
            if key in self._open_tuples:
                raise _Unsupported(value, "is a tuple that contains itself; use a list")
            return
        if depth > self._max_depth:
            raise _Unsupported(
                value, f"is nested more than {self._max_depth} levels deep; flatten it, or pass a reference"
            )
        if kind is list:
            self._visit_all(value, depth)  # type: ignore[arg-type]
        elif kind is dict:
            if not _STR_ONLY.issuperset(map(type, value)):  # type: ignore[call-overload]
                self.special = True
                self._visit_all(value, depth)  # type: ignore[arg-type]
            else:
                self._use(sum(map(len, value)))  # type: ignore[call-overload]
            self._visit_all(value.values(), depth)  # type: ignore[attr-defined]
        elif isinstance(value, BaseException):
            self.special = True
            self._visit_exception(value, depth)
        else:
            self.special = True
            parts = _parts(value, self._internals)
            if parts:
                self._kept.append(parts)
                if kind is tuple:
                    self._open_tuples.add(key)
                for part in parts:
                    self.visit(part, depth + 1)
                self._open_tuples.discard(key)

    def _visit_all(self, parts: Collection[Any], depth: int) -> None:
        """Parts of a plain container; those of a flat one without any Python per item, as most are."""
        kinds = set(map(type, parts))
        if not kinds <= _SCALARS:
            for part in parts:
                self.visit(part, depth + 1)
        elif kinds & _TEXTS:
            self._texts(parts if kinds <= _TEXTS else [part for part in parts if type(part) in _TEXTS])

    def _texts(self, texts: Collection[Any]) -> None:
        """A text that occurs often takes no memory, but is written each time: refused before it is."""
        length = sum(map(len, texts))
        if length >= LONG_TEXT and self._internals is not None:
            for text in texts:
                if len(text) >= LONG_TEXT:
                    seen = self.counts.get(id(text), 0)
                    self.counts[id(text)] = seen + 1
                    if seen:
                        length -= len(text)
        self._use(length)

    def _use(self, length: int) -> None:
        self._room -= length
        if self._room < 0:
            raise _TooBig

    def _visit_exception(self, value: BaseException, depth: int) -> None:
        """An error must never be lost: what of it cannot be stored is replaced by its text, or left out."""
        parts = (*value.args, *exceptions.attributes_of(value).values())
        self._kept.append(parts)
        for part in parts:
            try:
                self.visit(part, depth + 1)
            except (_Unsupported, RecursionError):
                self.replaced[id(part)] = _text_of(part)
        for other in (value.__cause__, value.__context__):
            if other is not None:
                try:
                    self.visit(other, depth + 1)
                except (_Unsupported, RecursionError):
                    self.replaced[id(other)] = ""


def _text_of(part: object) -> str:
    try:
        return repr(part)[:_FALLBACK_TEXT].encode("utf-8", "replace").decode()
    except Exception:  # user code: __repr__
        return f"<{type(part).__qualname__}>"


def _parts(value: object, internals: Mapping[type, InternalType] | None) -> tuple[Any, ...]:
    """What a value that is not plain holds; the writer asks for the same parts again."""
    kind = type(value)
    if kind in (tuple, set, frozenset) or getattr(kind, "__waymark_set__", None):
        return tuple(value)  # type: ignore[arg-type]
    if kind in _LEAVES:
        return ()
    if internals is not None and (internal := internals.get(kind)) is not None:
        return tuple(getattr(value, name) for name in internal.names)
    if kind in KINDS:
        return parts_of(value)
    if isinstance(value, enum.Enum):
        return (value.value,) if not isinstance(value, int | str) else ()
    if (record := _record_parts(value)) is not None:
        return tuple(record[1].values())
    raise _Unsupported(value, _refusal(value))


def _refusal(value: object) -> str:
    name = type(value).__qualname__
    if callable(value) and hasattr(value, "__qualname__"):
        return f"a function or class ({value.__qualname__}) cannot be stored; pass the data it needs"
    bases = [
        base for base in (bool, int, float, str, bytes, list, dict, tuple, set) if isinstance(value, base)
    ]
    if bases:
        return f"{name} is a subclass of {bases[0].__name__}; convert it with {bases[0].__name__}(...)"
    return (
        f"a value of type {name} cannot be stored; use None, bool, int, float, str, bytes, list, tuple, dict, set, datetime, timedelta, UUID, "
        "Decimal, Path, enums, dataclasses, pydantic models or exceptions"
    )


def _record_parts(value: object) -> tuple[ClassKind, dict[str, Any], tuple[str, ...] | None] | None:
    """Kind, fields and explicitly set field names of a dataclass or pydantic instance."""
    cls = type(value)
    if hasattr(cls, "__pydantic_fields__"):
        values = {name: part for name, part in vars(value).items() if name != SET_NAMES}
        values.update(getattr(value, "__pydantic_extra__", None) or {})
        set_names = getattr(value, "__pydantic_fields_set__", None)
        return ClassKind.PYDANTIC, values, None if set_names is None else tuple(sorted(set_names))
    if is_dataclass(cls):
        return (
            ClassKind.DATACLASS,
            {f.name: getattr(value, f.name) for f in fields(cls) if hasattr(value, f.name)},
            None,
        )
    return None


def key_of(cls: type) -> ClassKey:
    """Identity of a class."""
    return ClassKey(cls.__module__, cls.__qualname__)


def enum_root(cls: type[enum.Enum]) -> str:
    """Name of the stdlib enum class that decides how members behave."""
    for root in (enum.IntFlag, enum.IntEnum, enum.StrEnum, enum.Flag):
        if issubclass(cls, root):
            return root.__name__
    if issubclass(cls, int):
        return "int"
    return "str" if issubclass(cls, str) else "Enum"


def _ext(tag: int, content: object) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(tag, msgspec.msgpack.encode(content))


class _Writer:
    """Second pass: turn a value into MessagePack's types."""

    def __init__(self, scan: _Scan, internals: Mapping[type, InternalType] | None) -> None:
        self._counts = scan.counts
        self._replaced = scan.replaced
        self._scan = scan  # holds the temporary objects whose ids are counted
        self._internals = internals
        self._numbers: dict[int, int] = {}

    def node(self, value: object) -> object:
        kind = type(value)
        key = id(value)
        if kind in _SCALARS:
            if kind in _TEXTS and len(value) >= LONG_TEXT and self._counts.get(key, 0) >= 2:  # type: ignore[arg-type]
                return self._shared(key, value)
            return self._scalar(value)
        if self._counts.get(key, 0) < 2 or kind in _LEAVES:
            return self._container(value)
        return self._shared(key, value)

    def _shared(self, key: int, value: object) -> object:
        number = self._numbers.get(key)
        if number is not None:
            return _ext(Tag.AGAIN, number)
        number = self._numbers[key] = len(self._numbers)
        node = self._scalar(value) if type(value) in _TEXTS else self._container(value)
        return _ext(Tag.SHARED, [number, node])

    @staticmethod
    def _scalar(value: object) -> object:
        if type(value) is int and not _INT_LOW <= value <= _INT_HIGH:
            return msgspec.msgpack.Ext(
                Tag.INT, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            )
        if type(value) is str and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return msgspec.msgpack.Ext(Tag.TEXT, value.encode("utf-8", "surrogatepass"))
        return value

    def _container(self, value: Any) -> object:
        node = self.node
        kind = type(value)
        if kind is list:
            return [node(item) for item in value]
        if kind is dict:
            if _STR_ONLY.issuperset(map(type, value)) and all(map(_is_text, value)):
                return {key: node(item) for key, item in value.items()}
            return _ext(Tag.DICT, [node(part) for pair in value.items() for part in pair])
        if (leaf := _LEAVES.get(kind)) is not None:
            return leaf(value)
        if self._internals is not None and (internal := self._internals.get(kind)) is not None:
            return _ext(internal.code, [node(getattr(value, name)) for name in internal.names])
        if kind in KINDS:
            return _ext(
                Tag.COLLECTION, [KINDS[kind], _extra(value), [node(part) for part in parts_of(value)]]
            )
        if kind is tuple:
            return _ext(Tag.TUPLE, [node(item) for item in value])
        marker = getattr(kind, "__waymark_set__", None)
        if kind is set or marker == "set":
            return _ext(Tag.SET, [node(item) for item in value])
        if kind is frozenset or marker == "frozenset":
            return _ext(Tag.FROZENSET, [node(item) for item in value])
        if isinstance(value, enum.Enum):
            key = key_of(kind)
            content = [enum_root(kind), key.module, key.qualname, value.name, node(value.value)]
            special = traits_of(kind).special
            return _ext(Tag.ENUM, [*content, list(special)] if special else content)
        if isinstance(value, BaseException):
            return _ext(Tag.EXCEPTION, self._exception(value))
        return self._record(value)

    def _record(self, value: object) -> object:
        parts = _record_parts(value)
        if parts is None:
            raise _Unsupported(value, _refusal(value))
        record_kind, values, set_names = parts
        key = key_of(type(value))
        content: list[object] = [
            record_kind.value,
            key.module,
            key.qualname,
            list(values),
            [self.node(v) for v in values.values()],
        ]
        traits = _NO_TRAITS if key in KNOWN_CLASSES else traits_of(type(value))
        if set_names is not None or traits != _NO_TRAITS:
            content.append(None if set_names is None else list(set_names))
        if traits != _NO_TRAITS:
            content.append([traits.flags, list(traits.special)])
        return _ext(Tag.RECORD, content)

    def _exception(self, value: BaseException) -> list[object]:
        hidden = vars(value)
        notes = hidden.get("__notes__")
        return [
            [[cls.__module__, cls.__qualname__] for cls in type(value).__mro__ if cls is not object],
            [self._lenient(argument) for argument in value.args],
            {name: self._lenient(part) for name, part in exceptions.attributes_of(value).items()},
            exceptions.own_message(value),
            exceptions.traceback_of(value),
            [list(place) for place in hidden.get(exceptions.TRACE, ())],
            value.__suppress_context__,
            [str(note) for note in notes] if isinstance(notes, list) else [],
            self._chained(value.__cause__),
            self._chained(value.__context__),
        ]

    def _chained(self, other: BaseException | None) -> object:
        return None if other is None or id(other) in self._replaced else self.node(other)

    def _lenient(self, part: object) -> object:
        text = self._replaced.get(id(part))
        return self.node(part) if text is None else text


def _extra(value: Any) -> object:
    """What a collection has besides its parts."""
    factory = getattr(value, "default_factory", None)
    if factory is None:
        return getattr(value, "maxlen", None)
    name = factory_name(factory)
    if name is None:
        raise _Unsupported(value, "has a default_factory that cannot be stored; convert it with dict(...)")
    return name


def _is_text(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _datetime_content(value: dt.datetime) -> object:
    zone = _zone_parts(value, value.tzinfo)
    if zone is None:
        return _ext(Tag.DATETIME, [value.isoformat(), value.fold, None])
    return _ext(Tag.DATETIME, [value.replace(tzinfo=None).isoformat(), value.fold, zone])


def _time_content(value: dt.time) -> object:
    zone = _zone_parts(value, value.tzinfo)
    if zone is None:
        return _ext(Tag.TIME, [value.isoformat(), value.fold])
    return _ext(Tag.TIME, [value.replace(tzinfo=None).isoformat(), value.fold, zone])


def _zone_parts(value: object, zone: dt.tzinfo | None) -> list[object] | None:
    """What tells a zone; None for one that the text of a time tells."""
    if zone is None:
        return None
    if isinstance(zone, zoneinfo.ZoneInfo):
        if zone.key is None:
            raise _Unsupported(
                value, "has a time zone without a name; use zoneinfo.ZoneInfo('Area/City') or UTC"
            )
        return [zone.key]
    if type(zone) is not dt.timezone:
        raise _Unsupported(
            value,
            f"has a time zone of type {type(zone).__qualname__}; use zoneinfo.ZoneInfo or datetime.timezone",
        )
    name = (*zone.__getinitargs__(), None)[1]  # type: ignore[attr-defined]  # the parts that pickle takes
    return None if name is None else [_microseconds(zone), name]


def _microseconds(zone: dt.timezone) -> int:
    return zone.utcoffset(None) // dt.timedelta(microseconds=1)


def _fixed_zone_content(value: dt.timezone) -> object:
    return _ext(Tag.ZONE, _zone_parts(value, value) or [_microseconds(value), None])


def _fraction_content(value: fractions.Fraction) -> object:
    return _ext(Tag.FRACTION, [_Writer._scalar(value.numerator), _Writer._scalar(value.denominator)])


def _zone(content: Any) -> dt.tzinfo:
    if len(content) == 1:
        return zoneinfo.ZoneInfo(content[0])
    offset, name = content
    if offset == 0 and name is None:
        return dt.UTC
    difference = dt.timedelta(microseconds=offset)
    return dt.timezone(difference) if name is None else dt.timezone(difference, name)


_PATH_TYPE = type(pathlib.Path())

_LEAVES: dict[type, Callable[[Any], object]] = {
    dt.datetime: _datetime_content,
    dt.date: lambda value: _ext(Tag.DATE, value.isoformat()),
    dt.time: _time_content,
    dt.timedelta: lambda value: _ext(Tag.TIMEDELTA, [value.days, value.seconds, value.microseconds]),
    uuid.UUID: lambda value: msgspec.msgpack.Ext(Tag.UUID, value.bytes),
    decimal.Decimal: lambda value: _ext(Tag.DECIMAL, str(value)),
    _PATH_TYPE: lambda value: _ext(Tag.PATH, ["path", str(value)]),
    pathlib.PurePosixPath: lambda value: _ext(Tag.PATH, ["pure", str(value)]),
    complex: lambda value: _ext(Tag.COMPLEX, [value.real, value.imag]),
    dt.timezone: _fixed_zone_content,
    zoneinfo.ZoneInfo: lambda value: _ext(Tag.ZONE, _zone_parts(value, value)),
    fractions.Fraction: _fraction_content,
}


class _NotPlain(Exception):
    """Unwinds the decoder of plain values at the first one that is not."""


def _give_up(_code: int, _content: memoryview) -> Any:
    raise _NotPlain


_PLAIN_DECODER = msgspec.msgpack.Decoder(ext_hook=_give_up)
"""Most payloads are plain, and a reader of its own would cost more than reading them."""


def decode(
    data: bytes,
    classes: ClassSource | None = None,
    *,
    internals: Mapping[int, InternalType] | None = None,
    on_internal: Callable[[Any], None] | None = None,
) -> Any:
    """Decode a value.

    Args:
        data: From `encode`.
        classes: Where user classes come from; without it, stand-ins of the same name and fields are made.
        internals: Types of the VM by code, for snapshots.
        on_internal: Called with each instance of such a type once it is filled.

    Raises:
        ValueDecodingError: The bytes are not an encoded value.
    """
    if not data or data[0] != FORMAT:
        raise ValueDecodingError(
            f"not an encoded value: format byte {data[0] if data else 'missing'}, expected {FORMAT}"
        )
    content = memoryview(data)[1:]
    try:
        if internals is None:
            try:
                return _PLAIN_DECODER.decode(content)
            except _NotPlain:
                pass
        if classes is None:
            from waymark.values.synthetic import SyntheticClasses

            classes = SyntheticClasses(())
        return _Reader(classes, internals, on_internal).decode(content)
    except ValueDecodingError:
        raise
    except (
        msgspec.DecodeError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
        ArithmeticError,
        AssertionError,
        OSError,  # a time zone that is a directory
    ) as error:
        raise ValueDecodingError(f"damaged value: {type(error).__name__}: {error}") from error


_EXT_BYTES = frozenset({0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8})
"""First bytes of an extension in MessagePack."""


class _Reader:
    """Decodes one value; holds the containers that occur again."""

    def __init__(
        self,
        classes: ClassSource,
        internals: Mapping[int, InternalType] | None,
        on_internal: Callable[[Any], None] | None,
    ) -> None:
        self._classes = classes
        self._on_internal = on_internal
        self._internals = internals or {}
        self._shared: dict[int, Any] = {}
        self._decoder = msgspec.msgpack.Decoder(ext_hook=self._extension)
        self._raw_decoder = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
        self.decode = self._decoder.decode

    def _extension(self, code: int, content: memoryview) -> Any:
        if code == Tag.AGAIN:
            number = self.decode(content)
            if number not in self._shared:
                raise ValueDecodingError(f"damaged value: reference to unknown container {number}")
            return self._shared[number]
        if code == Tag.SHARED:
            number, node = self._raw_decoder.decode(content)
            return self._read_shared(number, node)
        if code == Tag.INT:
            return int.from_bytes(content, "little", signed=True)
        if code == Tag.UUID:
            return uuid.UUID(bytes=bytes(content))
        if code == Tag.TEXT:
            return bytes(content).decode("utf-8", "surrogatepass")
        internal = self._internals.get(code)
        if internal is not None:
            if internal.load is not None:
                return internal.load(*self.decode(content))
            made = internal.type.__new__(internal.type)
            self._fill_internal(made, internal, content)
            return made
        if code == Tag.EXCEPTION:
            return self._exception(content, None)
        return self._build(code, self.decode(content))

    def _build(self, code: int, content: Any) -> Any:
        if code == Tag.TUPLE:
            return tuple(content)
        if code == Tag.SET:
            return self._classes.set_type(content)
        if code == Tag.FROZENSET:
            return self._classes.frozenset_type(content)
        if code == Tag.DICT:
            return dict(zip(content[::2], content[1::2], strict=True))
        if code == Tag.RECORD:
            record = self._new_record(content)
            self._fill_record(record, content)
            return record
        if code == Tag.ENUM:
            enum_type, module, qualname, name, value = content[:5]
            special = tuple(content[5]) if len(content) > 5 else ()
            return self._classes.enum_member(enum_type, ClassKey(module, qualname), name, value, special)
        if code == Tag.DATETIME:
            text, fold, zone = content
            moment = dt.datetime.fromisoformat(text).replace(fold=fold)
            return moment if zone is None else moment.replace(tzinfo=_zone(zone))
        if code == Tag.DATE:
            return dt.date.fromisoformat(content)
        if code == Tag.TIME:
            time = dt.time.fromisoformat(content[0]).replace(fold=content[1])
            return time if len(content) < 3 else time.replace(tzinfo=_zone(content[2]))
        if code == Tag.TIMEDELTA:
            return dt.timedelta(*content)
        if code == Tag.DECIMAL:
            return decimal.Decimal(content)
        if code == Tag.PATH:
            return (pathlib.Path if content[0] == "path" else pathlib.PurePosixPath)(content[1])
        if code == Tag.COMPLEX:
            return complex(*content)
        if code == Tag.COLLECTION:
            made = make_empty(content[0], content[1], self._classes)
            fill(made, content[2])
            return made
        if code == Tag.ZONE:
            return _zone(content)
        if code == Tag.FRACTION:
            return fractions.Fraction(*content)
        raise ValueDecodingError(f"damaged value: unknown extension type {code}")

    def _new_record(self, content: Any) -> Any:
        kind, module, qualname, names = content[:4]
        traits = None
        if len(content) > 6:
            flags, special = content[6][:2]  # a later release may tell more
            traits = Traits(flags, tuple(special))
        return self._classes.new_record(ClassKind(kind), ClassKey(module, qualname), tuple(names), traits)

    def _fill_record(self, record: Any, content: Any) -> None:
        values = dict(zip(content[3], content[4], strict=True))
        self._classes.fill_record(
            record, values, tuple(content[5]) if len(content) > 5 and content[5] is not None else None
        )

    def _fill_internal(self, made: Any, internal: InternalType, content: Buffer) -> None:
        for name, part in zip(internal.names, self.decode(content), strict=True):
            setattr(made, name, part)
        if self._on_internal is not None:
            self._on_internal(made)

    def _read_shared(self, number: int, node: msgspec.Raw) -> Any:
        """A container that occurs again, perhaps inside itself: it must exist before its parts are read."""
        first = memoryview(node)[0]
        shell: Any
        if 0x90 <= first <= 0x9F or first in (0xDC, 0xDD):
            shell = self._shared[number] = []
            shell.extend(self.decode(node))
        elif 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
            shell = self._shared[number] = {}
            shell.update(self.decode(node))
        elif first not in _EXT_BYTES:
            shell = self._shared[number] = self.decode(node)  # a long text
        else:
            extension = msgspec.msgpack.decode(node, type=msgspec.msgpack.Ext)
            code, content = extension.code, extension.data
            internal = self._internals.get(code)
            if internal is not None and internal.load is None:
                shell = self._shared[number] = internal.type.__new__(internal.type)
                self._fill_internal(shell, internal, content)
            elif code == Tag.DICT:
                shell = self._shared[number] = {}
                parts = self.decode(content)
                shell.update(zip(parts[::2], parts[1::2], strict=True))
            elif code == Tag.COLLECTION:
                kind, extra = [msgspec.msgpack.decode(part) for part in self._raw_parts(content)[:2]]
                shell = self._shared[number] = make_empty(kind, extra, self._classes)
                fill(shell, self.decode(content)[2])
            elif code == Tag.SET:
                shell = self._shared[number] = self._classes.set_type(())
                shell.update(self.decode(content))
            elif code == Tag.RECORD:
                raw = self._raw_parts(content)
                head = [msgspec.msgpack.decode(part) for part in raw[:4]]
                if len(raw) > 6:
                    head += [None, None, msgspec.msgpack.decode(raw[6])]
                shell = self._shared[number] = self._new_record(head)
                self._fill_record(shell, self.decode(content))
            elif code == Tag.EXCEPTION:
                shell = self._exception(content, number)
            else:
                # tuple, frozenset, enum: the scan refuses those that contain themselves
                shell = self._shared[number] = self._extension(code, memoryview(content))
        return shell

    @staticmethod
    def _raw_parts(content: Buffer) -> list[msgspec.Raw]:
        return msgspec.msgpack.decode(content, type=list[msgspec.Raw])

    def _exception(self, content: Buffer, number: int | None) -> BaseException:
        """The exception first, what it is chained to after: a chain may lead back to it."""
        parts = self._raw_parts(content)
        mro, args, attributes, message, trace_text, trace, suppress, notes = (
            self.decode(part) for part in parts[:8]
        )
        if message is not None:
            attributes = {**attributes, exceptions.MESSAGE: message}
        made = self._classes.new_exception(tuple(ClassKey(*key) for key in mro), tuple(args), attributes)
        if number is not None:
            self._shared[number] = made
        if trace_text:
            vars(made)[exceptions.TRACEBACK] = trace_text
        if trace:
            vars(made)[exceptions.TRACE] = [tuple(place) for place in trace]
        for note in notes:
            made.add_note(note)
        made.__cause__ = self.decode(parts[8])
        made.__context__ = self.decode(parts[9])
        made.__suppress_context__ = suppress
        return made


def _brief(part: object) -> str:
    """An argument of an exception whose whole text may be too much to make."""
    if isinstance(part, str):
        return part[:_FALLBACK_TEXT]
    return repr(part) if isinstance(part, float | bool | None) else f"<{type(part).__qualname__}>"


def encode_exception(exception: BaseException) -> bytes:
    """Encode an exception with its class hierarchy, arguments, attributes, causes and traceback text. Never fails:
    what cannot be stored becomes text, and one that is too big loses its arguments and attributes."""
    try:
        return encode(exception, root="exception")
    except (ValueEncodingError, RecursionError):
        text = exceptions.own_message(exception) or ", ".join(map(_brief, exception.args[:5]))
        small = ValueEncodingError.__new__(ValueEncodingError)
        small.args = (
            f"{type(exception).__qualname__}: {text[:_FALLBACK_TEXT]} (the exception was too big to store whole)",
        )
        return encode(small, root="exception")


def _locate(root_value: object, target: object, root: str) -> str:
    """Path of the first occurrence of `target` in a value."""
    stack: list[tuple[object, str, int]] = [(root_value, root, 0)]
    seen: set[int] = set()
    while stack:
        value, path, depth = stack.pop()
        if value is target:
            return path if len(path) < 500 else path[:250] + " ... " + path[-100:]
        if id(value) in seen or depth > MAX_DEPTH + 1 or type(value) in _SCALARS:
            continue
        seen.add(id(value))
        children: list[tuple[object, str]] = []
        if isinstance(value, dict):
            children = [(key, f"{path} (key)") for key in value] + [
                (v, f"{path}[{key!r}]") for key, v in value.items()
            ]
        elif isinstance(value, list | tuple):
            children = [(item, f"{path}[{index}]") for index, item in enumerate(value)]
        elif isinstance(value, set | frozenset):
            children = [(item, f"{path} (item {item!r:.40})") for item in value]
        elif (record := _record_parts(value)) is not None:
            children = [(part, f"{path}.{name}") for name, part in record[1].items()]
        stack.extend((child, where, depth + 1) for child, where in reversed(children))
    return root
