"""Errors as members read them: a refusal's own sentence, a reference for everything else."""

from __future__ import annotations

import json
import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest
from discord import app_commands

from bot.answer import answer, sentence_of
from generation.errors import Blocked, LineFull, ModelUnavailable, OutOfCredits


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Blocked("Not here."), "Not here."),
        (LineFull(), "The line is full right now; please try again in a few minutes."),
        (OutOfCredits("Spent.", retry_at=1234.5), "Spent. Try again <t:1235:R>."),
        (OutOfCredits("Never."), "Never."),
        (app_commands.NoPrivateMessage(), "That works only in a server."),
        (app_commands.MissingPermissions(["manage_guild"]), "You may not do that."),
    ],
)
def test_what_a_member_can_change_is_said_plainly(error: Exception, sentence: str) -> None:
    assert sentence_of(error, 1) == sentence


@pytest.mark.parametrize("error", [KeyError("secret detail"), ModelUnavailable()])
def test_faults_get_a_reference_that_the_log_knows(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        sentence = sentence_of(error, 42)

    reference = re.search(r"reference ([0-9a-f]{8})", sentence)
    assert reference is not None
    assert "secret" not in sentence
    [record] = caplog.records
    assert reference[1] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@pytest.mark.parametrize(
    "trouble", [json.JSONDecodeError("cut", "{", 1), TypeError("a page"), KeyError("id"), OSError()]
)
async def test_a_person_who_cannot_be_told_is_a_line_in_the_log(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def send_message(*_: object, **__: object) -> None:
        raise trouble

    interaction: Any = SimpleNamespace(
        id=42,
        client=SimpleNamespace(desk=SimpleNamespace(disk=SimpleNamespace(failed=lambda _: False))),
        response=SimpleNamespace(is_done=lambda: False, send_message=send_message),
    )
    await answer(interaction, Blocked("Not here."))

    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "interaction 42: its person could not be told"
    ]
