"""The signing key: made once, whoever starts first; private; damaged files are said and nothing is made over them."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from generation.errors import ConfigError
from generation.provenance.identity import Identity
from generation.provenance.keyring import Keyring

OPEN = "import sys, pathlib; from generation.provenance.keyring import Keyring\n"
OPEN += "sys.stdin.readline(); print(Keyring(pathlib.Path(sys.argv[1])).open().name)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "provenance"


def root_of(identity: Identity) -> str:
    """Its PEM: the last of the chain."""
    return "-----BEGIN" + identity.chain.rpartition("-----BEGIN")[2]


def test_it_is_made_at_first_start_and_stays(folder: Path) -> None:
    first = Keyring(folder).open()
    assert Keyring(folder).open() == first
    assert (folder / "signing.pem").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} == {".lock", "signing.pem", "roots"}
    assert "PRIVATE" not in first.chain + Keyring(folder).roots() + repr(first)
    assert Keyring(folder).roots() == root_of(first)


def test_the_certificates_are_what_c2pa_accepts(folder: Path) -> None:
    leaf, root = x509.load_pem_x509_certificates(Keyring(folder).open().chain.encode())
    leaf.verify_directly_issued_by(root)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_starts_at_once_agree_on_one_key(folder: Path) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for start in starts:  # all have come up by now, or will find the others at work
        assert start.stdin is not None
        start.stdin.write("\n")
        start.stdin.flush()
    names = {start.communicate(timeout=60)[0].strip() for start in starts}
    assert names == {Keyring(folder).open().name}
    assert len(list((folder / "roots").iterdir())) == 1


def test_rotation_keeps_the_former_roots(folder: Path) -> None:
    first = Keyring(folder).open()
    second = Keyring(folder).rotate()
    assert second.name != first.name
    assert Keyring(folder).open() == second
    assert root_of(first) in Keyring(folder).roots()
    assert root_of(second) in Keyring(folder).roots()


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: "",
        lambda text: "nonsense",
        lambda text: text[:400],
        lambda text: text.replace("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA"),
        lambda text: text[: text.index("-----BEGIN CERTIFICATE")],
        lambda text: "\xff\xfe" + text,
    ],
    ids=["empty", "nonsense", "cut off", "broken key", "no certificates", "no text"],
)
def test_a_damaged_key_is_said_and_left_alone(folder: Path, harm) -> None:
    Keyring(folder).open()
    damaged = harm((folder / "signing.pem").read_text()).encode("latin-1")
    (folder / "signing.pem").write_bytes(damaged)
    with pytest.raises(ConfigError, match=r"signing\.pem is damaged; restore it from a backup, or move it away"):
        Keyring(folder).open()
    assert (folder / "signing.pem").read_bytes() == damaged


def test_a_key_that_belongs_to_another_certificate_is_damaged(folder: Path, tmp_path: Path) -> None:
    mine, other = Keyring(folder).open(), Keyring(tmp_path / "other").open()
    (folder / "signing.pem").write_text(other.key + mine.chain)
    with pytest.raises(ConfigError, match="damaged"):
        Keyring(folder).open()


def test_a_key_that_was_taken_away_is_made_anew(folder: Path) -> None:
    first = Keyring(folder).open()
    (folder / "signing.pem").unlink()
    assert Keyring(folder).open() != first
    assert root_of(first) in Keyring(folder).roots()


def test_a_root_that_was_lost_is_kept_again(folder: Path) -> None:
    first = Keyring(folder).open()
    for path in (folder / "roots").iterdir():
        path.unlink()
    (folder / "roots").rmdir()
    assert Keyring(folder).open() == first
    assert Keyring(folder).roots() == root_of(first)


def test_roots_that_are_no_text_are_a_sentence(folder: Path) -> None:
    Keyring(folder).open()
    (folder / "roots" / "strange.pem").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read; restore them"):
        Keyring(folder).roots()


def test_a_key_that_others_could_read_is_closed_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    Keyring(folder).open()
    (folder / "signing.pem").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        Keyring(folder).open()
    assert "could be read by others" in caplog.text
    assert (folder / "signing.pem").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(ConfigError, match="cannot be written"):
        Keyring(tmp_path / "data" / "provenance").open()


def test_before_the_first_start_there_are_no_roots(folder: Path) -> None:
    assert Keyring(folder).roots() == ""
