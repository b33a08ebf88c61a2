"""The ways of serving a trace that are compared with each other: plain pipeline calls, batches, the roof, ours."""
