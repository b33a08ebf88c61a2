"""The kitchen: an admitted job becomes a result. Knows nothing of Discord."""

__version__ = "0.1.0"
