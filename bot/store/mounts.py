"""Where a folder really lies: SQLite on a network file system can lose what was committed.

Its locks and its shared memory hold among the processes of one machine. Over NFS or SMB another machine sees neither,
and a server may have acknowledged what it has not written yet. What a container or a virtual machine has as its disk
(overlay, tmpfs, virtiofs, 9p, fuse.grpcfuse) looks like a network to it, but one kernel stands behind all of it: those
are allowed; and 9p is what Windows' folders are in WSL, slow but one machine too.
"""

from __future__ import annotations

import re
from pathlib import Path

from generation.errors import ConfigError

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "ncpfs", "afs", "coda", "ceph", "glusterfs", "lustre", "gpfs"}
    | {"beegfs", "pvfs2", "orangefs", "ocfs2", "gfs2", "davfs"}
)
# File systems in user space say what they are behind “fuse.”; these keep the files elsewhere.
NETWORK_FUSE = frozenset(
    {"sshfs", "s3fs", "rclone", "gcsfuse", "goofys", "geesefs", "davfs2", "davfs", "curlftpfs", "smbnetfs", "glusterfs"}
    | {"ceph", "ceph-fuse", "juicefs", "JuiceFS", "seaweedfs", "mfs", "moosefs", "blobfuse", "blobfuse2", "mount-s3"}
)


def refuse_network(folder: Path, mounts: Path = MOUNTS) -> None:
    """Raise ConfigError when `folder` lies on a network file system; where nobody says what it lies on, it may pass."""
    try:
        told = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = kind_of(folder.resolve(), told)
    if kind in NETWORK or kind.removeprefix("fuse.") in NETWORK_FUSE:
        raise ConfigError(
            f"The folder {folder} lies on a network file system ({kind}), where SQLite can lose data; choose a local"
            " folder for data_dir, or PostgreSQL with database_url."
        )


def kind_of(folder: Path, mounts: str) -> str:
    """The file system type of an absolute path, from the text of a mountinfo file; empty when it is in none of them."""
    found, depth = "", -1
    for line in mounts.splitlines():
        own, _, rest = line.partition(" - ")
        fields, kinds = own.split(" "), rest.split(" ")
        if len(fields) < 5:
            continue
        place = Path(_unescaped(fields[4]))
        if folder.is_relative_to(place) and len(place.parts) >= depth:  # of several in one place the last one is on top
            found, depth = kinds[0], len(place.parts)
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), text)
