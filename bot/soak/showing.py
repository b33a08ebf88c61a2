"""Who was shown what, and who was left without a word: pictures without a job, private ones in public, no answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from bot.playground.ids import DM_IDS
from bot.soak.books import Entry
from bot.soak.record import Record, Seen
from bot.soak.verdict import Span, Verdict, out_of_reach, overlaps, where
from generation.job import JobState

ANSWER_WITHIN = 5.0  # seconds after which whatever interrupts the bot does not explain why it has said nothing yet


def judge_showing(verdict: Verdict, entries: Mapping[str, Entry], record: Record) -> None:
    """Files belong to a job, private ones are its author's alone, and who is to know of a result is mentioned."""
    verdict.promise("files_of_no_job", [where([seen]) for seen in record.messages.values() if seen.stray])
    private: dict[str, set[int]] = defaultdict(set)  # authors by prompt; variations have their parent's
    for entry in entries.values():
        if entry.private:
            private[entry.prompt].add(entry.author_id)
    public, unmentioned = [], []
    for seen in record.messages.values():
        named = [entries[job] for job in sorted(seen.results | seen.tickets) if job in entries]
        owners = {entry.author_id for entry in named if entry.private}
        if seen.is_notice:
            owners |= private[seen.prompt]
        if owners and not all(_sees_alone(owner, seen) for owner in owners):
            public.append(where([seen]))
        shown = [entry for entry in named if entry.id in seen.results]
        if _is_public(seen) and any(entry.author_id not in seen.mentions for entry in shown):
            unmentioned.append(where([seen]))
    verdict.promise("private_shown_to_others", public)
    verdict.promise("results_without_mention", unmentioned)


def judge_wishes(
    verdict: Verdict,
    entries: Mapping[str, Entry],
    record: Record,
    wishes: Mapping[int, float],
    cancelled: Collection[str],
    interrupted: Sequence[Span],
) -> None:
    """Who asked for a picture hears of it, unless the bot was interrupted at once; only who cancels has cancelled."""
    stopped = [entry.id for entry in entries.values() if entry.state is JobState.CANCELLED]
    verdict.promise("cancelled_unasked", [job for job in stopped if job not in cancelled])
    jobs = {entry.interaction_id: entry for entry in entries.values()}
    told = {seen.interaction_id for seen in record.messages.values() if seen.exists and seen.content}
    thinking = [seen for seen in record.messages.values() if seen.exists and seen.thinking]
    heard = record.acknowledged.keys() | {seen.interaction_id for seen in thinking}
    silent = [each for each in wishes if each in heard and each not in jobs and each not in told]
    excused = [each for each in silent if overlaps(interrupted, wishes[each], wishes[each] + ANSWER_WITHIN)]
    verdict.figures["unanswered_after_interruptions"] = float(len(excused))
    verdict.promise("unanswered", [str(each) for each in silent if each not in excused])
    gone = [seen for seen in thinking if seen.interaction_id in excused or _late(seen, jobs)]
    verdict.figures["thinking_out_of_reach"] = float(len(gone))
    verdict.promise("thinking_for_ever", [where([seen]) for seen in thinking if seen not in gone])


def _late(seen: Seen, jobs: Mapping[int, Entry]) -> bool:
    entry = jobs.get(seen.interaction_id or 0)
    return entry is not None and out_of_reach(seen, [entry])


def _sees_alone(person: int, seen: Seen) -> bool:
    return seen.audience == person or (seen.audience is None and seen.channel_id == DM_IDS.get(person))


def _is_public(seen: Seen) -> bool:
    return seen.audience is None and seen.channel_id not in DM_IDS.values()
