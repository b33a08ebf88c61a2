"""The short-lived process that reads watermarks: the decoder needs torch, which the bot's own process never loads.

The folder of the weights, a line feed and a clean PNG on standard input; on standard output one JSON list with pairs of
whose and which. Nobody's own file comes here: it was decoded and written anew before.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

SECONDS = 60  # of computing
NICENESS = 5  # answering members comes first


def main() -> int:
    """Read what can be read; 0, or 1 with a sentence on standard error when the weights cannot be used."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    folder, _, png = sys.stdin.buffer.read().partition(b"\n")

    import torch

    from generation.engine.files import opened
    from generation.engine.watermark.seeking import Seeker
    from generation.errors import ConfigError

    torch.set_num_threads(1)
    try:
        found = Seeker.open(Path(os.fsdecode(folder))).seek(opened(png))
    except ConfigError as error:
        sys.stderr.write(error.sentence)
        return 1
    sys.stdout.write(json.dumps([[payload.issuer, payload.number] for payload in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
