"""What an error of a device means: whether it is over with the call, or stays with the process. No torch."""

from __future__ import annotations

import errno

STAYS = ("cuda error", "hip error", "device lost", "device-side assert", "_status_execution_failed")


# What a system call says of a moment, and not of a file: a full disk, too many open files, no net.
PASSING = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EBUSY),
    *(errno.ESTALE, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.ENETUNREACH, errno.EHOSTUNREACH),
}
AWAY = ("ConnectionError", "ConnectError", "ConnectTimeout", "ReadTimeout", "Timeout", "LocalEntryNotFoundError")
BUSY = ("busy or unavailable", "all cuda-capable devices are busy")


def may_pass(error: BaseException) -> bool:
    """Whether what kept a model from being loaded may be over at the next try, by the whole chain of causes."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno in PASSING:
            return True
        status = getattr(getattr(link, "response", None), "status_code", 0)
        if type(link).__name__ in AWAY or status == 429 or status >= 500:
            return True
        if is_shortage(link) or any(word in str(link).lower() for word in BUSY):
            return True
        link = link.__cause__ or link.__context__
    return False


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
