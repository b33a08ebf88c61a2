"""The embedded default model: weights that draw a small world of their own."""
