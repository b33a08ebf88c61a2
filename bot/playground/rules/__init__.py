"""Discord's limits on what clients send, with its error codes."""
