"""Rows of buttons whose meaning stands in their custom ids: nothing in memory waits for them."""

from __future__ import annotations

import discord


def buttons(*wanted: tuple[str, str, discord.ButtonStyle], in_row: int = 5) -> discord.ui.View:
    """One button for each (label, custom id, style), `in_row` of them beside each other."""
    view = discord.ui.View(timeout=None)
    for place, (label, custom_id, style) in enumerate(wanted):
        view.add_item(discord.ui.Button(label=label, custom_id=custom_id, style=style, row=place // in_row))
    view.stop()  # otherwise discord.py would keep it to wait for a press, which finds its way without
    return view
