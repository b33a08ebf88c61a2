"""The Discord client: connects, loads the menu, hands presses over, follows and delivers jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot import calls
from bot.answer import Interaction, answer, answered
from bot.courier import Button, Courier
from bot.delivery import BAD_KEY, Delivery
from bot.desk import Desk
from bot.download import Download
from bot.outages import through_outages, until_done
from bot.packing import Packing
from bot.press import PREFIX, CasePress
from bot.presses import Presses, custom_id_of
from bot.privacy.erasure import Erasure
from bot.privacy.export import Exports
from bot.privacy.farewells import Farewells
from bot.reconnecting import outlive_faults, wait_briefly
from bot.refused_requests import RefusedRequests
from bot.restraint import Restraint
from bot.review.hindrances import Hindrances
from bot.review.review import Review
from bot.studio import Studio
from bot.sync import sync_commands
from bot.ticket import Tickets
from generation.errors import ConfigError
from generation.provenance.identity import Identity
from generation.safety.recoding import Recoder

log = logging.getLogger(__name__)

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # this bot never speaks

COGS = (
    "cogs.dream",
    "cogs.line",
    "cogs.about",
    "cogs.filter",
    "cogs.artist",
    "cogs.policy",
    "cogs.verify",
    "cogs.preferences",
    "cogs.models",
    "cogs.privacy",
    "cogs.review",
    "cogs.strikes",
    "cogs.audit",
    "cogs.report",
    "cogs.pausing",
)
GUILD_WAIT = 0.5  # seconds of silence after the last guild at which the client calls itself ready
BAD_TOKEN = "Discord does not accept the bot's token; copy it again from the developer portal into DISCORD_TOKEN."  # noqa: S105 - a sentence
BAD_INTENTS = "Discord refuses an intent that was asked for; allow it in the developer portal under “Bot”."


def point_at(api_url: str) -> None:
    """Make discord.py speak to the REST address `api_url`; there is no public option for it (discord.py 2.7)."""
    assert isinstance(Route.BASE, str), "discord.py keeps its REST address elsewhere now"
    assert isinstance(DiscordWebSocket.DEFAULT_GATEWAY, yarl.URL), "discord.py keeps its gateway elsewhere now"
    Route.BASE = api_url


class Tree(app_commands.CommandTree["AtelierClient"]):
    """The commands; whatever goes wrong in one is answered in one place."""

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """Answer an error of a command."""
        await answer(interaction, error)


class AtelierClient(commands.AutoShardedBot):
    """The house's one connection to Discord; asks for no privileged intent."""

    def __init__(
        self, studio: Studio, desk: Desk, *, identity: Identity | None = None, guild_wait: float = GUILD_WAIT
    ) -> None:
        self.restraint = Restraint(lambda: self.halt(ConfigError(BAD_KEY)), RefusedRequests(studio.config.data_dir))
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=guild_wait,
            http_trace=calls.watch(self.restraint.trace()),
        )
        self.studio = studio
        self.desk = desk
        self.download = Download(studio.config.api_url)
        self.courier = Courier(self, studio.clock)
        self.tickets = Tickets(studio, desk.jobs, self.courier)
        packing = Packing(desk, Recoder(identity), studio.clock)
        self.delivery = Delivery(studio, desk, self.courier, self.tickets, packing, self.halt)
        self.farewells = Farewells(desk, self.courier)
        self.exports = Exports(desk)
        self.review = Review(
            desk, self.courier, self.delivery, studio.policies, lambda: studio.config.moderation, studio.clock
        )
        self.hindrances = Hindrances(self.courier, self.review.rules, desk.notes, studio.clock)
        self.courier.tried.append(self.hindrances.tried)
        studio.listeners.accepted.append(self.hindrances.accepted)
        self.presses = Presses(studio, desk, self.courier, Erasure(studio, desk, self.farewells), self.review, packing)
        studio.listeners.accepted.append(self.tickets.open)
        studio.listeners.claimed.append(self.tickets.adopt)
        studio.listeners.waiting.append(self.tickets.resume)
        studio.listeners.moved.append(self.tickets.moved)
        studio.listeners.progress.append(self.tickets.progress)
        studio.listeners.returned.append(self.tickets.returned)
        studio.standstill.changed += [self.tickets.moved, self._show_presence]
        studio.listeners.settled.append(self.delivery.settled)
        studio.listeners.inherited.append(self.delivery.settled)
        studio.listeners.crowded.append(self.delivery.is_crowded)
        studio.listeners.settled.append(self.review.settled)
        self.answerers: dict[str, Callable[[Interaction], Awaitable[None]]] = {}  # by how their custom ids begin
        self._on_first_ready: Callable[[], None] = lambda: None
        self._announced = False
        self._down: set[int] = set()  # shards whose connection is lost
        self._halted: ConfigError | None = None
        self._started = False
        self._menus = 0  # how often the commands were to be synced
        self._chores: set[asyncio.Task[None]] = set()

    # -- coming and going --------------------------------------------------------------------------------------------

    async def serve(self, token: str, on_ready: Callable[[], None] = lambda: None) -> None:
        """Stay connected until closed; raises ConfigError when Discord does not want this token or these intents."""
        self._on_first_ready = on_ready
        point_at(self.studio.config.api_url)
        wait_briefly()
        outlive_faults()
        self._started = True
        try:
            await through_outages(lambda: self._log_in(token), self.is_closed)
            await through_outages(self.connect, self.is_closed)
        except discord.LoginFailure as error:
            raise ConfigError(BAD_TOKEN) from error
        except discord.PrivilegedIntentsRequired as error:
            raise ConfigError(BAD_INTENTS) from error
        except discord.ConnectionClosed as error:
            if error.code == 4004:
                raise ConfigError(BAD_TOKEN) from error
            raise
        if self._halted is not None:
            raise self._halted

    async def setup_hook(self) -> None:
        """Everything that can be done once REST works and before the gateway is open."""
        # Asked once and kept: discord.py would ask a second time, and this route allows two calls in five seconds.
        self.shard_count, gateway, _ = await self.http.get_bot_gateway()
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
        self.add_dynamic_items(Button)
        for cog in COGS:
            if cog not in self.extensions:
                await self.load_extension(cog)
        self.delivery.begin()
        self.farewells.begin()
        self.review.runner.begin()
        self._chore(until_done(self._take_up, self.is_closed, "take-up"), "take-up")
        self._sync_commands()

    async def menu_changed(self) -> None:
        """What /dream offers has changed: members get the new menu."""
        await self.reload_extension("cogs.dream")
        self._sync_commands()

    def _show_presence(self) -> None:
        """Under the bot's name: that the house pauses, as long as it does."""
        if self.is_ready():
            self._chore(through_outages(self._present, self.is_closed), "presence")

    async def _present(self) -> None:
        pauses = self.studio.standstill.house is not None
        await self.change_presence(activity=discord.CustomActivity("Painting is paused") if pauses else None)

    def halt(self, error: ConfigError) -> None:
        """Stop serving because of the configuration; `serve` raises `error`."""
        self._halted = error
        self._chore(self.close(), "halt")

    async def finish_deliveries(self, seconds: float = 5.0) -> None:
        """Give messages under way a little time before closing."""
        await self.delivery.drain(seconds)

    async def close(self) -> None:
        """Close the connection and stop following; what was not delivered is taken up at the next start."""
        await self.review.close()
        await self.hindrances.close()
        await self.delivery.close()
        await self.farewells.close()
        await self.tickets.close()
        await self.download.close()
        if self._started:
            await super().close()

    def is_ready(self) -> bool:
        """Whether every shard is connected."""
        return super().is_ready() and not self.is_closed() and not self._down

    # -- events ------------------------------------------------------------------------------------------------------

    async def on_ready(self) -> None:
        """Say once that people can be served."""
        self._down.clear()
        # All servers, those included that are away for now: an outage is no departure.
        await self.desk.departures.compare({guild.id for guild in self.guilds})
        servers = "1 server" if len(self.guilds) == 1 else f"{len(self.guilds):,} servers"
        log.info("Connected to Discord as %s in %s", self.user, servers)
        if self.studio.standstill.house is not None:
            self._show_presence()
        if not self._announced:
            self._announced = True
            self._on_first_ready()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """The bot is invited, perhaps again: nothing of that server is deleted."""
        await self.desk.departures.here(guild.id)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """After the start: a server that is there again, however the bot came back to it."""
        if self._announced:
            await self.desk.departures.here(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was removed from a server (Discord says so; an outage is another event): its data goes in time."""
        await self.desk.departures.left(guild.id)
        await self.studio.cancel_server(guild.id)
        log.info("server %d: left; its data is deleted in %d days", guild.id, self.studio.config.privacy.departed_days)

    async def on_guild_channel_update(self, _: object, __: object) -> None:
        """Somebody changed a channel, perhaps what the bot may do in it."""
        self._reopened()

    async def on_guild_role_update(self, _: object, __: object) -> None:
        """Likewise of a role."""
        self._reopened()

    async def on_member_update(self, _: object, member: discord.Member) -> None:
        """Likewise of the bot's own roles; of nobody else is heard."""
        if member == member.guild.me:
            self._reopened()

    def _reopened(self) -> None:
        self.courier.reopened()
        self.hindrances.changed()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Remember that a shard is away."""
        self._down.add(shard_id)

    async def on_shard_connect(self, shard_id: int) -> None:
        """The shard is back."""
        self._down.discard(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """The shard is back and has missed nothing."""
        self._down.discard(shard_id)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Forms, and buttons that nobody here has written; everything else has found its way already."""
        custom_id = custom_id_of(interaction)
        for prefix, answerer in self.answerers.items():
            if custom_id.startswith(prefix):
                await answered(interaction, answerer)
                return
        case = CasePress.read(custom_id)
        if interaction.type is discord.InteractionType.modal_submit and case is not None:
            await self.review.submitted(interaction, case)
        elif interaction.type is discord.InteractionType.modal_submit:
            await self.presses.submitted(interaction)
        elif interaction.type is discord.InteractionType.component and not custom_id.startswith(PREFIX):
            await self.presses.pressed(interaction, None)

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """A fault in an event is logged; the connection goes on."""
        log.exception("The event %s failed", event_method)

    # -- chores ------------------------------------------------------------------------------------------------------

    async def _log_in(self, token: str) -> None:
        try:
            await self.login(token)
        except Exception:
            await self.http.close()
            self.http.connector = discord.utils.MISSING  # it closed with them: the next login makes a new one
            raise

    async def _take_up(self) -> None:
        await self.tickets.resume()
        await self.delivery.recover()
        await self.review.recover()
        await self.hindrances.tidy()

    def _sync_commands(self) -> None:
        """Tell Discord which commands there are, however long that takes or until they are others again."""
        self._menus += 1
        menu = self._menus

        async def sync() -> None:
            await sync_commands(self, self.tree, self.desk.notes)

        def is_over() -> bool:
            return self.is_closed() or menu != self._menus

        self._chore(until_done(sync, is_over, "command-sync"), "command-sync")

    def _chore(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._chores.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s failed", task.get_name(), exc_info=task.exception())
