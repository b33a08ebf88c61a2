"""Moderators' page: sign-in with Discord, then one chapter for each thing they look after; off by default."""
