"""Draws the pictures that the starter model learns from; needs skia-python, which only training does."""
