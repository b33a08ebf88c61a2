"""The kitchen: an admitted job becomes a result. Knows nothing of Discord."""
