"""The connection to SQLite or PostgreSQL: one writer at a time, commits that survive a power cut."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.store import postgres
from bot.store.opening import make_ready
from bot.store.unbroken import transaction, unbroken
from generation.errors import AtelierError, ConfigError

log = logging.getLogger(__name__)

T = TypeVar("T")

ROOM = 2**17  # bytes that a start needs at least: SQLite's journal and its index
CLOSE_PATIENCE = 10.0  # seconds for transactions under way at the end


class DatabaseClosed(AtelierError):
    """The bot is stopping."""


class Database:
    """One engine for the whole process. Use as an async context manager."""

    def __init__(self, url: str, data_dir: Path, *, looking: bool = False, patience: float = 0.0) -> None:
        """`patience`: seconds in which a PostgreSQL server that does not answer yet may come up."""
        try:
            self._url = make_url(url)
        except ArgumentError as error:  # its text is not shown: there may be a password in it
            raise ConfigError("database_url is no SQLAlchemy URL; write it as in config.yaml.") from error
        self._data_dir = data_dir
        self.process = ""  # what this process is called in the tables, a new name each time the database is entered
        self._patience = patience
        self._looking = looking  # beside a running bot: nothing is written, and the schema is left as it is
        self._writing = asyncio.Lock()
        self._engine: AsyncEngine | None = None
        self._reading: AsyncEngine | None = None  # the same connections, whose transactions leave writers alone
        self._direct: Engine | None = None  # the same file without an event loop between
        self._lock_file: TextIO | None = None
        self._in_use = 0  # transactions under way
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is a local file."""
        return self._url.get_backend_name() == "sqlite"

    async def __aenter__(self) -> Database:
        self._closed = False
        self.process = secrets.token_hex(8)
        if not self._looking:
            self._make_data_dir()
            self._lock()
        try:
            if self._patience:
                await postgres.come_up(self._url, self._patience)
            if not self._looking:
                await asyncio.to_thread(make_ready, self._url.render_as_string(hide_password=False), self._data_dir)
            self._engine = _engine(self._url.render_as_string(hide_password=False))
            self._reading = self._engine.execution_options(writes=False)
            if self.is_sqlite:
                self._direct = _prepared(create_engine(self._url.set(drivername="sqlite"), hide_parameters=True))
        except BaseException:
            self._unlock()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let what is under way end, and let nothing begin any more: a connection opened later would stay open."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d transactions did not end in %.0f s", self._in_use, CLOSE_PATIENCE)
        if self._engine is not None:
            await self._engine.dispose()
        if self._direct is not None:
            self._direct.dispose()
        self._unlock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may write; committed when the block ends well, otherwise nothing has happened."""
        assert self._engine is not None, "the database is entered first"
        assert not self._looking, "this database was opened for looking only"
        with self._using():
            async with self._writing, transaction(self._engine) as connection:
                if not self.is_sqlite:
                    await connection.execute(postgres.ALONE)
                yield connection

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` as one writing transaction; for whatever has many statements and has to be fast.

        With SQLite they run in one thread without coming back to the event loop between two of them, which takes three
        times as long as the statements themselves.
        """
        assert self._engine is not None, "the database is entered first"
        if self._direct is not None:
            with self._using():
                async with self._writing:
                    return await unbroken(asyncio.to_thread(_transacted, self._direct, work))
        async with self.write() as connection:
            return await connection.run_sync(work)

    async def beside(self, work: Callable[[Connection], T]) -> T:
        """As `transact`, but with PostgreSQL beside the one writer: `work` has to lock the rows it depends on."""
        if self.is_sqlite:
            return await self.transact(work)
        assert self._engine is not None, "the database is entered first"
        with self._using():
            async with transaction(self._engine) as connection:
                return await connection.run_sync(work)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; it neither waits for the writer nor keeps it waiting."""
        assert self._reading is not None, "the database is entered first"
        with self._using():
            async with transaction(self._reading) as connection:
                yield connection

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[AsyncConnection]:
        """A connection beside the pool, for as long as somebody listens on it; closing does not wait for it."""
        engine = create_async_engine(
            self._url, poolclass=NullPool, hide_parameters=True, connect_args=postgres.connect_args(str(self._url))
        )
        async with engine.connect() as connection:
            yield connection

    @contextmanager
    def _using(self) -> Iterator[None]:
        if self._closed:
            raise DatabaseClosed
        self._in_use += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._idle.set()

    async def tidy(self) -> None:
        """Let nothing of deleted rows stay behind in the files of SQLite: its journal is written back and emptied.

        Deleted rows are overwritten in the database itself (`secure_delete`). Left for the next time while somebody
        reads. PostgreSQL does this by itself (autovacuum).
        """
        if not self.is_sqlite:
            return
        assert self._engine is not None, "the database is entered first"
        with self._using():
            await self._tidy(self._engine)

    async def _tidy(self, engine: AsyncEngine) -> None:
        async with self._writing, engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None, "the pool gives out open connections"
            # Beside SQLAlchemy, since it must be in no transaction; waiting for readers would keep writers waiting too.
            for pragma in ("busy_timeout=100", "wal_checkpoint(TRUNCATE)", "busy_timeout=5000"):
                cursor = await driver.execute(f"PRAGMA {pragma}")
                await cursor.close()

    def _make_data_dir(self) -> None:
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # people's words are nobody else's business
            probe = self._data_dir / ".writable"
            try:
                probe.write_bytes(bytes(ROOM))  # a full disk still takes names
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The data folder {self._data_dir} cannot be written ({error.strerror}); check data_dir."
            ) from error

    def _lock(self) -> None:
        """Two bots on one SQLite file would post everything twice; the second one is told so.

        Those that share a PostgreSQL database may share the folder as well.
        """
        path = self._data_dir / "atelier.lock"
        try:
            self._lock_file = path.open("w")
            fcntl.flock(self._lock_file, (fcntl.LOCK_EX if self.is_sqlite else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._unlock()
            raise ConfigError(
                f"Another Atelier is already running on {self._data_dir}; stop it or choose another data folder."
            ) from error
        except OSError as error:
            self._unlock()
            raise ConfigError(
                f"The file {path} cannot be locked ({error.strerror}); check its owner and its permissions."
            ) from error

    def _unlock(self) -> None:
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None


def _engine(url: str) -> AsyncEngine:
    # An error names its statement; the values in it are prompts and interaction tokens, which no log may have.
    engine = create_async_engine(
        url,
        pool_pre_ping=not url.startswith("sqlite"),
        hide_parameters=True,
        connect_args=postgres.connect_args(url),
    )
    if url.startswith("sqlite"):
        _prepared(engine.sync_engine)
    return engine


def _prepared(engine: Engine) -> Engine:
    """A SQLite engine with our settings and our way to begin."""
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _transacted(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A transaction that starts reading and then writes can fail half-way; taking the write lock first cannot.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes", True) else "BEGIN")
