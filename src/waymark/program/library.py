"""What programs may use of Python's library: the contract between compiler and VM, and the source of docs/language.md.

`FUNCTIONS`, `CLASSES` and `VALUES` are reached by `BUILTIN name`; `METHODS` and `ATTRIBUTES` are those of values, which `ATTR` gives.
A test proves that the VM implements every name, and that nothing else is reachable; `waymark.program.refused` says why not.
"""

from __future__ import annotations

from waymark.values.classes import MODEL_METHODS


def _names(**modules: str) -> frozenset[str]:
    """`module.name` for words by module; bare names for `builtins`; `__` in a module stands for a dot."""
    return frozenset(
        word if module == "builtins" else f"{module.replace('__', '.')}.{word}"
        for module, words in modules.items()
        for word in words.split()
    )


FUNCTIONS: frozenset[str] = _names(
    builtins="""
        abs all any ascii bin callable chr delattr divmod enumerate filter format getattr hasattr hex isinstance issubclass iter len
        map max min next oct ord pow print repr reversed round setattr sorted sum zip
    """,
    asyncio="""
        as_completed create_task current_task ensure_future gather shield sleep timeout timeout_at wait wait_for
    """,
    base64="""
        b16decode b16encode b32decode b32encode b64decode b64encode standard_b64decode standard_b64encode urlsafe_b64decode
        urlsafe_b64encode
    """,
    copy="copy deepcopy",
    dataclasses="asdict astuple is_dataclass replace",
    datetime__datetime="now utcnow",
    functools="cmp_to_key partial reduce",
    hashlib="md5 sha1 sha224 sha256 sha384 sha3_256 sha3_512 sha512",
    json="dumps loads",
    itertools="""
        accumulate batched chain chain.from_iterable combinations combinations_with_replacement compress count cycle dropwhile
        filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest
    """,
    math="""
        acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist erf erfc exp exp2 expm1 fabs factorial
        floor fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nextafter
        perm pow prod radians remainder sin sinh sqrt tan tanh trunc ulp
    """,
    cmath="""
        acos acosh asin asinh atan atanh cos cosh exp isclose isfinite isinf isnan log log10 phase polar rect sin sinh sqrt tan tanh
    """,
    operator="""
        abs add and_ attrgetter call concat contains countOf delitem eq floordiv ge getitem gt iadd iand ifloordiv ilshift imatmul imod
        imul index indexOf inv invert ior ipow irshift is_ is_not isub itemgetter itruediv ixor le lshift lt matmul methodcaller mod
        mul ne neg not_ or_ pos pow rshift setitem sub truediv truth xor
    """,
    random="""
        betavariate choice choices expovariate gammavariate gauss getrandbits lognormvariate normalvariate paretovariate randbytes
        randint random randrange sample seed shuffle triangular uniform vonmisesvariate weibullvariate
    """,
    re="compile escape findall finditer fullmatch match search split sub subn",
    secrets="choice compare_digest randbelow randbits token_bytes token_hex token_urlsafe",
    statistics="""
        fmean geometric_mean harmonic_mean mean median median_grouped median_high median_low mode multimode pstdev pvariance quantiles
        stdev variance
    """,
    string="capwords",
    textwrap="dedent fill indent shorten wrap",
    urllib__parse="parse_qs parse_qsl quote quote_plus unquote unquote_plus urlencode urljoin",
    time="monotonic monotonic_ns perf_counter perf_counter_ns time time_ns",
    uuid="uuid3 uuid4 uuid5",
)
"""Functions by the name they are reached by: bare for builtins, `module.name` otherwise."""

EXCEPTIONS: frozenset[str] = _names(
    builtins="""
        ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError ChildProcessError
        ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError EOFError Exception ExceptionGroup FileExistsError
        FileNotFoundError FloatingPointError ImportError IndexError InterruptedError IsADirectoryError KeyError LookupError MemoryError
        ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PermissionError ProcessLookupError
        RecursionError ReferenceError RuntimeError StopAsyncIteration StopIteration SyntaxError SystemError TimeoutError TypeError
        UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError ValueError ZeroDivisionError
    """
)
"""Builtin exception classes."""

CLASSES: frozenset[str] = EXCEPTIONS | _names(
    builtins="bool bytes complex dict float frozenset int list object range set slice str tuple type",
    asyncio="""
        Barrier BoundedSemaphore BrokenBarrierError CancelledError Condition Event Future InvalidStateError LifoQueue Lock
        PriorityQueue Queue QueueEmpty QueueFull Semaphore Task TaskGroup
    """,
    binascii="Error",
    collections="Counter OrderedDict defaultdict deque",
    contextlib="nullcontext suppress",
    dataclasses="FrozenInstanceError",
    datetime="date datetime time timedelta timezone",
    decimal="""
        Clamped Decimal DecimalException DivisionByZero FloatOperation Inexact InvalidOperation Overflow Rounded Subnormal Underflow
    """,
    fractions="Fraction",
    json="JSONDecodeError",
    pathlib="Path PurePath PurePosixPath",
    random="Random",
    re="Match Pattern error",
    statistics="StatisticsError",
    uuid="UUID",
    waymark="""
        ActionError ActionLost ActionTimeout ExhaustedRetriesError RetryPolicy ValueEncodingError WaymarkError
    """,
    zoneinfo="ZoneInfo ZoneInfoNotFoundError",
)
"""Classes by the name they are reached by; usable in calls, isinstance and except."""

VALUES: frozenset[str] = _names(
    datetime="UTC",
    datetime__date="max min resolution",
    datetime__datetime="max min resolution",
    datetime__time="max min resolution",
    datetime__timedelta="max min resolution",
    datetime__timezone="utc",
    re="A ASCII DOTALL I IGNORECASE M MULTILINE NOFLAG S U UNICODE VERBOSE X",
    uuid="NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500",
)
"""Values of modules and classes that are kept by name; plain ones, as `math.pi`, are constants of the program."""

NAMES: frozenset[str] = FUNCTIONS | CLASSES | VALUES
"""Everything that `BUILTIN` reaches."""

_STR_METHODS = """
    capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha isascii isdecimal isdigit
    isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans partition removeprefix
    removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper
    zfill
"""
_SET_METHODS = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"

METHODS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "str": _STR_METHODS,
        "bytes": """
            capitalize center count decode endswith expandtabs find fromhex hex index isalnum isalpha isascii isdigit islower isspace
            istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex rjust rpartition
            rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill
        """,
        "list": "append clear copy count extend index insert pop remove reverse sort",
        "tuple": "count index",
        "dict": "clear copy fromkeys get items keys pop popitem setdefault update values",
        "Counter": "elements most_common subtract total",
        "OrderedDict": "move_to_end",
        "deque": """
            append appendleft clear copy count extend extendleft index insert pop popleft remove reverse rotate
        """,
        "set": f"""
            add clear difference_update discard intersection_update pop remove symmetric_difference_update update {_SET_METHODS}
        """,
        "frozenset": _SET_METHODS,
        "range": "count index",
        "slice": "indices",
        "int": "as_integer_ratio bit_count bit_length conjugate from_bytes to_bytes",
        "float": "as_integer_ratio conjugate fromhex hex is_integer",
        "complex": "conjugate",
        "bool": "bit_length",
        "datetime": """
            astimezone combine date dst fromtimestamp isoformat replace strftime strptime time timestamp timetz tzname
            utcfromtimestamp utcoffset
        """,
        "date": """
            ctime fromisocalendar fromisoformat fromordinal isocalendar isoformat isoweekday replace strftime toordinal weekday
        """,
        "time": "dst fromisoformat isoformat replace strftime tzname utcoffset",
        "timedelta": "total_seconds",
        "timezone": "dst tzname utcoffset",
        "ZoneInfo": "dst tzname utcoffset",
        "Decimal": """
            adjusted as_integer_ratio canonical compare compare_signal compare_total compare_total_mag conjugate copy_abs copy_negate
            copy_sign exp fma from_float is_canonical is_finite is_infinite is_nan is_normal is_qnan is_signed is_snan is_subnormal
            is_zero ln log10 logb max max_mag min min_mag next_minus next_plus next_toward normalize number_class quantize radix
            remainder_near same_quantum scaleb sqrt to_eng_string to_integral to_integral_exact to_integral_value
        """,
        "Fraction": "as_integer_ratio conjugate from_decimal from_float limit_denominator",
        "UUID": "",
        "Path": """
            as_posix is_absolute is_relative_to joinpath match relative_to with_name with_stem with_suffix
        """,
        "HASH": "copy digest hexdigest update",
        "Random": """
            betavariate choice choices expovariate gammavariate gauss getrandbits lognormvariate normalvariate paretovariate randbytes
            randint random randrange sample seed shuffle triangular uniform vonmisesvariate weibullvariate
        """,
        "Pattern": "findall finditer fullmatch match search split sub subn",
        "Match": "end expand group groupdict groups span start",
        "BaseModel": " ".join(MODEL_METHODS),
        "BaseException": "add_note with_traceback",
        "BaseExceptionGroup": "derive split subgroup",
        "Future": "cancel cancelled done exception result",
        "Task": "cancelling get_name set_name uncancel",
        "Lock": "acquire locked release",
        "Event": "clear is_set set wait",
        "Condition": "acquire locked notify notify_all release wait wait_for",
        "Semaphore": "acquire locked release",
        "Barrier": "abort reset wait",
        "Queue": "empty full get get_nowait join put put_nowait qsize task_done",
        "TaskGroup": "create_task",
        "Timeout": "expired reschedule when",
    }.items()
}
"""Methods by type name. Types that are subclasses (bool of int, datetime of date) also have their base's."""

CLASS_METHODS: frozenset[str] = _names(
    str="maketrans",
    bytes="fromhex maketrans",
    dict="fromkeys",
    int="from_bytes",
    float="fromhex",
    datetime="combine fromisocalendar fromisoformat fromordinal fromtimestamp strptime utcfromtimestamp",
    date="fromisocalendar fromisoformat fromordinal",
    time="fromisoformat",
    Decimal="from_float",
    Fraction="from_decimal from_float",
    BaseModel="model_validate model_validate_json",
)
"""Those of the methods that make a value of the class, or need none, as `type.method`."""

ATTRIBUTES: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "int": "denominator imag numerator real",
        "float": "imag real",
        "complex": "imag real",
        "datetime": "day fold hour max microsecond min minute month resolution second tzinfo year",
        "date": "day max min month resolution year",
        "time": "fold hour max microsecond min minute resolution second tzinfo",
        "timedelta": "days max microseconds min resolution seconds",
        "timezone": "utc",
        "ZoneInfo": "key",
        "IsoCalendarDate": "week weekday year",
        "Decimal": "imag real",
        "Fraction": "denominator imag numerator real",
        "UUID": """
            bytes bytes_le clock_seq clock_seq_hi_variant clock_seq_low fields hex int node time time_hi_version time_low time_mid urn
            variant version
        """,
        "Path": "anchor drive name parent parts root stem suffix suffixes",
        "defaultdict": "default_factory",
        "deque": "maxlen",
        "HASH": "block_size digest_size name",
        "partial": "args func keywords",
        "Pattern": "flags groups pattern",
        "Match": "endpos lastgroup lastindex pos re regs string",
        "KeyWrapper": "obj",
        "range": "start step stop",
        "slice": "start step stop",
        "BaseExceptionGroup": "exceptions message",
        "Queue": "maxsize",
        "Barrier": "broken n_waiting parties",
        "BaseException": "__cause__ __context__ __notes__ args",
        "enum": "name value",
        "type": "__module__ __name__ __qualname__",
    }.items()
}
"""Data attributes by type name, besides the fields of user classes and the attributes set on exceptions."""

VALUE_MODULES: frozenset[str] = frozenset(
    {
        "builtins",
        "collections",
        "datetime",
        "functools",
        "hashlib",
        "decimal",
        "fractions",
        "random",
        "re",
        "uuid",
        "zoneinfo",
    }
)
"""Modules whose classes have the methods and attributes of these tables."""
