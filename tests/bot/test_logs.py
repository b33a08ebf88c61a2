"""No token and no password ever reaches a log line."""

from __future__ import annotations

import logging

import pytest

from bot.logs import SecretFilter

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcDE.abcdefghijklmnopqrstuvwxyz0123"
INTERACTION = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OQ"


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        (f"token {TOKEN} refused", TOKEN),
        (f"PATCH /webhooks/123/{INTERACTION}/messages/@original", INTERACTION),
        (f"POST /interactions/123/{INTERACTION}/callback", INTERACTION),
        ("postgresql+asyncpg://atelier:hunter2@db/atelier", "hunter2"),
    ],
)
def test_secrets_are_blackened_in_messages_arguments_and_tracebacks(caplog, message, secret):
    logger = logging.getLogger("bot.test")
    logger.addFilter(SecretFilter())
    try:
        raise RuntimeError(message)
    except RuntimeError:
        logger.exception("failed with %s", message)
    logger.removeFilter(logger.filters[0])
    formatted = logging.Formatter().format(caplog.records[0])
    assert "[secret]" in formatted
    assert secret not in formatted
    assert "failed with" in formatted
