"""Who can be reached decides whether unchecked uploads may be tried out."""

from __future__ import annotations

import pytest

from bot.app import only_this_machine, opened
from bot.config import DISCORD_API, Config
from generation.errors import ConfigError

LOCAL = "http://127.0.0.1:8080/api/v10"


@pytest.mark.parametrize(
    ("api_url", "host", "alone"),
    [
        (LOCAL, "127.0.0.1", True),
        ("http://localhost:8080/api/v10", "localhost", True),
        ("http://[::1]:8080/api/v10", "::1", True),
        (LOCAL, "0.0.0.0", False),
        (LOCAL, "192.168.1.2", False),
        (DISCORD_API, "127.0.0.1", False),
        ("http://discord.example/api/v10", "127.0.0.1", False),
    ],
)
def test_alone_means_that_both_ends_are_on_loopback(api_url, host, alone):
    assert only_this_machine(Config(api_url=api_url, playground={"host": host})) is alone


async def test_a_watermark_that_cannot_be_used_stops_the_start(tmp_path):
    config = Config(data_dir=tmp_path / "data", files={"watermark": str(tmp_path / "gone")})
    with pytest.raises(ConfigError, match="There is no watermark in"):
        async with opened(config):
            pytest.fail("it started without the watermark that its owner asked for")
    assert not (tmp_path / "data").exists()
