"""File descriptors: how many are open, how many may be, and as many as the system allows from the start on."""

from __future__ import annotations

import logging
import os
import resource

from generation.errors import ConfigError

log = logging.getLogger(__name__)

PLENTY = 65_536  # more than any line of jobs needs
FEW = 256  # below it a busy bot may run out: connections, database, pictures on their way
LEAST = 128  # below it any bot would: Python 3.11 then fills the log with connections that it cannot accept


def raise_limit() -> int:
    """Raise the soft limit as far as the hard one allows; returns what holds.

    Warns where that is low, and raises ConfigError where it is too low to serve anybody.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = PLENTY if hard == resource.RLIM_INFINITY else min(hard, PLENTY)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < LEAST:
        raise ConfigError(f"Only {soft} files may be open at once; allow 1024 (ulimit -n, LimitNOFILE in systemd).")
    if soft != resource.RLIM_INFINITY and soft < FEW:
        log.warning("Only %d files may be open at once (ulimit -n); a busy bot needs some hundreds.", soft)
    return soft


def limit() -> int:
    """How many may be open at once."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def open_now() -> int:
    """How many are open; 0 where /proc is absent or none is left to look with."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # but for the one that is looking
    except OSError:
        return 0
