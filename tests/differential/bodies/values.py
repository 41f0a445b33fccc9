"""Methods of values that are less common: bytes, numbers, ranges, dates and zones, paths, ids, fractions."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import cmath
import datetime
import decimal
import math
import pathlib
import statistics
import uuid
from datetime import date, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Point, echo
from waymark.sdk.workflow import Workflow


@body("hello world", "", "ÄÖ ü")
class Translations(Workflow):
    async def run(self, s):
        table = str.maketrans("lo", "01", "h")
        await echo(1)
        return [
            s.translate(table),
            s.translate({ord("w"): "WWW", ord("e"): None, ord("d"): 100}),
            str.maketrans({"a": "b"}),
            s.maketrans("a", "b"),
            "{a}-{b!r:>8}".format_map({"a": s, "b": s[:2]}),
        ]


@body("{0}", "{a.nothing}", "{b}", "{}")
class FormatMapErrors(Workflow):
    async def run(self, template):
        return template.format_map({"a": 1})


@body(call("aa", "b"), call("aa", "bc", "b"), call(1), call({"ab": 1}))
class MaketransErrors(Workflow):
    async def run(self, *args):
        return str.maketrans(*args)


@body(b"Hello World", b"", b"\x00\xff  a,b")
class BytesMethods(Workflow):
    async def run(self, b):
        return [
            [b.capitalize(), b.center(15, b"*"), b.count(b"l"), b.expandtabs(), b.find(b"o"), b.hex("-")],
            [
                b.isalnum(),
                b.isalpha(),
                b.isascii(),
                b.isdigit(),
                b.islower(),
                b.isspace(),
                b.istitle(),
                b.isupper(),
            ],
            [b.ljust(13, b"."), b.rjust(13), b.lower(), b.upper(), b.swapcase(), b.title(), b.zfill(14)],
            [b.partition(b"o"), b.rpartition(b"o"), b.removeprefix(b"He"), b.removesuffix(b"ld")],
            [
                b.rfind(b"o"),
                b.rsplit(b"o", 1),
                b.split(),
                b.splitlines(),
                b.strip(b"H"),
                b.lstrip(),
                b.rstrip(b"d"),
            ],
            [
                b.translate(None, b"l"),
                b.translate(bytes.maketrans(b"l", b"L")),
                b.startswith((b"He", b"x")),
                b.endswith(b"d"),
            ],
            bytes.fromhex("00ff 10"),
            b.decode("latin-1"),
        ]


@body("zz", "0", "aé")
class BytesErrors(Workflow):
    async def run(self, text):
        return bytes.fromhex(text)


@body(b"abc")
class BytesIndexErrors(Workflow):
    async def run(self, b):
        found = []
        try:
            b.index(b"z")
        except ValueError as error:
            found.append(str(error))
        try:
            b.rindex(b"z")
        except ValueError as error:
            found.append(str(error))
        try:
            b.join(["a"])
        except TypeError as error:
            found.append(str(error))
        return found


@body(1000, 0, -255, 2**70)
class IntegersAsBytes(Workflow):
    async def run(self, n):
        size = (n.bit_length() + 8) // 8
        data = n.to_bytes(size, "big", signed=True)
        return [
            data,
            int.from_bytes(data, "big", signed=True),
            int.from_bytes([1, 2], byteorder="little"),
            n.bit_count(),
            n.as_integer_ratio(),
            n.conjugate(),
            (n.real, n.imag, n.numerator, n.denominator),
            True.to_bytes(1, "little"),
        ]


@body(call(300, 1, "big"), call(-1, 1, "big"), call(1, 1, "middle"), call(1, -1, "big"))
class IntToBytesErrors(Workflow):
    async def run(self, n, length, order):
        return n.to_bytes(length, order)


@body(0.5, -3.0, 1e300, float("inf"), float("nan"))
class FloatMethods(Workflow):
    async def run(self, x):
        return [x.hex(), float.fromhex("0x1.8p3"), x.is_integer(), x.conjugate(), x.real, x.imag]


@body(0.75, float("inf"), float("nan"))
class FloatRatio(Workflow):
    async def run(self, x):
        return x.as_integer_ratio()


@body("0x", "zz", "0x1p99999")
class FromHexErrors(Workflow):
    async def run(self, text):
        return float.fromhex(text)


@body(call(3, 4), call(0, -1))
class ComplexNumbers(Workflow):
    async def run(self, a, b):
        z = complex(a, b)
        await echo(z)
        return [
            z.conjugate(),
            z.real,
            z.imag,
            abs(z),
            z * 2,
            z + 1,
            z == complex(a, b),
            -z,
            z**2,
            complex("1+2j"),
            f"{z:.2f}",
        ]


@body("1+", "x", "")
class ComplexErrors(Workflow):
    async def run(self, text):
        return complex(text)


@body(call(10, 2, 3), call(0, -5, -1), call(5, 5, 1))
class Ranges(Workflow):
    async def run(self, start, stop, step):
        r = range(start, stop, step)
        await echo(1)
        return [
            r.count(2),
            r.count("x"),
            r.count(2.0),
            list(r),
            r[::2].step,
            len(r),
            bool(r),
            repr(r),
            2 in r,
            r == range(start, stop, step),
        ]


@body(5, "x", 2.5)
class RangeIndexErrors(Workflow):
    async def run(self, x):
        return range(3).index(x)


@body(call(None, None, None), call(1, 10, 2), call(-3, None, -1))
class SliceIndices(Workflow):
    async def run(self, start, stop, step):
        s = slice(start, stop, step)
        await echo(1)
        return [
            s.indices(5),
            s.indices(0),
            (s.start, s.stop, s.step),
            s == slice(start, stop, step),
            repr(s),
            [1, 2, 3][s],
        ]


@body()
class SetAttributes(Workflow):
    async def run(self):
        point = Point(1, 2)
        setattr(point, "x", 5)
        found = [point, getattr(point, "x")]
        try:
            setattr(point, 1, 2)
        except TypeError as error:
            found.append(str(error))
        try:
            delattr(point, "nothing")
        except AttributeError as error:
            found.append(str(error))
        delattr(point, "y")
        found.append(hasattr(point, "y"))
        return found


@body("2024-02-29", "1999-12-31", "2026-01-01")
class Calendars(Workflow):
    async def run(self, text):
        d = date.fromisoformat(text)
        week = d.isocalendar()
        await echo(1)
        return [
            d.ctime(),
            d.isoweekday(),
            d.weekday(),
            d.toordinal(),
            tuple(week),
            week.year,
            week.week,
            week[2],
            date.fromordinal(d.toordinal()),
            date.fromisocalendar(week.year, week.week, week.weekday),
            d.replace(day=1),
            d.strftime("%Y/%j %A"),
            d + timedelta(days=1),
            d - date(2000, 1, 1),
            d < date.max,
            date.min,
            date.resolution,
            f"{d:%d.%m}",
            repr(week),
        ]


@body(call(2023, 2, 29), call(0, 1, 1), call(2024, 13, 1), call("x", 1, 1), call(2024))
class WrongDates(Workflow):
    async def run(self, *args):
        return date(*args)


@body("2024", "2024-02-30", "nonsense")
class DateParseErrors(Workflow):
    async def run(self, text):
        return date.fromisoformat(text)


@body("2024-03-10T12:30:15.000250+02:00", "2024-03-10T00:00:00Z", "2024-03-10")
class DateTimes(Workflow):
    async def run(self, text):
        d = datetime.datetime.fromisoformat(text)
        await echo(d)
        return [
            d.isoformat(" ", "milliseconds"),
            d.timetz(),
            d.time(),
            d.date(),
            d.tzinfo,
            d.utcoffset(),
            d.tzname(),
            d.dst(),
            d.fold,
            d.replace(tzinfo=timezone.utc).timestamp(),
            d.replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(hours=-5))),
            datetime.datetime.combine(d.date(), time(1, 2), tzinfo=datetime.UTC),
            d.ctime(),
            d.isocalendar().week,
            datetime.datetime.max,
            datetime.datetime.min,
            datetime.datetime.fromordinal(738000),
            d.strftime("%H:%M:%S.%f %z|"),
        ]


@body(0, 1_700_000_000.123456, -1.5)
class Timestamps(Workflow):
    async def run(self, seconds):
        d = datetime.datetime.fromtimestamp(seconds, timezone.utc)
        e = datetime.datetime.fromtimestamp(seconds, tz=ZoneInfo("Europe/Berlin"))
        await echo(e)
        return [
            d,
            e,
            d == e,
            d - e,
            d.timestamp(),
            e.timestamp(),
            datetime.datetime.utcfromtimestamp(int(seconds)),
        ]


@body(1e20, float("nan"), "x")
class TimestampErrors(Workflow):
    async def run(self, seconds):
        return datetime.datetime.fromtimestamp(seconds, timezone.utc)


@body(
    call("10.03.2024 14:05", "%d.%m.%Y %H:%M"),
    call("Mon Jan 5", "%a %b %d"),
    call("2024-01-01 +0130", "%Y-%m-%d %z"),
    call("x", "%Y"),
    call("2024 1", "%Y"),
    call("1", "%q"),
    call("31.02.2024", "%d.%m.%Y"),
)
class Strptime(Workflow):
    async def run(self, text, spec):
        return datetime.datetime.strptime(text, spec)


@body()
class NaiveAndAware(Workflow):
    async def run(self):
        naive = datetime.datetime(2024, 1, 1)
        aware = datetime.datetime(2024, 1, 1, tzinfo=timezone.utc)
        found = [naive == aware]
        try:
            naive < aware
        except TypeError as error:
            found.append(str(error))
        try:
            naive - aware
        except TypeError as error:
            found.append(str(error))
        return found


@body("Europe/Berlin", "America/New_York", "UTC")
class Zones(Workflow):
    async def run(self, key):
        zone = ZoneInfo(key)
        winter = datetime.datetime(2024, 1, 15, 12, tzinfo=zone)
        summer = winter.replace(month=7)
        await echo(winter)
        return [
            zone.key,
            str(zone),
            repr(zone),
            winter.utcoffset(),
            summer.utcoffset(),
            summer.dst(),
            summer.tzname(),
            summer - winter,
            summer.astimezone(timezone.utc),
            zone.utcoffset(winter),
            zone,
            ZoneInfo(key) is zone,
            datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zone).utcoffset(),
            winter + timedelta(days=180),
        ]


@body("Nowhere/Nothing", "../x", "")
class ZoneErrors(Workflow):
    async def run(self, key):
        try:
            return ZoneInfo(key)
        except ZoneInfoNotFoundError as error:
            return ["not found", str(error)]


@body(call(90, None), call(-300, "EST"), call(0, None), call(0, "Z"))
class FixedZones(Workflow):
    async def run(self, minutes, name):
        zone = (
            timezone(timedelta(minutes=minutes))
            if name is None
            else timezone(timedelta(minutes=minutes), name)
        )
        await echo(zone)
        t = time(1, 2, 3, tzinfo=zone)
        return [
            zone,
            repr(zone),
            str(zone),
            zone.utcoffset(None),
            zone.tzname(None),
            t.utcoffset(),
            t.tzname(),
            t.isoformat(),
            t,
            zone == timezone.utc,
            zone is timezone.utc,
            isinstance(zone, timezone),
            {zone: 1},
        ]


@body(timedelta(days=1), timedelta(hours=-25))
class FixedZoneErrors(Workflow):
    async def run(self, offset):
        return timezone(offset)


@body("12:30", "23:59:59.999999", "00:00+05:30")
class Times(Workflow):
    async def run(self, text):
        t = time.fromisoformat(text)
        await echo(t)
        return [
            t,
            t.isoformat("auto"),
            t.replace(hour=1),
            t.strftime("%H-%M"),
            t < time.max.replace(tzinfo=t.tzinfo),
            t.fold,
            time.min,
            bool(t),
        ]


@body(call(days=1, hours=3), call(weeks=-1, microseconds=5), call())
class Timedeltas(Workflow):
    async def run(self, **kwargs):
        d = timedelta(**kwargs)
        return [
            d,
            str(d),
            repr(d),
            -d,
            abs(d),
            d * 2.5,
            d / 3,
            d // 2,
            d.total_seconds(),
            divmod(d, timedelta(hours=7)),
            d % timedelta(hours=5),
            timedelta.max > d,
            timedelta.resolution,
            bool(d),
            {d: 1},
            d / timedelta(seconds=1),
        ]


@body(10**10, "x")
class TimedeltaErrors(Workflow):
    async def run(self, days):
        return timedelta(days=days)


@body()
class TimedeltaZero(Workflow):
    async def run(self):
        return timedelta(1) / timedelta(0)


@body("3.14159", "-0", "1E+5", "123456789.987654321", "0.00")
class Decimals(Workflow):
    async def run(self, text):
        d = Decimal(text)
        await echo(d)
        return [
            [
                d.quantize(Decimal("0.01")),
                d.quantize(Decimal("0.1"), rounding=decimal.ROUND_UP),
                d.normalize(),
                d.adjusted(),
            ],
            [
                d.copy_abs(),
                d.copy_negate(),
                d.copy_sign(Decimal(-1)),
                d.is_signed(),
                d.is_zero(),
                d.is_finite(),
                d.is_normal(),
                d.is_nan(),
            ],
            [
                d.compare(Decimal(1)),
                d.max(Decimal(2)),
                d.min(Decimal(2)),
                d.as_integer_ratio(),
                d.to_integral_value(),
                d.to_eng_string(),
            ],
            [
                d.fma(2, 3),
                d.scaleb(2),
                d.same_quantum(Decimal("1.00")),
                d.number_class(),
                d.next_plus(),
                d.remainder_near(7),
                d.exp(),
            ],
            [
                d + 1,
                d * d,
                d - Decimal("0.1"),
                d / 3,
                d // 1,
                d % 7,
                -d,
                +d,
                abs(d),
                d**2,
                round(d, 1),
                int(d),
                float(d),
                divmod(d, 2),
            ],
            [
                d == 3,
                d < 4,
                f"{d:.2f}",
                f"{d:,}",
                f"{d:e}",
                str(d),
                repr(d),
                Decimal.from_float(0.1),
                {d: 1},
                bool(d),
                d.real,
                d.imag,
            ],
        ]


@body("x", "", "1_0", "0x1", "NaN", "inf")
class DecimalTexts(Workflow):
    async def run(self, text):
        return [Decimal(text), str(Decimal(text))]


@body(call(1, 0), call(0, 0))
class DecimalSignals(Workflow):
    async def run(self, a, b):
        try:
            return Decimal(a) / Decimal(b)
        except decimal.DivisionByZero as error:
            await echo(1)
            return [
                "by zero",
                isinstance(error, ZeroDivisionError),
                isinstance(error, decimal.DecimalException),
            ]
        except decimal.InvalidOperation as error:
            await echo(1)
            return ["invalid", isinstance(error, ArithmeticError)]


@body()
class DecimalQuantizeTooFar(Workflow):
    async def run(self):
        try:
            Decimal("1e30").quantize(Decimal("0.1"))
        except decimal.InvalidOperation as error:
            kept = error
            await echo(1)
            return isinstance(kept, decimal.InvalidOperation)


@body()
class DecimalRaisedOut(Workflow):
    async def run(self):
        return Decimal(1) / 0


@body(call(1, 3), call(-6, 4), call(0, 5))
class Fractions(Workflow):
    async def run(self, n, d):
        f = Fraction(n, d)
        await echo(f)
        return [
            f,
            str(f),
            f + 1,
            f * f,
            f - Fraction("0.25"),
            f / 7,
            f**2,
            f**-1 if f else None,
            f.limit_denominator(2),
            f.numerator,
            f.denominator,
            Fraction(0.5),
            Fraction("3/7"),
            Fraction(Decimal("1.1")),
            Fraction.from_float(0.25),
            Fraction.from_decimal(Decimal("2.5")),
            f == n / d,
            f < 1,
            round(f),
            round(f, 1),
            int(f),
            float(f),
            f % 1,
            f // 1,
            divmod(f, Fraction(1, 7)),
            math.floor(f),
            {f: 1},
            f.as_integer_ratio(),
            abs(f),
            -f,
            bool(f),
            isinstance(f, Fraction),
            sum([f, f]),
            math.ceil(f),
            math.trunc(f),
        ]


@body(call(1, 0), call("x"), call(1.5, 2))
class FractionErrors(Workflow):
    async def run(self, *args):
        return Fraction(*args)


@body("a/b/c.tar.gz", "/x", "", "..", "a/./b//c")
class PurePaths(Workflow):
    async def run(self, text):
        p = pathlib.PurePath(text)
        await echo(p)
        return [
            p,
            p.name,
            p.stem,
            p.suffix,
            p.suffixes,
            p.parent,
            p.parts,
            p.anchor,
            p.root,
            p.drive,
            p.is_absolute(),
            p.as_posix(),
            p / "z",
            p.joinpath("x", "y"),
            p.match("*.gz"),
            p.is_relative_to("a"),
            str(p),
            repr(p),
            p == pathlib.PurePosixPath(text),
            p < pathlib.PurePath("b"),
            {p: 1},
            isinstance(p, pathlib.PurePath),
        ]


@body(call("a/b", "x.txt", ".md"), call("", "x", ".md"), call("a", "b/c", ".md"), call("a.b", "c", "md"))
class PathNames(Workflow):
    async def run(self, text, name, suffix):
        p = pathlib.PurePosixPath(text)
        return [p.with_name(name), p.with_stem("s"), p.with_suffix(suffix)]


@body("a", "c")
class PathRelative(Workflow):
    async def run(self, base):
        return pathlib.PurePosixPath("a/b").relative_to(base)


@body("12345678-1234-5678-1234-567812345678")
class Uuids(Workflow):
    async def run(self, text):
        u = uuid.UUID(text)
        await echo(u)
        return [
            u.hex,
            u.int,
            u.bytes,
            u.bytes_le,
            u.urn,
            u.version,
            u.variant,
            u.fields,
            u.time_low,
            u.node,
            u.clock_seq,
            str(u),
            repr(u),
            u == uuid.UUID(int=u.int),
            u < uuid.NAMESPACE_DNS,
            uuid.NAMESPACE_URL,
            {u: 1},
        ]


@body("x", "1234", "")
class UuidErrors(Workflow):
    async def run(self, text):
        return uuid.UUID(text)


@body(call(2.0, 3), call(0.5, 1), call(10, 2))
class Mathematics(Workflow):
    async def run(self, x, n):
        return [
            [
                math.sqrt(x),
                math.exp(n),
                math.log(x, 2),
                math.log1p(x),
                math.sin(x),
                math.atan2(x, n),
                math.hypot(x, n),
                math.degrees(x),
                math.radians(x),
            ],
            [
                math.fmod(x, n),
                math.remainder(x, n),
                math.modf(x),
                math.frexp(x),
                math.ldexp(x, 3),
                math.copysign(x, -1),
                math.fabs(-x),
                math.trunc(x),
            ],
            [
                math.comb(n + 5, n),
                math.perm(n + 5, 2),
                math.perm(n),
                math.factorial(n),
                math.gcd(12, 18, n),
                math.lcm(4, 6, n),
                math.isqrt(n * 1000),
            ],
            [
                math.fsum([0.1] * 10),
                math.prod([1, 2, n]),
                math.dist([0, 0], [3, 4]),
                math.isfinite(x),
                math.isinf(x),
                math.nextafter(x, 9),
                math.ulp(x),
            ],
            [
                math.erf(x),
                math.gamma(n),
                math.lgamma(n),
                math.cbrt(8.0) > 1.9,
                math.floor(x),
                math.ceil(x),
                math.pi,
                math.isclose(x, x + 1e-12),
            ],
            [
                math.floor(Decimal("2.5")),
                math.ceil(Fraction(5, 2)),
                math.prod([Fraction(1, 2), 4]),
                math.fsum(iter([1, 2])),
                math.prod({2, 3}),
            ],
            [
                cmath.sqrt(-x),
                cmath.phase(-1),
                cmath.polar(1j),
                cmath.rect(1, 0),
                cmath.exp(0),
                cmath.isnan(x),
            ],
        ]


@body(
    call("sqrt", -1),
    call("log", 0),
    call("factorial", -1),
    call("factorial", 1.5),
    call("acos", 2),
    call("exp", 1000),
    call("isqrt", -1),
)
class MathErrors(Workflow):
    async def run(self, name, x):
        functions = {
            "sqrt": math.sqrt,
            "log": math.log,
            "factorial": math.factorial,
            "acos": math.acos,
            "exp": math.exp,
            "isqrt": math.isqrt,
        }
        function = functions[name]
        await echo(1)
        return function(x)


@body(call(5, -1), call(-1, 2), call(2.5, 1), call(5, "x"))
class CombErrors(Workflow):
    async def run(self, n, k):
        return math.comb(n, k)


@body([1, 2, 3, 4], [2.5, 3.5, 1.0], [Decimal("1.5"), Decimal(2)], [Fraction(1, 3), 1], [7])
class Statistics(Workflow):
    async def run(self, xs):
        found = [
            statistics.mean(xs),
            statistics.median(xs),
            statistics.median_low(xs),
            statistics.median_high(xs),
            statistics.mode(xs),
            statistics.multimode(xs),
            statistics.pvariance(xs),
            statistics.fmean(xs),
        ]
        if len(xs) > 1:
            found += [
                statistics.variance(xs),
                statistics.stdev(xs),
                statistics.pstdev(xs),
                statistics.quantiles(xs, n=4),
            ]
        return found + [statistics.mean([x for x in xs]), statistics.mean(data=xs), statistics.mean(iter(xs))]


@body([], [1])
class StatisticsErrors(Workflow):
    async def run(self, xs):
        try:
            return statistics.stdev(xs)
        except statistics.StatisticsError as error:
            await echo(1)
            return [str(error), isinstance(error, ValueError)]


@body()
class StatisticsRaisedOut(Workflow):
    async def run(self):
        return statistics.mean([])


@body(
    call("%5.1f|%-6s|%+d|%x|%%|%r|%c", (3.14159, "ab", 5, 255, [1], "z")),
    call("%(a)s %(b)05d", {"a": 1, "b": 2}),
    call("%s", 1),
    call("%s %s", (1,)),
    call("%d", "x"),
    call("%z", 1),
    call("x", (1,)),
    call("%*d|%.*f", (5, 42, 2, 3.14159)),
    call("%e %G %o", (1.5, 1e-10, 8)),
)
class PercentFormats(Workflow):
    async def run(self, template, values):
        return template % values


@body(call(b"%s|%d|%x|%a", (b"x", 1, 255, "é")), call(b"%s", ("x",)))
class PercentBytes(Workflow):
    async def run(self, template, values):
        return template % values


@body(
    call("{:>8}|{:<8}|{:^8}|{:*^9}", ("a", "b", "c", "d")),
    call("{0!r} {1:.3f} {2:,} {3:%}", ("a", 2.5, 1234567, 0.25)),
    call("{[a]} {.real}", ({"a": 1}, 5)),
    call("{:b} {:#x} {:_} {:+}", (5, 255, 10**6, 3)),
    call("{}", ()),
    call("{a}", ()),
    call("{0} {}", (1, 2)),
    call("{", ()),
    call("{:Q}", (1,)),
)
class Templates(Workflow):
    async def run(self, template, values):
        return template.format(*values)


@body(10**40, -(2**65))
class BigInts(Workflow):
    async def run(self, n):
        await echo(n)
        return [
            n,
            n + 1,
            n * n,
            n // 7,
            n % 7,
            -n >> 3,
            f"{n:,}",
            f"{n:x}",
            str(n),
            float(n),
            n.bit_length(),
            int(str(n)) == n,
            n**3,
            round(n, -5),
            divmod(n, 10**9),
            pow(n, 5, 97),
        ]
