"""The drawers of the front desk: every store in one frozen value, opened once by the app."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.jobs import JobStore
from bot.store.outbox import Outbox
from bot.store.pictures import PictureStore
from bot.store.small import Notes, Reports


@dataclass(frozen=True, slots=True)
class Desk:
    """All stores over one database."""

    jobs: JobStore
    pictures: PictureStore
    outbox: Outbox
    notes: Notes
    reports: Reports
