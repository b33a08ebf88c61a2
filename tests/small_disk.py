"""Disks that refuse writes for real: a process that may not write files, and a file system of a few megabytes."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def no_writes() -> Iterator[None]:
    """The kernel refuses every write of this process to a regular file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class SmallDisk:
    """A file system of its own at `folder`, which can be filled to its last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """No byte is left."""
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def empty(self) -> None:
        """There is room again."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self) -> None:
        """From now on; possible while no file is open."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)


@contextmanager
def unchangeable(folder: Path) -> Iterator[None]:
    """Nothing can be made or deleted in `folder`, which even root cannot help; skips where that is not known."""
    done = subprocess.run(["chattr", "-R", "+i", str(folder)], capture_output=True, check=False)
    try:
        if done.returncode:
            pytest.skip("this file system knows no files that stay as they are")
        yield
    finally:
        subprocess.run(["chattr", "-R", "-i", str(folder)], capture_output=True, check=False)


class FailingDisk:
    """An ext4 file system in a file, which can turn read-only at work, as the kernel does after an error."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder = folder
        self._image = image

    def mount(self) -> None:
        """At the start, and again once nothing uses it any more."""
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.folder)], check=True, capture_output=True)

    def unmount(self) -> None:
        """Nothing of it may be in use."""
        subprocess.run(["umount", str(self.folder)], check=True)

    def fail(self) -> None:
        """Read-only from now on, open files and all."""
        subprocess.run(["mount", "-o", "remount,abort", str(self.folder)], check=True)


@contextmanager
def a_failing_disk(folder: Path) -> Iterator[FailingDisk]:
    """Mounted at `folder`, which is made; skips where that is not allowed."""
    folder.mkdir(parents=True)
    image = folder.with_name(f"{folder.name}.ext4")
    with image.open("wb") as file:
        file.truncate(64 * 2**20)
    disk = FailingDisk(folder, image)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
        disk.mount()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be made and mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


@contextmanager
def a_small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mounted at `folder`, which is made; skips where mounting is not allowed."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here ({error.strerror})")
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
