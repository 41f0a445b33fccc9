"""What of Python's library workflows do not have: code, reason and way out, by the name that `waymark.program.library` would use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a name cannot be used."""

    code: str
    reason: str
    help: str


_ACTION = "move it into an @action and await it"
_REFUSED: tuple[tuple[Refused, str], ...] = (
    (Refused("WM132", "talks to the outside", _ACTION), "builtins.input builtins.open"),
    (
        Refused("WM132", "would block every workflow of the host", "write `await asyncio.sleep(...)`"),
        "time.sleep",
    ),
    (
        Refused("WM133", "differs from process to process", "compare or store the value itself"),
        "builtins.hash",
    ),
    (Refused("WM133", "differs from process to process", "compare with `is`"), "builtins.id"),
    (
        Refused(
            "WM133",
            "is made of the address of a network card",
            "use uuid4, or uuid5 for an id made of a name",
        ),
        "uuid.uuid1 uuid.getnode",
    ),
    (
        Refused(
            "WM133",
            "draws from the host, and would draw another value in a replay",
            "use `random.Random()` or `secrets`",
        ),
        "random.SystemRandom secrets.SystemRandom",
    ),
    (
        Refused(
            "WM170",
            "asks for the time zone of the host",
            "write `datetime.now(timezone.utc)`, or name another zone",
        ),
        "datetime.datetime.today time.localtime time.ctime time.asctime time.mktime time.strftime time.tzset",
    ),
    (
        Refused(
            "WM170",
            "asks for the time zone of the host",
            "write `datetime.now(timezone.utc).date()`, or name another zone",
        ),
        "datetime.date.today datetime.date.fromtimestamp",
    ),
    (
        Refused(
            "WM133",
            "measures the process, which is another one after a restart",
            "use time.monotonic(), the time of the run",
        ),
        "time.process_time time.process_time_ns time.thread_time time.thread_time_ns time.clock_gettime time.clock_gettime_ns",
    ),
    (
        Refused(
            "WM160",
            "gives the event loop, which a workflow does not have",
            "use asyncio.timeout for limits, asyncio.sleep for pauses, asyncio.create_task for tasks, time.monotonic() for the time of the run",
        ),
        "asyncio.get_running_loop asyncio.get_event_loop asyncio.new_event_loop asyncio.set_event_loop",
    ),
    (
        Refused("WM160", "starts an event loop of its own", "write `await` before the coroutine"),
        "asyncio.run asyncio.Runner asyncio.run_coroutine_threadsafe",
    ),
    (
        Refused("WM160", "runs code in a thread", _ACTION),
        "asyncio.to_thread",
    ),
    (
        Refused("WM160", "depends on which tasks are still referred to", "keep the tasks in a list"),
        "asyncio.all_tasks",
    ),
    (
        Refused(
            "WM131",
            "is not supported in a workflow",
            "use try/finally, nested `with` blocks, or an @action",
        ),
        "contextlib.contextmanager contextlib.asynccontextmanager contextlib.closing contextlib.aclosing contextlib.ExitStack "
        "contextlib.AsyncExitStack contextlib.redirect_stdout contextlib.redirect_stderr contextlib.chdir",
    ),
    (
        Refused(
            "WM131",
            "changes the context that all decimals of the host share",
            "round with `quantize`, or compute in an @action",
        ),
        "decimal.localcontext decimal.getcontext decimal.setcontext",
    ),
    (
        Refused("WM131", "looks into the program itself", "use the names and attributes that you need"),
        "builtins.dir builtins.globals builtins.locals builtins.vars",
    ),
    (
        Refused("WM131", "runs code that nobody has seen before the start", "write the code into a function"),
        "builtins.compile builtins.eval builtins.exec",
    ),
    (
        Refused("WM131", "makes part of a class", "define the class at the top of the module"),
        "builtins.classmethod builtins.property builtins.staticmethod",
    ),
    (
        Refused("WM131", "makes a class", "define the class at the top of the module"),
        "collections.namedtuple dataclasses.dataclass dataclasses.make_dataclass dataclasses.field",
    ),
    (
        Refused(
            "WM131",
            "is for asynchronous iterators, which a workflow does not have",
            "let an @action return the items as a list",
        ),
        "builtins.aiter builtins.anext",
    ),
    (
        Refused(
            "WM131",
            "is memory that changes in place, which cannot be kept",
            "use bytes, or a list of numbers",
        ),
        "builtins.bytearray builtins.memoryview",
    ),
    (
        Refused("WM131", "is for interactive use", "leave it out"),
        "builtins.breakpoint builtins.copyright builtins.credits builtins.exit builtins.help builtins.license builtins.quit",
    ),
    (
        Refused("WM131", "is a warning, which a workflow has no place for", "raise an exception of your own"),
        """builtins.BytesWarning builtins.DeprecationWarning builtins.EncodingWarning builtins.FutureWarning builtins.ImportWarning
        builtins.PendingDeprecationWarning builtins.PythonFinalizationError builtins.ResourceWarning builtins.RuntimeWarning
        builtins.SyntaxWarning builtins.UnicodeWarning builtins.UserWarning builtins.Warning zoneinfo.InvalidTZPathWarning""",
    ),
    (
        Refused("WM131", "ends or compiles a process, which a run is not", "raise an exception of your own"),
        """builtins.GeneratorExit builtins.IndentationError builtins.KeyboardInterrupt builtins.SystemExit builtins.TabError
        builtins._IncompleteInputError""",
    ),
    (
        Refused("WM131", "stands for no value of a run", "use None, or an enum"),
        "builtins.Ellipsis builtins.NotImplemented",
    ),
    (
        Refused(
            "WM131",
            "changes a function when it is defined",
            "decorate the function at the top of the module, and call it in an @action",
        ),
        """functools.cache functools.cached_property functools.lru_cache functools.partialmethod functools.singledispatch
        functools.singledispatchmethod functools.total_ordering functools.update_wrapper functools.wraps functools.Placeholder""",
    ),
    (
        Refused("WM131", "is not supported in a workflow", "write it with `len`, `+=` or another operator"),
        "operator.iconcat operator.length_hint operator.is_none operator.is_not_none",
    ),
    (
        Refused(
            "WM131",
            "is a container whose code is Python's own",
            "use dict, list or str; `{**defaults, **values}` for ChainMap",
        ),
        "collections.ChainMap collections.UserDict collections.UserList collections.UserString",
    ),
    (
        Refused("WM132", "reads or writes a file", _ACTION),
        "base64.decode base64.encode hashlib.file_digest json.dump json.load",
    ),
    (
        Refused(
            "WM131",
            "is a class to derive from",
            "use the options of `json.dumps` and `json.loads`, as default= and object_hook=",
        ),
        "json.JSONDecoder json.JSONEncoder",
    ),
    (
        Refused(
            "WM131",
            "is a part of `re` that workflows do not have",
            "use patterns and the other flags of `re`",
        ),
        "re.L re.LOCALE re.PatternError re.RegexFlag re.purge re.template",
    ),
    (
        Refused("WM131", "describes a class and not a value", "use the fields of the object by name"),
        "copy.Error copy.replace dataclasses.Field dataclasses.InitVar dataclasses.KW_ONLY dataclasses.MISSING dataclasses.fields",
    ),
    (
        Refused(
            "WM131",
            "belongs to decimal contexts, which a run has none of its own of",
            "use quantize(..., rounding=...)",
        ),
        """decimal.BasicContext decimal.Context decimal.ConversionSyntax decimal.DecimalTuple decimal.DefaultContext
        decimal.DivisionImpossible decimal.DivisionUndefined decimal.ExtendedContext decimal.InvalidContext
        """,
    ),
    (
        Refused("WM131", "is not supported in a workflow", "use uuid4 or uuid5"),
        "uuid.SafeUUID uuid.main uuid.uuid6 uuid.uuid7 uuid.uuid8",
    ),
    (
        Refused(
            "WM131",
            "is the state of a generator, which the run keeps itself",
            "use `random.Random(seed)` for numbers that come again",
        ),
        "random.getstate random.setstate",
    ),
    (
        Refused("WM131", "works with clocks of the host or their tuples", "use datetime"),
        """time.clock_getres time.clock_settime time.clock_settime_ns time.get_clock_info time.gmtime time.pthread_getcpuclockid
        time.strptime time.struct_time time.altzone time.daylight time.timezone time.tzname""",
    ),
    (
        Refused("WM131", "is not among the library functions of workflows", _ACTION),
        """statistics.NormalDist statistics.correlation statistics.covariance statistics.kde statistics.kde_random
        statistics.linear_regression string.Formatter string.Template textwrap.TextWrapper base64.a85decode base64.a85encode
        base64.b32hexdecode base64.b32hexencode base64.b85decode base64.b85encode base64.decodebytes base64.encodebytes
        base64.z85decode base64.z85encode hashlib.algorithms_available hashlib.algorithms_guaranteed hashlib.blake2b hashlib.blake2s
        hashlib.new hashlib.pbkdf2_hmac hashlib.scrypt hashlib.sha3_224 hashlib.sha3_384 hashlib.shake_128 hashlib.shake_256
        urllib.parse.DefragResult urllib.parse.DefragResultBytes urllib.parse.ParseResult urllib.parse.ParseResultBytes
        urllib.parse.SplitResult urllib.parse.SplitResultBytes urllib.parse.quote_from_bytes urllib.parse.unquote_to_bytes
        urllib.parse.urldefrag urllib.parse.urlparse urllib.parse.urlsplit urllib.parse.urlunparse urllib.parse.urlunsplit
        zoneinfo.available_timezones zoneinfo.reset_tzpath datetime.tzinfo""",
    ),
)

REFUSED: dict[str, Refused] = {name: refused for refused, names in _REFUSED for name in names.split()}
"""By dotted name; builtins under `builtins.`."""

_MEMBERS: tuple[tuple[str, str], ...] = (
    (
        "write it with the attributes of the value",
        "datetime.timetuple datetime.utctimetuple date.timetuple Decimal.as_tuple",
    ),
    ("name a time zone, as datetime.now(timezone.utc) does", "datetime.today date.today date.fromtimestamp"),
    ("use astimezone", "timezone.fromutc ZoneInfo.fromutc"),
    (
        "use ZoneInfo(key)",
        "ZoneInfo.clear_cache ZoneInfo.from_file ZoneInfo.no_cache ZoneInfo.available_timezones",
    ),
    ("use datetime.timezone with a timedelta", "timezone.max timezone.min"),
    (
        "use `&`, `|`, `^` and `~` of int",
        "Decimal.logical_and Decimal.logical_invert Decimal.logical_or Decimal.logical_xor",
    ),
    ("use scaleb and quantize", "Decimal.rotate Decimal.shift"),
    ("compare the bytes", "UUID.is_safe"),
    (
        "await the task, or let another task watch it",
        """Future.add_done_callback Future.get_loop Future.remove_done_callback Future.set_exception Future.set_result
        Task.add_done_callback Task.get_context Task.get_coro
        Task.get_loop Task.get_stack Task.print_stack Task.remove_done_callback Task.set_exception Task.set_result""",
    ),
    (
        "put an item that says that no more will come, or cancel the tasks that get; Python has it from 3.13 on only",
        "Queue.shutdown",
    ),
    (
        "use `parent` and `parts`",
        "Path.parents Path.as_uri Path.is_reserved Path.full_match Path.with_segments Path.parser",
    ),
    ("use `groupdict()` of a match", "Pattern.groupindex"),
    ("write the pattern", "Pattern.scanner"),
    (
        "use `random.Random(seed)` for numbers that come again",
        "Random.VERSION Random.getstate Random.setstate",
    ),
    (
        "move it into an @action and await it",
        "Fraction.from_number Fraction.is_integer Decimal.from_number int.is_integer",
    ),
)

REFUSED_MEMBERS: dict[str, str] = {name: help for help, names in _MEMBERS for name in names.split()}
"""Methods and attributes of value types that a run does not have, as `type.name`, and the way out. Those that read or write files need no row:
`Path` is the path alone."""
