"""Compares what members were told, what the database says and what every message shows; promises have one answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.benches.report import percentile
from bot.order import INTERACTION_TOKEN_LIFE
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

Span = tuple[float, float]  # epoch seconds


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


def judge_outcomes(
    verdict: Verdict, entries: Mapping[str, Entry], record: Record, interrupted: Sequence[Span] = ()
) -> None:
    """Exactly one visible outcome for every accepted job: its picture, or why there is none."""
    results: dict[str, list[Seen]] = defaultdict(list)
    for seen in record.messages.values():
        for job in seen.results:
            results[job].append(seen)
    unfinished = [entry for entry in entries.values() if not entry.settled]
    posted = [entry for entry in entries.values() if entry.state is JobState.POSTED]
    lost = [f"{job}: its author was told that it is in the line" for job in record.accepted - entries.keys()]
    lost += [f"{entry.id}: {entry.state}, attempt {entry.attempt}, never told" for entry in unfinished]
    unseen = [each for each in posted if not any(seen.is_picture for seen in results[each.id])]
    in_vain = [each for each in unseen if _had_to_ask(each, results[each.id], record, interrupted)]
    lost += [
        f"{each.id}: posted, but its picture is not to be seen: {where(results[each.id]) or 'no message'}"
        for each in unseen
        if each not in in_vain
    ]
    verdict.figures["asked_whether_shown"] = float(sum(seen.is_question for seen in record.messages.values()))
    verdict.figures["asked_without_picture"] = float(len(in_vain))
    twice = [
        f"{job}: {where(seen)} ({entries[job].state if job in entries else 'unknown'})"
        for job, seen in results.items()
        if _is_twice(seen) or not _may_be_shown(entries.get(job))
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
    gone = [seen for seen in left if out_of_reach(seen, [entries[job] for job in seen.tickets if job in entries])]
    verdict.figures["tickets_out_of_reach"] = float(len(gone))
    left = [seen for seen in left if seen not in gone]
    verdict.promise("tickets_left_behind", [f"{where([s])}: {', '.join(s.tickets)}, {s.content!r}" for s in left])


def _may_be_shown(entry: Entry | None) -> bool:
    return entry is not None and (not entry.settled or entry.state is JobState.POSTED)


def _is_twice(seen: Sequence[Seen]) -> bool:
    """Whether a job has more than one picture, more than one question, or anything else beside one of each."""
    questions = sum(each.is_question for each in seen)
    return len(seen) - min(1, questions) > 1 or sum(each.pictured for each in seen) > 1


def _had_to_ask(entry: Entry, seen: Sequence[Seen], record: Record, interrupted: Sequence[Span]) -> bool:
    """Whether its author was rightly asked if the picture stands above, which is not there now.

    Either it was there, or the bot was interrupted meanwhile and nobody but the author could look. The question has
    buttons that bring the picture.
    """
    asked = [each for each in seen if each.exists and each.is_question]
    if not asked or any(each.pictured for each in seen):
        return bool(asked)
    return entry.private and overlaps(interrupted, record.asked_at(entry.interaction_id), asked[0].changed_at)


def out_of_reach(ticket: Seen, entries: Iterable[Entry]) -> bool:
    """Whether nobody could change it: only a token opens what one person alone sees, and it had ended by then."""
    told = [entry.told_in for entry in entries]
    late = [each for each in told if each and created_at(each) - created_at(ticket.id) > INTERACTION_TOKEN_LIFE - 60.0]
    return ticket.audience is not None and bool(late)


def _judge_notices(entries: Mapping[str, Entry], record: Record, lost: list[str], twice: list[str]) -> None:
    """A notice names no job, but ends with the prompt; variations have their parent's."""
    owed = Counter(e.prompt for e in entries.values() if e.settled and e.state is not JobState.POSTED)
    told: dict[str, list[Seen]] = defaultdict(list)
    for seen in record.messages.values():
        if seen.exists and seen.is_notice:
            told[seen.prompt].append(seen)
    for prompt in {entry.prompt for entry in entries.values()}:
        if owed[prompt] > len(told[prompt]):
            lost.append(f"{owed[prompt]} notices are owed, {len(told[prompt])} to be seen: {prompt}")
        if owed[prompt] < len(told[prompt]):
            twice.append(f"{owed[prompt]} notices are owed: {where(told[prompt])}: {prompt}")


def judge_serving(verdict: Verdict, lives: Sequence[Life], troubled: Sequence[Span]) -> None:
    """Every process serves soon, unless Discord was away; none ends by itself."""
    times = [
        life.served_from - life.began
        for life in lives
        if life.served_from is not None and not overlaps(troubled, life.began, life.served_from)
    ]
    never = [
        f"process {number}: {life.ended - life.began:.1f} s"
        for number, life in enumerate(lives, 1)
        if life.served_from is None
        and life.ended is not None
        and life.ended - life.began > SERVE_WITHIN
        and not overlaps(troubled, life.began, life.ended)
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
    troubled: Sequence[Span],
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
        well = not overlaps(troubled, at, at + ACKNOWLEDGE_WITHIN)
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
    # Connections and memory come with every burst and go again, if the allocator gives any back: what leaks raises the
    # least there ever is.
    more = min(each.descriptors for each in last) - min(each.descriptors for each in middle)
    before, after = (min(each.resident for each in part) for part in (middle, last))
    slope = (after - before) / (_mean_jobs(last) - _mean_jobs(middle))
    verdict.bound("memory_slope_bytes_per_job", slope, MOST_GROWTH)
    verdict.bound("descriptors_grown", float(more), MORE_DESCRIPTORS)
    verdict.figures |= {"resident_middle_mib": before / 2**20, "resident_last_mib": after / 2**20}


def _mean_jobs(samples: Sequence[Sample]) -> float:
    return sum(sample.jobs for sample in samples) / len(samples)


def interruptions(lives: Sequence[Life], troubled: Sequence[Span]) -> list[Span]:
    """When the bot could not go on with what it was about to do: trouble, and the end of every process."""
    return [*troubled, *((life.ended, life.ended) for life in lives if life.ended is not None)]


def overlaps(spans: Sequence[Span], began: float, ended: float) -> bool:
    """Whether any of the spans touches the one from `began` to `ended`."""
    return any(start <= ended and began <= stop for start, stop in spans)


def where(seen: Sequence[Seen]) -> str:
    """The messages, as a list of broken promises names them."""
    return ", ".join(f"message {each.id} in {each.channel_id}{'' if each.exists else ' (deleted)'}" for each in seen)
