"""Compares what members were told, what the database says and what every message shows; promises have one answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.benches.report import percentile
from bot.order import INTERACTION_TOKEN_LIFE
from bot.outcome import MAYBE_ABOVE
from bot.playground.ids import created_at
from bot.soak.books import Entry
from bot.soak.keeper import Life, Sample
from bot.soak.record import Record, Seen
from generation.job import ENDED, JobState

SERVE_WITHIN = 10.0  # seconds from the start of a process
ACKNOWLEDGE_WITHIN = 3.0  # seconds; Discord
MOST_INVALID = 100  # requests in ten minutes
SLOPE_JOBS = 2000  # accepted within one process before its growth says more than how busy it was just then
MOST_GROWTH = 1024.0  # bytes a job
MORE_DESCRIPTORS = 5
LISTED = 12  # of each kind of broken promise


@dataclass(slots=True)
class Verdict:
    """Figures, and every promise that was broken, in words."""

    figures: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def promise(self, name: str, found: Sequence[str], *, most: int = 0) -> None:
        """At most so many of these may be."""
        self.figures[name] = float(len(found))
        if len(found) > most:
            self.broken.append(f"{name}: {len(found)}")
            self.broken += [f"    {each}" for each in found[:LISTED]]

    def bound(self, name: str, value: float, most: float) -> None:
        """This figure may not be greater."""
        self.figures[name] = value
        if value > most:
            self.broken.append(f"{name}: {value:.3f}, at most {most:g}")


def judge_outcomes(verdict: Verdict, entries: Mapping[str, Entry], record: Record) -> None:
    """Exactly one visible outcome for every accepted job."""
    results: dict[str, list[Seen]] = defaultdict(list)
    for seen in record.messages.values():
        for job in seen.results:
            results[job].append(seen)
    unfinished = [entry for entry in entries.values() if not entry.settled]
    posted = [entry for entry in entries.values() if entry.state is JobState.POSTED]
    lost = [f"{job}: its author was told that it is in the line" for job in record.accepted - entries.keys()]
    lost += [f"{entry.id}: {entry.state}, attempt {entry.attempt}, never told" for entry in unfinished]
    lost += [f"{each.id}: posted, but not to be seen" for each in posted if not any(s.exists for s in results[each.id])]
    # Without a picture: that it may stand above, where nobody can look any more.
    asking = {job: [each for each in seen if MAYBE_ABOVE in each.content] for job, seen in results.items()}
    verdict.figures["asked_whether_shown"] = float(sum(map(len, asking.values())))
    twice = [
        f"{job}: {_where(seen)} ({entries[job].state if job in entries else 'unknown'})"
        for job, seen in results.items()
        if len(seen) - min(1, len(asking[job])) > 1 or not _may_be_shown(entries.get(job))
    ]
    _judge_notices(entries, record, lost, twice)
    verdict.figures["jobs"] = float(len(entries))
    for state in sorted(ENDED):
        verdict.figures[f"jobs_{state}"] = float(sum(entry.state is state for entry in entries.values()))
    verdict.figures["attempts_most"] = float(max((entry.attempt for entry in entries.values()), default=0))
    verdict.promise("lost", lost)
    verdict.promise("shown_twice", twice)
    # Nothing here is of a kind that may fail or be blocked.
    wrong = (JobState.FAILED, JobState.BLOCKED)
    verdict.promise("ended_without_need", [f"{e.id}: {e.reason}" for e in entries.values() if e.state in wrong])
    verdict.promise("untold", [entry.id for entry in entries.values() if entry.settled and entry.told_in == 0])
    left = [seen for seen in record.messages.values() if seen.is_ticket]
    out_of_reach = [seen for seen in left if _out_of_reach(seen, entries)]
    verdict.figures["tickets_out_of_reach"] = float(len(out_of_reach))
    left = [seen for seen in left if seen not in out_of_reach]
    verdict.promise("tickets_left_behind", [f"{_where([s])}: {', '.join(s.tickets)}, {s.content!r}" for s in left])


def _may_be_shown(entry: Entry | None) -> bool:
    return entry is not None and (not entry.settled or entry.state is JobState.POSTED)


def _out_of_reach(ticket: Seen, entries: Mapping[str, Entry]) -> bool:
    """Whether nobody could change it: only a token opens what one person alone sees, and it had ended by then."""
    told = [entries[job].told_in for job in ticket.tickets if job in entries]
    late = [each for each in told if each and created_at(each) - created_at(ticket.id) > INTERACTION_TOKEN_LIFE - 60.0]
    return ticket.audience is not None and bool(late)


def _judge_notices(entries: Mapping[str, Entry], record: Record, lost: list[str], twice: list[str]) -> None:
    """A notice names no job, but ends with the prompt; variations have their parent's."""
    owed = Counter(e.prompt for e in entries.values() if e.settled and e.state is not JobState.POSTED)
    told: dict[str, list[Seen]] = defaultdict(list)
    for seen in record.messages.values():
        if seen.exists and seen.is_notice:
            told[seen.content.rpartition("\n-# ")[2]].append(seen)
    for prompt in {entry.prompt for entry in entries.values()}:
        if owed[prompt] > len(told[prompt]):
            lost.append(f"{owed[prompt]} notices are owed, {len(told[prompt])} to be seen: {prompt}")
        if owed[prompt] < len(told[prompt]):
            twice.append(f"{owed[prompt]} notices are owed: {_where(told[prompt])}: {prompt}")


def judge_serving(verdict: Verdict, lives: Sequence[Life], troubled: Sequence[tuple[float, float]]) -> None:
    """Every process serves soon, unless Discord was away; none ends by itself."""
    times = [
        life.served_from - life.began
        for life in lives
        if life.served_from is not None and not _overlaps(troubled, life.began, life.served_from)
    ]
    never = [
        f"process {number}: {life.ended - life.began:.1f} s"
        for number, life in enumerate(lives, 1)
        if life.served_from is None
        and life.ended is not None
        and life.ended - life.began > SERVE_WITHIN
        and not _overlaps(troubled, life.began, life.ended)
    ]
    by_itself = [
        f"process {number}: exit code {life.process.returncode}"
        for number, life in enumerate(lives, 1)
        if not life.asked_to_end
    ]
    verdict.figures |= {"processes": float(len(lives)), "serving_p50_s": percentile(times, 0.5)}
    verdict.bound("serving_worst_s", max(times, default=0.0), SERVE_WITHIN)
    verdict.promise("never_served", never)
    verdict.promise("ended_by_itself", by_itself)


def judge_answers(
    verdict: Verdict,
    record: Record,
    interactions: Mapping[int, float],
    lives: Sequence[Life],
    troubled: Sequence[tuple[float, float]],
) -> None:
    """Every interaction is acknowledged in time while the bot serves and Discord is well; refusals stay few."""
    times = [record.acknowledged[each] for each in interactions if each in record.acknowledged]
    missed = []
    for interaction, at in interactions.items():
        served = any(
            life.served_from is not None
            and life.served_from <= at
            and (life.ended is None or at + ACKNOWLEDGE_WITHIN <= life.ended)
            for life in lives
        )
        well = not _overlaps(troubled, at, at + ACKNOWLEDGE_WITHIN)
        took = record.acknowledged.get(interaction)
        if served and well and (took is None or took > ACKNOWLEDGE_WITHIN):
            missed.append(str(interaction) if took is None else f"{interaction}: after {took:.1f} s")
    verdict.figures |= {
        "interactions": float(len(interactions)),
        "acknowledged": float(len(times)),
        "acknowledgement_p50_ms": percentile(times, 0.5) * 1000,
        "acknowledgement_p99_ms": percentile(times, 0.99) * 1000,
        "acknowledgement_worst_ms": max(times, default=0.0) * 1000,
    }
    verdict.promise("acknowledgements_missed", missed)
    verdict.figures |= {f"answers_{status}": float(n) for status, n in sorted(record.statuses.items()) if status >= 400}
    verdict.bound("invalid_requests_in_10_min", float(record.most_invalid()), MOST_INVALID)


def judge_resources(verdict: Verdict, lives: Sequence[Life]) -> None:
    """Between the second and the last third of the longest life nothing grows with the jobs."""
    longest = max(lives, key=lambda life: len(life.samples), default=None)
    samples = [] if longest is None else [each for each in longest.samples if each.jobs > longest.samples[0].jobs]
    jobs = samples[-1].jobs - samples[0].jobs if samples else 0
    verdict.figures["watched_jobs"] = float(jobs)
    if jobs < SLOPE_JOBS:
        return
    third = jobs / 3
    middle = [each for each in samples if third <= each.jobs - samples[0].jobs < 2 * third]
    last = [each for each in samples if each.jobs - samples[0].jobs >= 2 * third]
    grown = _mean(last, "resident") - _mean(middle, "resident")
    verdict.bound("memory_slope_bytes_per_job", grown / (_mean(last, "jobs") - _mean(middle, "jobs")), MOST_GROWTH)
    # Connections come with every burst and go again: what leaks raises the least there ever is.
    more = min(each.descriptors for each in last) - min(each.descriptors for each in middle)
    verdict.bound("descriptors_grown", float(more), MORE_DESCRIPTORS)
    verdict.figures["resident_mib"] = _mean(last, "resident") / 2**20


def _mean(samples: Sequence[Sample], name: str) -> float:
    return float(sum(getattr(sample, name) for sample in samples)) / max(1, len(samples))


def _overlaps(spans: Sequence[tuple[float, float]], began: float, ended: float) -> bool:
    return any(start <= ended and began <= stop for start, stop in spans)


def _where(seen: Sequence[Seen]) -> str:
    return ", ".join(f"message {each.id} in {each.channel_id}{'' if each.exists else ' (deleted)'}" for each in seen)
