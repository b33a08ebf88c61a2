"""Benchmarks that a stranger can rerun: the worker, curves, traces, identity and stages."""
