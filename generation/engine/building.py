"""One builder at a time: to save memory, the libraries patch torch for the whole process while they make a model.

A module that another thread makes in the meantime would come out without memory behind its weights.
"""

from __future__ import annotations

import threading

BUILDING = threading.RLock()
