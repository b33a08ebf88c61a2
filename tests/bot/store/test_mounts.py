"""Which file systems a database may lie on, told from what the kernel says of its mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store import opening
from bot.store.database import Database
from bot.store.mounts import kind_of, refuse_network
from generation.errors import ConfigError

MOUNTS = r"""
22 1 0:21 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b
23 22 0:22 / /home/art rw,relatime shared:1 - nfs4 server:/export rw,vers=4.2
24 22 0:23 / /home/art/local rw - ext4 /dev/sda1 rw
25 22 0:24 / /mnt/my\040share rw - cifs //nas/share rw
26 22 0:25 / /mnt/c rw - 9p drvfs rw,aname=drvfs
27 22 0:26 / /srv/remote rw - fuse.sshfs me@there:/srv rw
28 22 0:27 / /srv/host rw - virtiofs host rw
29 22 0:28 / /srv/mac rw - fuse.grpcfuse grpcfuse rw
30 22 0:29 / /twice rw - ext4 /dev/sdb1 rw
31 30 0:30 / /twice rw - nfs server:/twice rw
"""


@pytest.mark.parametrize(
    ("folder", "kind", "refused"),
    [
        ("/data", "overlay", False),
        ("/home/art/data", "nfs4", True),
        ("/home/art", "nfs4", True),
        ("/home/artist", "overlay", False),
        ("/home/art/local/data", "ext4", False),
        ("/mnt/my share/data", "cifs", True),
        ("/mnt/c/Users", "9p", False),
        ("/srv/remote/x", "fuse.sshfs", True),
        ("/srv/host/x", "virtiofs", False),
        ("/srv/mac/x", "fuse.grpcfuse", False),
        ("/twice/x", "nfs", True),
    ],
)
def test_the_mount_that_a_folder_lies_on(tmp_path: Path, folder: str, kind: str, refused: bool) -> None:
    assert kind_of(Path(folder), MOUNTS) == kind
    (tmp_path / "mountinfo").write_text(MOUNTS)
    if not refused:
        refuse_network(Path(folder), tmp_path / "mountinfo")
        return
    with pytest.raises(ConfigError, match=rf"network file system \({kind}\).*PostgreSQL") as told:
        refuse_network(Path(folder), tmp_path / "mountinfo")
    assert "\n" not in told.value.sentence


def test_this_machine_s_own_folder_and_one_without_a_list_of_mounts_pass(tmp_path: Path) -> None:
    assert not _is_refused(tmp_path)
    assert not _is_refused(tmp_path, tmp_path / "nothing")


def _is_refused(*places: Path) -> bool:
    try:
        refuse_network(*places)
    except ConfigError:
        return True
    return False


async def test_a_database_on_a_network_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mountinfo").write_text(f"1 0 0:1 / {tmp_path} rw - nfs4 server:/x rw\n")
    monkeypatch.setattr(opening, "refuse_network", lambda folder: refuse_network(folder, tmp_path / "mountinfo"))
    with pytest.raises(ConfigError, match="network file system"):
        async with Database(f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}", tmp_path):
            pass
    assert not (tmp_path / "atelier.sqlite").exists()
