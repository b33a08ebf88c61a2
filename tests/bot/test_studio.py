"""The front desk with the real store and dispatcher: what is admitted ends in exactly one outcome."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from bot.order import Action, Member, Place
from bot.store.audit import Entry
from generation.errors import (
    BadRequest,
    Blame,
    Blocked,
    BrokenPicture,
    NotAllowed,
    NotApproved,
    OutOfCredits,
    UploadsRefused,
    WorkerLost,
)
from generation.job import JobState
from tests.house import House, open_house
from tests.orders import GUILD, a_request, an_order
from tests.painter import Painter

MODERATOR = Member(id=99, guild_id=GUILD, moderator=True)


async def until(condition, seconds=30.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def states(house: House):
    return [commission.state for commission in house.settled]


async def test_an_order_becomes_stored_pictures(tmp_path):
    async with open_house(tmp_path) as house:
        admission = await house.studio.submit(an_order(request=a_request(count=4)))
        assert not admission.repeated
        await until(lambda: house.settled)
        assert house.settled[0].id == admission.job_id
        assert states(house) == [JobState.RENDERED]
        stored = await house.desk.pictures.of(admission.job_id)
        assert [picture.index for picture in stored] == [-1, 0, 1, 2, 3]
        loaded = await house.desk.pictures.load(admission.job_id, 2)
        assert Image.open(io.BytesIO(loaded.data)).size == (32, 32)
        assert loaded.checked_by == ("test checker",)
        assert await house.desk.pictures.load(admission.job_id, 4) is None


async def test_a_picture_changed_on_disk_is_not_approved_any_more(tmp_path):
    async with open_house(tmp_path) as house:
        admission = await house.studio.submit(an_order())
        await until(lambda: house.settled)
        stored = (await house.desk.pictures.of(admission.job_id))[0]
        path = tmp_path / "pictures" / stored.sha256[:2] / stored.sha256
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        assert await house.desk.pictures.load(admission.job_id, 0) is None


async def test_a_forbidden_prompt_never_becomes_a_job(tmp_path):
    async with open_house(tmp_path) as house:
        await house.studio.rules.add(GUILD, "turnip", 99)
        with pytest.raises(Blocked, match="does not allow"):
            await house.studio.submit(an_order(request=a_request(prompt="a TURNIP")))
        await house.studio.submit(an_order(request=a_request(prompt="a turnip"), guild_id=GUILD + 1))
        assert (await house.desk.jobs.counts()).keys() <= {"accepted", "running", "rendered"}
        await until(lambda: house.settled)
        assert len(house.settled) == 1


async def test_a_rule_made_while_a_job_waits_blocks_it_at_its_claim(tmp_path):
    async with open_house(tmp_path, Painter(step_seconds=0.01)) as house:
        house.painter.hold.clear()
        await house.studio.submit(an_order(1))
        waiting = await house.studio.submit(an_order(2, request=a_request(prompt="a turnip")))
        await house.studio.rules.add(GUILD, "turnip", 99)
        house.painter.hold.set()
        await until(lambda: len(house.settled) == 2)
        blocked = await house.studio.get(waiting.job_id)
        assert blocked.state is JobState.BLOCKED
        assert "does not allow" in blocked.reason
        assert (await house.studio.quota(Member(id=2, guild_id=GUILD))).spent_today == 0
        assert await house.studio.rules.remove(GUILD, "turnip", 1)
        await house.studio.submit(an_order(2, request=a_request(prompt="a turnip")))


async def test_a_ban_made_while_a_job_waits_ends_it_at_its_claim(tmp_path):
    async with open_house(tmp_path, Painter(step_seconds=0.01)) as house:
        house.painter.hold.clear()
        await house.studio.submit(an_order(1))
        waiting = await house.studio.submit(an_order(2))
        await house.desk.strikes.ban(Entry(guild_id=GUILD, actor_id=9, action="ban", member_id=2), None)
        house.painter.hold.set()
        await until(lambda: len(house.settled) == 2)
        commission = await house.studio.get(waiting.job_id)
        assert commission.state is JobState.CANCELLED
        assert "moderator" in commission.reason
        assert (await house.studio.quota(Member(id=2, guild_id=GUILD))).spent_today == 0
        assert len(house.painter.painted) == 1


async def test_rules_survive_a_restart_and_bad_ones_are_explained(tmp_path):
    async with open_house(tmp_path) as house:
        await house.studio.rules.add(GUILD, "turnip*", 99)
        with pytest.raises(BadRequest):
            await house.studio.rules.add(GUILD, "re:(unclosed", 99)
        with pytest.raises(BadRequest, match="empty"):
            await house.studio.rules.add(GUILD, "  ", 99)
    async with open_house(tmp_path) as house:
        assert [entry.line for entry in house.studio.rules.entries(GUILD)] == ["turnip*"]
        assert house.studio.rules.check(Place(guild_id=GUILD), a_request(prompt="turnips")).blocks
        assert not house.studio.rules.check(Place(guild_id=None), a_request(prompt="turnips")).blocks


async def test_a_failure_gives_the_credits_back_and_says_why(tmp_path):
    async with open_house(tmp_path) as house:
        house.painter.faults.append(BrokenPicture())
        await house.studio.submit(an_order())
        await until(lambda: house.settled)
        assert house.settled[0].reason == BrokenPicture().sentence
        quota = await house.studio.quota(Member(id=1, guild_id=GUILD))
        assert (quota.spent_today, quota.waiting) == (0.0, 0)


async def test_a_crash_of_the_worker_costs_only_time_and_the_seed_stays(tmp_path):
    async with open_house(tmp_path) as house:
        house.painter.faults += [WorkerLost(), WorkerLost()]
        await house.studio.submit(an_order(request=a_request(seed=1234)))
        await until(lambda: house.settled)
        assert states(house) == [JobState.RENDERED]
        assert [(job.attempt, job.request.seed) for job in house.painter.painted] == [(3, 1234)]


class Poisoned(Painter):
    """Its process dies of one prompt, every time."""

    def __init__(self, blame):
        super().__init__()
        self.blame = blame
        self.tries = []

    async def paint(self, job, on_progress):
        if job.request.prompt == "poison":
            self.tries.append((job.attempt, job.crashes, job.request.seed))
            raise WorkerLost(blame=self.blame)
        return await super().paint(job, on_progress)


@pytest.mark.parametrize("blame", [Blame.ALONE, Blame.SHARED])
async def test_a_job_that_takes_the_painting_process_down_is_given_up_after_three_times(tmp_path, blame):
    """The store counts; `tests/generation/test_dispatch.py` has a ledger that counts by itself."""
    painter = Poisoned(blame)
    async with open_house(tmp_path, painter) as house:
        poison = await house.studio.submit(an_order(1, request=a_request(prompt="poison", seed=1234)))
        others = [(await house.studio.submit(an_order(member))).job_id for member in (2, 3)]
        await until(lambda: len(house.settled) == 3, seconds=10.0)
        assert painter.tries == [(1, 0, 1234), (2, 1, 1234), (3, 2, 1234)]
        ended = await house.studio.get(poison.job_id)
        assert (ended.state, ended.reason) == (JobState.FAILED, WorkerLost().sentence)
        assert (ended.cost, ended.refunded) == (1.0, 1.0)
        assert (await house.studio.quota(Member(id=1, guild_id=GUILD))).spent_today == 0.0
        assert {each.id for each in house.settled if each.state is JobState.RENDERED} == {*others}


async def test_cancelling_a_running_and_a_waiting_job(tmp_path):
    async with open_house(tmp_path, Painter(step_seconds=0.01)) as house:
        house.painter.hold.clear()
        running = await house.studio.submit(an_order(1))
        waiting = await house.studio.submit(an_order(2))
        assert [(await house.studio.standing(each.job_id)).ahead for each in (waiting, running)] == [1, 0]
        with pytest.raises(NotAllowed):
            await house.studio.cancel(waiting.job_id, Member(id=1, guild_id=GUILD))
        with pytest.raises(BadRequest, match="not known"):
            await house.studio.cancel(waiting.job_id, Member(id=2, guild_id=GUILD + 1))
        await house.studio.cancel(waiting.job_id, MODERATOR)
        await until(lambda: house.studio._dispatcher.running)
        await house.studio.cancel(running.job_id, Member(id=1, guild_id=GUILD))
        await until(lambda: len(house.settled) == 2)
        assert states(house) == [JobState.CANCELLED, JobState.CANCELLED]
        with pytest.raises(BadRequest, match="finished"):
            await house.studio.cancel(running.job_id, MODERATOR)
        stopped = await house.studio.get(running.job_id)
        assert stopped.cost == 1.0
        assert stopped.refunded == pytest.approx(1 - 1 / 20)  # one step of twenty was painted
        assert (await house.studio.get(waiting.job_id)).refunded == 1.0
        assert (await house.studio.quota(Member(id=1, guild_id=GUILD))).spent_today == pytest.approx(1 / 20)
        assert (await house.studio.quota(Member(id=2, guild_id=GUILD))).spent_today == 0


async def test_uploads_are_refused_where_nobody_could_check_them(tmp_path):
    async with open_house(tmp_path, Painter(accepts_uploads=False)) as house:
        request = a_request(image="ab" * 32, strength=0.5)
        with pytest.raises(UploadsRefused):
            house.studio.check(an_order(request=request))
        with pytest.raises(UploadsRefused):
            async with house.studio.kept_upload(b"anything"):
                pass


async def test_an_upload_travels_to_the_painter(tmp_path):
    async with open_house(tmp_path) as house:
        file = io.BytesIO()
        Image.new("RGB", (300, 200), "red").save(file, "png")
        async with house.studio.kept_upload(file.getvalue()) as digest:
            request = house.studio.composer.compose("a red house", image=digest)
            assert request.strength == house.studio.config.dream.strength
            await house.studio.submit(an_order(request=request))
        await until(lambda: house.settled)
        assert house.painter.painted[0].image == await house.studio.load_upload(digest) is not None


async def test_an_upload_of_two_orders_goes_only_when_both_are_refused(tmp_path):
    async with open_house(tmp_path) as house:
        file = io.BytesIO()
        Image.new("RGB", (300, 200), "red").save(file, "png")
        with pytest.raises(BadRequest, match="second"):
            async with house.studio.kept_upload(file.getvalue()) as digest:
                with pytest.raises(BadRequest, match="first"):
                    async with house.studio.kept_upload(file.getvalue()):
                        raise BadRequest("first")
                assert await house.desk.uploads.has(digest)
                raise BadRequest("second")
        assert not await house.desk.uploads.has(digest)


async def test_an_upload_that_is_gone_is_said_before_and_after_admission(tmp_path):
    async with open_house(tmp_path) as house:
        gone = a_request(image="cd" * 32, strength=0.5)
        with pytest.raises(BadRequest, match="no longer kept"):
            await house.studio.submit(an_order(request=gone))

        file = io.BytesIO()
        Image.new("RGB", (300, 200), "red").save(file, "png")
        house.painter.hold.clear()
        await house.studio.submit(an_order())
        async with house.studio.kept_upload(file.getvalue()) as digest:
            await house.studio.submit(an_order(request=a_request(image=digest, strength=0.5)))
        spent = (await house.studio.quota(Member(id=1, guild_id=GUILD))).spent_today
        await house.desk.uploads.remove(digest)
        house.painter.hold.set()
        await until(lambda: len(house.settled) == 2)
        assert "no longer kept" in house.settled[1].reason
        assert (await house.studio.quota(Member(id=1, guild_id=GUILD))).spent_today < spent  # given back


async def test_credits_say_when_the_next_picture_is_affordable(tmp_path):
    limits = {"member": {"burst": 1, "per_hour": 60, "daily": 100, "waiting": 9}}
    async with open_house(tmp_path, Painter(step_seconds=0.01), limits=limits) as house:
        house.painter.hold.clear()
        await house.studio.submit(an_order(1))
        await house.studio.submit(an_order(2))
        with pytest.raises(OutOfCredits) as refused:
            await house.studio.submit(an_order(1))
        assert 0 < refused.value.retry_at - house.studio.clock() <= 61


def test_variations_keep_everything_but_the_noise(tmp_path):
    async def run():
        async with open_house(tmp_path) as house:
            request = a_request(count=4, seed=10)
            varied = house.studio.composer.vary(request, 2)
            assert (varied.seed, varied.count, len(varied.variations)) == (12, 4, 1)
            assert varied.variations[0].strength == house.studio.config.dream.variation_strength
            twice = house.studio.composer.vary(varied, 1)
            assert twice.variations[0].seed == varied.variations[0].seed + 1
            assert len(twice.variations) == 2
            again = house.studio.composer.again(varied)
            assert (again.variations, again.prompt) == ((), varied.prompt)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"steps": 51}, "at most 50 here"),
        ({"style": "cubist"}, "no style called"),
        ({"count": 0}, "between 1 and 4"),
        ({"seed": 2**64}, "The seed must be"),
        ({"strength": 0.5}, "give both or neither"),
    ],
)
async def test_wishes_out_of_range_are_refused_kindly(tmp_path, wish, sentence):
    async with open_house(tmp_path) as house:
        with pytest.raises(BadRequest, match=sentence):
            house.studio.composer.compose("a house", **wish)
        with pytest.raises(BadRequest, match="empty"):
            house.studio.composer.compose("  ", style="ink")
        assert house.studio.composer.compose(" a house ", style="ink").prompt == "a house, ink drawing"
        assert house.studio.composer.compose("a house", aspect="wide").width > 256


async def test_the_line_shows_what_runs_first_and_hides_private_jobs(tmp_path):
    async with open_house(tmp_path, Painter(step_seconds=0.01)) as house:
        house.painter.hold.clear()
        first = await house.studio.submit(an_order(1))
        await until(lambda: house.studio._dispatcher.running)
        await house.studio.submit(an_order(2, private=True))
        third = await house.studio.submit(an_order(3, action=Action.EDIT))
        line = await house.studio.line(GUILD)
        assert [entry.job_id for entry in line] == [first.job_id, third.job_id]
        assert [entry.ahead for entry in line] == [0, 2]
        standings = [await house.studio.standing(each.job_id) for each in (first, third)]
        assert standings[1].seconds > standings[0].seconds > 0
        assert await house.studio.cancel_all(Member(id=3, guild_id=GUILD)) == 1


async def test_after_a_crash_waiting_and_running_jobs_go_on(tmp_path):
    painter = Painter(step_seconds=0.01)
    painter.hold.clear()
    async with open_house(tmp_path, painter) as house:
        await house.studio.submit(an_order(1))
        await house.studio.submit(an_order(2))
        await until(lambda: house.studio._dispatcher.running)
        house.studio._dispatcher._stopping = True  # as a killed process: nothing is settled, nothing released
        for task in (*house.studio._dispatcher._claiming, *house.studio._dispatcher._painting):
            task.cancel()
        assert (await house.desk.jobs.counts()) == {"running": 1, "accepted": 1}
    async with open_house(tmp_path) as house:
        await until(lambda: len(house.settled) == 2)
        assert states(house) == [JobState.RENDERED] * 2


@pytest.mark.parametrize(("flagged", "state", "charged"), [(True, "blocked", 1.0), (False, "failed", 0.0)])
async def test_a_withheld_picture_is_blocked_and_charged_but_a_failed_check_is_neither(
    tmp_path, flagged, state, charged
):
    async with open_house(tmp_path) as house:
        house.painter.faults.append(NotApproved(flagged=flagged))
        await house.studio.submit(an_order())
        await until(lambda: house.settled)
        assert states(house) == [JobState(state)]
        assert (await house.studio.quota(Member(id=1, guild_id=GUILD))).spent_today == charged


async def test_an_upload_that_cannot_be_read_costs_its_own_job_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr("generation.dispatch.STORE_RETRY", 0.01)
    async with open_house(tmp_path) as house:
        digest = "ef" * 32
        (tmp_path / "uploads" / digest[:2] / digest).mkdir(parents=True)  # reading it is an error, not an absence
        await house.studio.submit(an_order(1, request=a_request(image=digest, strength=0.5)))
        await house.studio.submit(an_order(2))
        await until(lambda: len(house.settled) == 2)
        assert states(house) == [JobState.FAILED, JobState.RENDERED]
        assert await house.desk.jobs.counts() == {"failed": 1, "rendered": 1}
        assert (await house.studio.quota(Member(id=1, guild_id=GUILD))).spent_today == 0
