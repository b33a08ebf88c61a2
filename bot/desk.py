"""The drawers of the front desk: every store in one frozen value, opened once by the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.jobs import JobStore
from bot.store.lookback import Lookback
from bot.store.outbox import Outbox
from bot.store.pictures import PictureStore
from bot.store.policies import Policies
from bot.store.small import Notes, Reports, Rules


@dataclass(frozen=True, slots=True)
class Desk:
    """All stores over one database and one data folder."""

    jobs: JobStore
    pictures: PictureStore
    uploads: FileStore
    outbox: Outbox
    notes: Notes
    reports: Reports
    rules: Rules
    policies: Policies
    lookback: Lookback

    @classmethod
    def over(cls, database: Database, folder: Path) -> Self:
        """Every drawer over an entered database and the data folder."""
        return cls(
            jobs=JobStore(database),
            pictures=PictureStore(database, FileStore(folder / "pictures"), FileStore(folder / "held")),
            uploads=FileStore(folder / "uploads"),
            outbox=Outbox(database),
            notes=Notes(database),
            reports=Reports(database),
            rules=Rules(database),
            policies=Policies(database),
            lookback=Lookback(database),
        )
