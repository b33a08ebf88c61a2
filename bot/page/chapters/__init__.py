"""The chapters in the order of the navigation; a new one is a module here and a name in this list."""

from __future__ import annotations

from typing import Final

from bot.page.chapters import artists, audit, limits, line, overview, pictures, policy, review, strikes
from bot.page.chapters import filter as filter_chapter
from bot.page.visit import Chapter

CHAPTERS: Final[tuple[Chapter, ...]] = (
    overview.CHAPTER,
    line.CHAPTER,
    review.CHAPTER,
    pictures.CHAPTER,
    filter_chapter.CHAPTER,
    artists.CHAPTER,
    policy.CHAPTER,
    strikes.CHAPTER,
    limits.CHAPTER,
    audit.CHAPTER,
)
