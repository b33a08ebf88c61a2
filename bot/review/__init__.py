"""Moderators in charge: cases, rulings, appeals, strikes and reports."""
