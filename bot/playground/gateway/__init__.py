"""The gateway: what a client speaks over its WebSocket, and what it is told."""
