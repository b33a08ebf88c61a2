"""Rules as they are kept, and as files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.moderation.entries import Entry, exported, imported, read_entry
from bot.moderation.rules import RuleError
from bot.moderation.scope import EVERYWHERE, Scope
from bot.moderation.verdict import Decision

WORDS = st.sampled_from(["walnut", "pelican*", "*kestrel", "two words", "near:walnut, pelican", "re:wal.ut # 7"])
SCOPES = st.builds(Scope, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
SEVERITIES = st.sampled_from([Decision.BLOCK, Decision.REVIEW, Decision.SHADOW])


LANGUAGES = st.sampled_from(["", "de", "pt-BR"])


@given(st.lists(st.tuples(WORDS, SEVERITIES, SCOPES, LANGUAGES)), st.sets(st.integers(1, 99)))
def test_what_is_exported_is_imported_again(written: list[tuple[str, Decision, Scope, str]], exempt: set[int]) -> None:
    entries = {}
    for text, severity, scope, language in written:
        entry = read_entry(text, severity, scope, language)
        assert entry is not None
        entries[entry.text, entry.scope] = entry
    excuse = read_entry("allow:walnut oil")
    assert excuse is not None
    document = exported([*entries.values(), excuse], exempt)
    back = imported(document)
    assert (back.errors, back.exempt) == ((), exempt)
    assert {*back.entries} == {*entries.values(), excuse}


def test_severity_beside_the_rule_overrules_its_prefix_but_not_an_excuse() -> None:
    assert read_entry("review:walnut") == Entry("walnut", Decision.REVIEW)
    assert read_entry("review:walnut", Decision.SHADOW) == Entry("walnut", Decision.SHADOW)
    assert read_entry("allow:blue tit", Decision.BLOCK) == Entry("blue tit", Decision.ALLOW)
    assert read_entry("block:walnut") == Entry("walnut")
    assert read_entry("# a comment") is None


def test_a_text_file_is_one_rule_a_line_and_bad_lines_are_named() -> None:
    found = imported("\ufeffwalnut # snack\n\nreview:pelican*\nwal*nut\nallow:blue tit\nshadow:re:(\n")
    assert [entry.line for entry in found.entries] == ["walnut", "review:pelican*", "allow:blue tit"]
    assert [error.partition(":")[0] for error in found.errors] == ["Line 4", "Line 6"]


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ("{", "not valid JSON, line 1"),
        ("{}", "no list of “rules”"),
        ('{"rules": 5}', "no list of “rules”"),
        ('{"rules": [5]}', "Rule 1: it must have a “rule”"),
        ('{"rules": [{"rule": "walnut"}, {"rule": "wal*nut"}]}', "Rule 2: A star"),
        ('{"rules": [{"rule": "walnut", "severity": "hang"}]}', "Rule 1: “severity”"),
        ('{"rules": [{"rule": "walnut", "channel": "art"}]}', "Rule 1: “channel” and “role”"),
        ('{"rules": [{"rule": "walnut", "language": "<b>"}]}', "Rule 1: A language"),
        ('{"rules": [{"rule": "re:x", "severity": "allow"}]}', "Rule 1: allow: takes words"),
    ],
)
def test_bad_documents_are_explained(document: str, hint: str) -> None:
    found = imported(document)
    assert found.entries == () or len(found.errors) == 1
    assert hint in found.errors[0]


def test_a_deep_document_is_no_crash() -> None:
    assert imported("{" + '"a":[' * 100_000).errors


@given(st.text())
def test_any_text_gives_entries_or_sentences(text: str) -> None:
    found = imported(text)
    for entry in found.entries:
        assert read_entry(entry.line) == entry or entry.scope != EVERYWHERE or entry.language
        assert entry.rule().decision is entry.severity
    assert found.entries or found.errors or not any(line.split("#")[0].strip() for line in text.splitlines())


def test_the_document_says_what_it_is() -> None:
    document = json.loads(exported([Entry("walnut", Decision.REVIEW, Scope(5, 6), "de")], [7]))
    assert document == {
        "format": "atelier-filter",
        "version": 1,
        "rules": [{"rule": "walnut", "severity": "review", "channel": "5", "role": "6", "language": "de"}],
        "exempt_roles": ["7"],
    }


def test_blanks_do_not_make_a_rule_longer_than_its_column() -> None:
    with pytest.raises(RuleError, match="at most 280 characters"):
        read_entry(f"near:walnut,{' ' * 400}pelican")


def test_a_language_is_a_tag() -> None:
    with pytest.raises(RuleError, match="short tag"):
        read_entry("walnut", language="German, mostly")
