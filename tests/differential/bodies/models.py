"""Pydantic models and dataclasses of all shapes: built, validated, dumped and copied as their classes do it."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import dataclasses
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Generic, Optional, TypeVar, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    computed_field,
    field_validator,
    model_validator,
)

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import echo
from waymark.sdk.workflow import Workflow

T = TypeVar("T")


class Address(BaseModel):
    street: str
    city: str = "Berlin"


class Buyer(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    name: str = Field(alias="fullName")
    age: Optional[int] = None
    home: Address | None = None
    tags: list[str] = Field(default_factory=list)
    ref: Union[int, str] = 0

    @field_validator("name")
    @classmethod
    def trimmed(cls, value):
        return value.strip()


class Period(BaseModel):
    first: int
    last: int

    @model_validator(mode="after")
    def ordered(self):
        if self.last < self.first:
            raise ValueError("last before first")
        return self

    @computed_field
    @property
    def length(self) -> int:
        return self.last - self.first


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    x: int = 1


class VipBuyer(Buyer):
    level: int = 1


@dataclass
class Scaled:
    value: int
    factor: InitVar[int] = 2
    total: int = field(init=False, default=0)

    def __post_init__(self, factor):
        self.total = self.value * factor


@dataclass(kw_only=True)
class KeyOnly:
    a: int
    b: list = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slotted:
    a: int
    b: str = "x"


@dataclass
class Counted:
    n: int = field(default_factory=lambda: 7)
    hidden: str = field(default="h", repr=False, compare=False)
    fixed: str = field(default="f", init=False)


@dataclass
class Derived(Counted):
    extra: Decimal = Decimal("1.5")


class Coded(Exception):
    def __init__(self, code, *, detail="none"):
        super().__init__(f"code {code}: {detail}")
        self.code = code
        self.detail = detail


@body({"fullName": " Ann ", "age": "5", "home": {"street": "A"}}, {"name": "Bob", "tags": ["x"], "ref": "7"})
class BuildModels(Workflow):
    async def run(self, data):
        buyer = Buyer(**data)
        await echo(buyer)
        vip = VipBuyer(**data, level=3)
        return [
            buyer,
            vip,
            isinstance(vip, Buyer),
            isinstance(buyer, VipBuyer),
            buyer.home,
            buyer == Buyer(**data),
            buyer == vip,
        ]


@body({"age": "x"}, {"fullName": 5, "home": {}}, {})
class ModelErrors(Workflow):
    async def run(self, data):
        try:
            return Buyer(**data)
        except ValidationError as error:
            await echo(1)
            return ["caught", str(error), isinstance(error, ValueError)]


@body({"age": "x"})
class ModelErrorsOut(Workflow):
    async def run(self, data):
        return Buyer(**data)


@body(call(1, 5), call(5, 1))
class Validators(Workflow):
    async def run(self, first, last):
        try:
            period = Period(first=first, last=last)
        except ValueError as error:
            return str(error)
        return [period, period.model_dump()]


@body({"fullName": "Ann", "home": {"street": "A"}, "tags": ["t"]})
class DumpModels(Workflow):
    async def run(self, data):
        buyer = Buyer(**data)
        found = [
            buyer.model_dump(),
            buyer.model_dump(by_alias=True, exclude_unset=True),
            buyer.model_dump_json(),
            buyer.model_dump(mode="json", include={"name"}),
            buyer.model_dump(exclude={"home"}),
        ]
        await echo(1)
        found[0]["tags"].append("more")
        return [found, buyer]


@body({"fullName": "Ann", "home": {"street": "A"}, "tags": ["t"]})
class CopyModels(Workflow):
    async def run(self, data):
        buyer = Buyer(**data)
        flat = buyer.model_copy()
        deep = buyer.model_copy(deep=True)
        other = buyer.model_copy(update={"age": 9})
        await echo(1)
        buyer.tags.append("new")
        return [
            flat.tags is buyer.tags,
            deep.tags,
            other,
            other.model_dump(exclude_unset=True),
            flat == buyer,
            deep == buyer,
            Frozen().model_copy(update={"x": 2}),
        ]


@body({"fullName": "Ann"}, {"age": 1})
class ValidateModels(Workflow):
    async def run(self, data):
        try:
            buyer = Buyer.model_validate(data)
        except ValidationError as error:
            return str(error)
        return [
            buyer,
            Buyer.model_validate_json('{"fullName": "J", "age": 3}'),
            Address.model_validate({"street": "S"}),
        ]


@body()
class Dataclasses(Workflow):
    async def run(self):
        scaled = Scaled(5, factor=3)
        await echo(scaled)
        found = [
            scaled,
            Scaled(2),
            KeyOnly(a=1),
            KeyOnly(a=1, b=[2]),
            Slotted(1),
            Counted(),
            Derived(extra=Decimal(2)),
            Derived().n,
            Counted(n=1) == Counted(n=1, hidden="z"),
            isinstance(Derived(), Counted),
        ]
        for make in (lambda: KeyOnly(1), lambda: Slotted(), lambda: Slotted(1, "b", 3)):
            try:
                make()
            except TypeError as error:
                found.append(str(error))
        try:
            found[4].a = 2
        except dataclasses.FrozenInstanceError as error:
            found.append(str(error))
        return found


@body(call(5), call(6, detail="d"))
class OwnExceptions(Workflow):
    async def run(self, code, **kwargs):
        try:
            raise Coded(code, **kwargs)
        except Coded as error:
            kept = error
            await echo(1)
            return [str(kept), kept.code, kept.detail, kept.args, isinstance(kept, Exception)]


@body()
class OwnExceptionsOut(Workflow):
    async def run(self):
        raise Coded(1, detail="out")
