"""What an error of a device means: whether it is over with the call, or stays with the process. No torch."""

from __future__ import annotations

STAYS = ("cuda error", "hip error", "device lost", "device-side assert", "_status_execution_failed")


def is_shortage(error: BaseException) -> bool:
    """Whether an error is an allocator's refusal, on a GPU or on a CPU."""
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, RuntimeError) and any(word in text for word in words)


def stays(error: BaseException) -> bool:
    """Whether a device error stays with the process: every later call fails too, and only a new process is of use."""
    if is_shortage(error) or not isinstance(error, RuntimeError):
        return False
    text = str(error).lower()
    return type(error).__name__ == "AcceleratorError" or any(word in text for word in STAYS)
