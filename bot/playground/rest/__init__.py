"""The REST routes bots use, v10."""
