"""The gateway protocol with one client, from HELLO to the close."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from bot.playground.gateway.connection import Connection, Payload
from bot.playground.gateway.identify import Identify, IdentifyLimit, RefusedError, read_identify
from bot.playground.gateway.intents import Intent, visible_guild
from bot.playground.gateway.login import Login
from bot.playground.gateway.logins import Logins
from bot.playground.gateway.members import member_chunks
from bot.playground.gateway.opcodes import Close, Op
from bot.playground.gateway.seams import GatewayFaults, World

# Seconds. discord.py notes the time of a heartbeat after sending it; an answer that comes sooner looks 41 s late to it.
NETWORK_DELAY = 0.03

log = logging.getLogger(__name__)


class Conversation:
    """Answers one client's payloads; knows whether it has logged in."""

    def __init__(
        self,
        connection: Connection,
        *,
        world: World,
        logins: Logins,
        limit: IdentifyLimit,
        faults: GatewayFaults,
        resume_url: str,
    ) -> None:
        self.connection = connection
        self._login: Login | None = None
        self._world = world
        self._logins = logins
        self._limit = limit
        self._faults = faults
        self._resume_url = resume_url

    @property
    def login(self) -> Login | None:
        """The login on this connection; None before one, and after it was taken away or resumed elsewhere."""
        login = self._login
        return login if login is not None and login.connection is self.connection else None

    def answer(self, payload: Payload) -> None:
        """Queues what the payload deserves; a mistake closes the connection with Discord's code for it."""
        try:
            self._route(payload)
        except RefusedError as refusal:
            log.info("gateway client refused with %d: %s", refusal.code, refusal.reason)
            self.connection.close(refusal.code, refusal.reason)

    def _route(self, payload: Payload) -> None:
        match payload.op:
            case Op.HEARTBEAT:
                self._heartbeat()
            case Op.IDENTIFY:
                self._identify(payload.data)
            case Op.RESUME:
                self._resume(payload.data)
            case Op.REQUEST_GUILD_MEMBERS:
                self._request_members(self._logged_in(), payload.data)
            case Op.PRESENCE_UPDATE | Op.VOICE_STATE_UPDATE:
                self._logged_in()
            case _:
                raise RefusedError(Close.UNKNOWN_OPCODE, "Unknown opcode.")

    def _logged_in(self) -> Login:
        if self.login is None:
            raise RefusedError(Close.NOT_AUTHENTICATED, "Not authenticated.")
        return self.login

    def _heartbeat(self) -> None:
        self.connection.heard_heartbeat()
        if not self._faults.withholds_ack():
            loop = asyncio.get_running_loop()
            loop.call_later(NETWORK_DELAY, self.connection.send, Op.HEARTBEAT_ACK)

    def _identify(self, data: Any) -> None:
        if self.login is not None:
            raise RefusedError(Close.ALREADY_AUTHENTICATED, "Already authenticated.")
        application = self._world.application()
        identify = read_identify(data, application.get("flags", 0))
        if not self._world.token_is_valid(identify.token):
            raise RefusedError(Close.AUTHENTICATION_FAILED, "Authentication failed.")
        if not self._limit.take(identify.shard):
            self.connection.send(Op.INVALID_SESSION, False)
            return
        login = self._login = Login(
            application_id=int(application["id"]),
            self_id=self._world.self_user()["id"],
            intents=identify.intents,
            shard=identify.shard,
        )
        self._logins.attach(login, self.connection)
        log.info("gateway client logged in as shard %d of %d", login.shard.index, login.shard.count)
        self._greet(login, identify)

    def _greet(self, login: Login, identify: Identify) -> None:
        guilds = [guild for guild in self._world.guilds() if login.shard.owns(int(guild["id"]))]
        application = self._world.application()
        ready = {
            "v": 10,
            "user_settings": {},
            "user": self._world.self_user(),
            "session_type": "normal",
            "session_id": login.key,
            "resume_gateway_url": self._resume_url,
            "relationships": [],
            "private_channels": [],
            "presences": [],
            "guilds": [{"id": guild["id"], "unavailable": True} for guild in guilds],
            "guild_join_requests": [],
            "application": {"id": application["id"], "flags": application.get("flags", 0)},
            "_trace": ["local"],
        }
        if identify.is_sharded:
            ready["shard"] = [login.shard.index, login.shard.count]
        login.emit("READY", ready)
        if login.intents & Intent.GUILDS:
            for guild in guilds:
                login.emit("GUILD_CREATE", visible_guild(login.intents, guild, login.self_id))

    def _resume(self, data: Any) -> None:
        if self.login is not None:
            raise RefusedError(Close.ALREADY_AUTHENTICATED, "Already authenticated.")
        if not isinstance(data, dict) or type(data.get("seq")) is not int:
            raise RefusedError(Close.DECODE_ERROR, "Error while decoding payload.")
        token, sequence = data.get("token"), data["seq"]
        if not isinstance(token, str) or not self._world.token_is_valid(token):
            raise RefusedError(Close.AUTHENTICATION_FAILED, "Authentication failed.")
        login = self._logins.find(data.get("session_id"))
        if login is not None and sequence > login.sequence:
            raise RefusedError(Close.INVALID_SEQUENCE, "Invalid seq.")
        if login is None or not login.can_replay(sequence):
            self.connection.send(Op.INVALID_SESSION, False)
            return
        self._login = login
        self._logins.attach(login, self.connection)
        log.info("gateway client resumed after event %d of %d", sequence, login.sequence)
        login.replay(sequence)
        login.emit("RESUMED", {"_trace": ["local"]})

    def _request_members(self, login: Login, data: Any) -> None:
        for chunk in member_chunks(self._world, login, data):
            login.emit("GUILD_MEMBERS_CHUNK", chunk)
