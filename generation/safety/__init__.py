"""The gate: nothing leaves the engine that a checker did not approve."""
