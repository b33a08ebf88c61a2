"""The drawers of the front desk: every store in one frozen value, opened once by the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.disk import Disk
from bot.store.archive import Archive
from bot.store.artists import Artists
from bot.store.audit import Audit
from bot.store.cases import CaseStore
from bot.store.database import Database
from bot.store.departures import Departures
from bot.store.errands import ErrandStore
from bot.store.files import FileStore
from bot.store.filters import Hits, Rules
from bot.store.fingerprints import Fingerprints
from bot.store.house_words import HouseWords
from bot.store.jobs import JobStore
from bot.store.lookback import Lookback
from bot.store.outbox import Outbox
from bot.store.pictures import PictureStore
from bot.store.policies import Policies
from bot.store.preferences import Preferences
from bot.store.probing import ProbingStore
from bot.store.processes import Processes
from bot.store.pseudonyms import Pseudonyms
from bot.store.reports import Reports
from bot.store.shelves import Shelves
from bot.store.small import Notes
from bot.store.strikes import StrikeStore
from bot.store.terms import Acceptances, PendingOrders
from bot.store.withdrawals import Withdrawals
from bot.troubles import Troubles


@dataclass(frozen=True, slots=True)
class Desk:
    """All stores over one database and one data folder."""

    database: Database
    jobs: JobStore
    pictures: PictureStore
    uploads: FileStore
    outbox: Outbox
    notes: Notes
    house_words: HouseWords
    rules: Rules
    policies: Policies
    fingerprints: Fingerprints
    preferences: Preferences
    acceptances: Acceptances
    pending: PendingOrders
    departures: Departures
    archive: Archive
    shelves: Shelves
    probing: ProbingStore
    hits: Hits
    artists: Artists
    cases: CaseStore
    errands: ErrandStore
    reports: Reports
    strikes: StrikeStore
    audit: Audit
    withdrawals: Withdrawals
    lookback: Lookback
    troubles: Troubles
    disk: Disk
    processes: Processes

    @classmethod
    def over(cls, database: Database, folder: Path) -> Self:
        """Every drawer over an entered database and the data folder."""
        troubles = Troubles()
        strikes, files = StrikeStore(database), FileStore(folder / "pictures")
        pseudonyms = Pseudonyms(folder)
        cases = CaseStore(database, strikes, pseudonyms)
        return cls(
            database=database,
            jobs=JobStore(database),
            pictures=PictureStore(database, files, FileStore(folder / "held")),
            uploads=FileStore(folder / "uploads"),
            outbox=Outbox(database),
            notes=Notes(database),
            house_words=HouseWords(database),
            rules=Rules(database),
            policies=Policies(database),
            fingerprints=Fingerprints(database),
            preferences=Preferences(database),
            acceptances=Acceptances(database),
            pending=PendingOrders(database),
            departures=Departures(database),
            archive=Archive(database, pseudonyms),
            shelves=Shelves(database, folder),
            probing=ProbingStore(database),
            hits=Hits(database),
            artists=Artists(database),
            cases=cases,
            errands=ErrandStore(database),
            reports=Reports(database, cases, pseudonyms),
            strikes=strikes,
            audit=Audit(database),
            withdrawals=Withdrawals(database, files),
            lookback=Lookback(database),
            troubles=troubles,
            disk=Disk(database, folder, troubles),
            processes=Processes(database),
        )
