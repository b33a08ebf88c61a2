"""The figures page over real HTTP: counts, health, and a loop that was really blocked."""

from __future__ import annotations

import asyncio
import errno
import socket
import time

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.config import Config
from bot.metrics import Metrics, resident_bytes
from generation.errors import Blocked, BrokenPicture
from tests.house import open_house
from tests.orders import GUILD, a_request, an_order


async def figures(metrics: Metrics) -> dict[str, float]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{metrics.port}/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples]
        return {
            sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value for sample in samples
        }


async def test_figures_follow_the_jobs(tmp_path):
    async with open_house(tmp_path) as house:
        config = Config(metrics={"port": 0}, data_dir=tmp_path)
        async with Metrics(config, house.studio, house.desk, lambda: True) as metrics:
            house.painter.faults.append(BrokenPicture())
            for member in (1, 2, 3):
                await house.studio.submit(an_order(member))
            async with asyncio.timeout(5):
                while len(house.settled) < 3:
                    await asyncio.sleep(0.01)
            shown = await figures(metrics)
            assert shown["atelier_jobs_accepted_total"] == 3
            assert shown["atelier_jobs_settled_total|rendered"] == 2
            assert shown["atelier_jobs_settled_total|failed"] == 1
            assert shown["atelier_jobs|rendered"] == 2
            assert shown["atelier_credits_charged_total"] == 3.0
            assert shown["atelier_credits_refunded_total"] == 1.0
            await house.studio.rules.add(GUILD, "turnip", 99)
            with pytest.raises(Blocked):
                await house.studio.submit(an_order(request=a_request(prompt="a turnip")))
            assert (await figures(metrics))["atelier_refusals_total|blocked"] == 1.0
            assert shown["atelier_painting_seconds_count"] == 2
            assert shown["atelier_discord_connected"] == shown["atelier_model_loaded"] == 1
            assert 20 * 2**20 < shown["atelier_memory_bytes"] == pytest.approx(resident_bytes(), rel=0.2)


async def test_a_blocked_event_loop_is_noticed(tmp_path):
    async with open_house(tmp_path) as house:
        config = Config(metrics={"port": 0}, data_dir=tmp_path)
        async with Metrics(config, house.studio, house.desk, lambda: True) as metrics:
            await asyncio.sleep(0.05)
            time.sleep(0.2)
            await asyncio.sleep(0.05)
            assert 0.15 < metrics.worst_lag < 2.0
            assert (await figures(metrics))["atelier_event_loop_lag_worst_seconds"] == metrics.worst_lag


async def test_the_health_page_says_what_is_missing(tmp_path):
    async with open_house(tmp_path) as house:
        config = Config(metrics={"port": 0}, data_dir=tmp_path)
        connected = False
        async with Metrics(config, house.studio, house.desk, lambda: connected) as metrics:
            page = f"http://127.0.0.1:{metrics.port}/health"
            async with aiohttp.ClientSession() as http:
                async with http.get(page) as response:
                    assert response.status == 503
                    assert (await response.json())["discord"] == "not connected"
                connected = True
                async with http.get(page) as response:
                    assert response.status == 200
                    assert (await response.json())["model"] == "starter"


async def test_a_busy_port_is_one_sentence_and_costs_nobody_a_picture(tmp_path, caplog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = Config(metrics={"port": taken.getsockname()[1]}, data_dir=tmp_path)
        async with open_house(tmp_path) as house, Metrics(config, house.studio, house.desk, lambda: True):
            await house.studio.submit(an_order(1))
            async with asyncio.timeout(5):
                while not house.settled:
                    await asyncio.sleep(0.01)
    [told] = [record.getMessage() for record in caplog.records]
    assert "set metrics.port" in told


async def test_scrapers_that_hang_hold_nobody_up(tmp_path):
    async with open_house(tmp_path) as house:
        config = Config(metrics={"port": 0}, data_dir=tmp_path)
        async with Metrics(config, house.studio, house.desk, lambda: True) as metrics:
            hanging = [await asyncio.open_connection("127.0.0.1", metrics.port) for _ in range(50)]
            for number, (_, writer) in enumerate(hanging):  # half a request, or a whole one whose answer nobody reads
                writer.write(b"GET /metrics HTTP/1.1\r\n" + b"Host: x\r\n\r\n" * (number % 2))
            for member in (1, 2, 3):
                await house.studio.submit(an_order(member))
            async with asyncio.timeout(5):
                while len(house.settled) < 3:
                    await asyncio.sleep(0.01)
            assert metrics.worst_lag < 1.0
            for _, writer in hanging:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for _, writer in hanging), return_exceptions=True)


async def test_a_disk_that_takes_no_writes_turns_the_health_page_red(tmp_path):
    async with open_house(tmp_path) as house:
        config = Config(metrics={"port": 0}, data_dir=tmp_path)
        async with Metrics(config, house.studio, house.desk, lambda: True) as metrics:
            assert house.desk.disk.failed(OSError(errno.ENOSPC, "No space left on device"))
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{metrics.port}/") as response:
                assert response.status == 503
                assert "No space left on device" in (await response.json())["troubles"]["disk"]
            assert (await figures(metrics))["atelier_trouble|disk"] == 1.0
            async with asyncio.timeout(10):
                await house.desk.disk.working.wait()
            assert (await figures(metrics))["atelier_trouble|disk"] == 0.0


async def test_a_pause_of_the_painting_is_on_the_health_page(tmp_path):
    async with open_house(tmp_path) as house:
        config = Config(metrics={"port": 0}, data_dir=tmp_path)
        async with Metrics(config, house.studio, house.desk, lambda: True) as metrics:
            assert (await figures(metrics))["atelier_painting_paused"] == 0
            house.painter.trouble = "Painting pauses."
            assert (await figures(metrics))["atelier_painting_paused"] == 1
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{metrics.port}/health") as response:
                assert (await response.json())["trouble"] == "Painting pauses."
