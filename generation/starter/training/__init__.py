"""Trains the starter model; nothing here is needed to paint with it."""
