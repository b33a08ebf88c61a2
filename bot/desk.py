"""The drawers of the front desk: every store in one frozen value, opened once by the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.store.audit import Audit
from bot.store.cases import CaseStore
from bot.store.database import Database
from bot.store.errands import ErrandStore
from bot.store.files import FileStore
from bot.store.jobs import JobStore
from bot.store.outbox import Outbox
from bot.store.pictures import PictureStore
from bot.store.reports import Reports
from bot.store.small import Notes, Rules
from bot.store.strikes import StrikeStore
from bot.store.withdrawals import Withdrawals


@dataclass(frozen=True, slots=True)
class Desk:
    """All stores over one database and one data folder."""

    jobs: JobStore
    pictures: PictureStore
    uploads: FileStore
    outbox: Outbox
    notes: Notes
    rules: Rules
    cases: CaseStore
    errands: ErrandStore
    reports: Reports
    strikes: StrikeStore
    audit: Audit
    withdrawals: Withdrawals

    @classmethod
    def over(cls, database: Database, folder: Path) -> Self:
        """Every drawer over an entered database and the data folder."""
        strikes, files = StrikeStore(database), FileStore(folder / "pictures")
        cases = CaseStore(database, strikes)
        return cls(
            jobs=JobStore(database),
            pictures=PictureStore(database, files, FileStore(folder / "held")),
            uploads=FileStore(folder / "uploads"),
            outbox=Outbox(database),
            notes=Notes(database),
            rules=Rules(database),
            cases=cases,
            errands=ErrandStore(database),
            reports=Reports(database, cases),
            strikes=strikes,
            audit=Audit(database),
            withdrawals=Withdrawals(database, files),
        )
