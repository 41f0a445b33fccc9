"""What modules of the library and well-known packages are there for, so that a refusal tells the reason and the right way out."""

from __future__ import annotations

from waymark.program.refused import Refused

ACTION_HELP = "move it into an @action and await it"
_THREADS = "use asyncio.create_task and asyncio.gather, and an @action for work that blocks"

_MODULES: tuple[tuple[Refused, str], ...] = (
    (
        Refused(
            "WM132",
            "writes to a log outside of the run",
            "use print, which writes to the log of the run, or move it into an @action",
        ),
        "logging loguru structlog warnings sys.stdout sys.stderr",
    ),
    (
        Refused("WM132", "talks to the outside", ACTION_HELP),
        """_io io os posix genericpath posixpath pathlib shutil tempfile glob fileinput _socket socket _ssl ssl select selectors
        subprocess urllib http ftplib smtplib imaplib poplib webbrowser getpass
        requests httpx aiohttp urllib3 websockets grpc paramiko boto3 botocore aiobotocore stripe""",
    ),
    (
        Refused("WM132", "talks to a database", ACTION_HELP),
        """sqlite3 _sqlite3 dbm shelve psycopg psycopg2 asyncpg sqlalchemy django pymysql MySQLdb pymongo motor redis aiosqlite
        elasticsearch""",
    ),
    (Refused("WM160", "belongs to threads and processes of the host", _THREADS), "threading _thread multiprocessing concurrent queue _queue"),
    (
        Refused("WM160", "belongs to an event loop, which a workflow does not have", "use asyncio: sleep, gather, create_task, TaskGroup, timeout"),
        "anyio trio curio",
    ),
    (Refused("WM133", "asks for the process that happens to execute it", "pass the value in as an argument of run()"), "sys platform"),
    (Refused("WM131", "ends a process, which a run is not", "return from run(), or raise an exception of your own"), "sys.exit"),
    (
        Refused("WM131", "works on the texts of paths", "use `PurePath`, as str(PurePath(folder) / name)"),
        """posixpath.join posixpath.split posixpath.splitext posixpath.basename posixpath.dirname posixpath.normpath posixpath.isabs
        posixpath.commonpath posixpath.relpath""",
    ),
)  # fmt: skip

_BY_NAME: dict[str, Refused] = {name: refused for refused, names in _MODULES for name in names.split()}


def purpose(name: str) -> Refused | None:
    """Why a name cannot be used, by its longest known part: `posixpath.join`, `posixpath`."""
    while name:
        if name in _BY_NAME:
            return _BY_NAME[name]
        name = name.rpartition(".")[0]
    return None
