"""The tables. Ids of Discord are 64-bit integers, times are epoch seconds, requests and recipes are JSON."""

from __future__ import annotations

from bot.store.schema.line import UNPAINTED as UNPAINTED
from bot.store.schema.line import WAITING as WAITING
from bot.store.schema.line import budgets as budgets
from bot.store.schema.line import jobs as jobs
from bot.store.schema.line import lanes as lanes
from bot.store.schema.line import members as members
from bot.store.schema.line import notes as notes
from bot.store.schema.line import only_waiting as only_waiting
from bot.store.schema.line import outbox as outbox
from bot.store.schema.line import pictures as pictures
from bot.store.schema.line import probing as probing
from bot.store.schema.line import processes as processes
from bot.store.schema.metadata import metadata as metadata
from bot.store.schema.moderation import artist_requests as artist_requests
from bot.store.schema.moderation import artists as artists
from bot.store.schema.moderation import audit as audit
from bot.store.schema.moderation import bans as bans
from bot.store.schema.moderation import cases as cases
from bot.store.schema.moderation import errands as errands
from bot.store.schema.moderation import filter_exempt as filter_exempt
from bot.store.schema.moderation import filter_hits as filter_hits
from bot.store.schema.moderation import filter_rules as filter_rules
from bot.store.schema.moderation import policies as policies
from bot.store.schema.moderation import reports as reports
from bot.store.schema.moderation import strikes as strikes
from bot.store.schema.people import acceptances as acceptances
from bot.store.schema.people import carried as carried
from bot.store.schema.people import departures as departures
from bot.store.schema.people import farewells as farewells
from bot.store.schema.people import fingerprints as fingerprints
from bot.store.schema.people import pending_orders as pending_orders
from bot.store.schema.people import preferences as preferences
