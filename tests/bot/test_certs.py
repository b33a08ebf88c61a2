"""`python -m bot certs`: the root for others to trust, and a new key."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from tests.bot.test_main import assert_one_sentence, bot


def test_the_certificates_from_the_command_line(tmp_path: Path) -> None:
    shown = bot("certs", "show", folder=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("Pictures are signed as “Atelier ")
    rotated = bot("certs", "rotate", folder=tmp_path)
    assert rotated.stdout.startswith("From the next start on, pictures are signed as “Atelier ")
    assert rotated.stdout.split("“")[1] != shown.stdout.split("“")[1]
    assert "Signatures of 1 former key are still recognised." in bot("certs", "show", folder=tmp_path).stdout
    pem = bot("certs", "show", "--pem", folder=tmp_path).stdout
    assert len(x509.load_pem_x509_certificates(pem.encode())) == 2
    assert "PRIVATE" not in pem


def test_a_damaged_key_stops_every_command_with_one_sentence(tmp_path: Path) -> None:
    assert bot("certs", "show", folder=tmp_path).returncode == 0
    (tmp_path / "data" / "provenance" / "signing.pem").write_text("nonsense")
    assert_one_sentence(bot("certs", "show", folder=tmp_path), "signing.pem is damaged")
    assert_one_sentence(bot("run", "--port", "0", folder=tmp_path), "signing.pem is damaged")
    assert bot("certs", "rotate", folder=tmp_path).returncode == 0  # the owner's way out
    assert bot("certs", "show", folder=tmp_path).returncode == 0
