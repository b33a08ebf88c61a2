"""The bot's own signing key, made at first start and kept in one file; former roots are kept to recognise old pictures.

provenance/signing.pem   key, certificate and root in service; readable by the owner alone
provenance/roots/*.pem   every root there ever was; public
"""

from __future__ import annotations

import datetime
import fcntl
import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from generation.errors import ConfigError
from generation.provenance.identity import Identity

log = logging.getLogger(__name__)

FOLDER = "provenance"  # inside the data folder
PRIVATE = 0o600
YEARS = 30  # signatures carry no trusted time, so a certificate must outlive the pictures it signed
CLOCK_SKEW = datetime.timedelta(days=1)


class Keyring:
    """The folder with the key and the roots. Blocking; every method may raise ConfigError."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "signing.pem"
        self._roots = folder / "roots"

    def open(self) -> Identity:
        """The identity in service, made now when there is none yet; two starts at once agree on one."""
        with self._alone():
            if self._file.exists():
                return self._read()
            identity = self._renew()
        log.info("Pictures are signed from now on as “%s”", identity.name)
        return identity

    def rotate(self) -> Identity:
        """A new key and root, in service from the next start; pictures of former ones are still recognised."""
        with self._alone():
            return self._renew()

    def roots(self) -> str:
        """PEM of every root this bot has had; empty before the first start."""
        try:
            return "".join(path.read_text(encoding="ascii") for path in sorted(self._roots.glob("*.pem")))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"The certificates in {self._roots} cannot be read; restore them or move them away."
            ) from error

    def _read(self) -> Identity:
        try:
            text = self._file.read_text(encoding="ascii")
            key = load_pem_private_key(text.encode(), password=None)
            leaf, root = x509.load_pem_x509_certificates(text.encode())
            leaf.verify_directly_issued_by(root)
            if key.public_key() != leaf.public_key():
                raise ValueError("the key does not belong to its certificate")
        except OSError as error:
            raise ConfigError(f"The signing key {self._file} cannot be read ({error.strerror}).") from error
        except Exception as error:  # whatever the parsers raise, the file is not what was written
            raise ConfigError(
                f"The signing key {self._file} is damaged; restore it from a backup, or move it away: "
                "a new one is made at the next start, and old pictures are still recognised."
            ) from error
        if self._file.stat().st_mode & 0o077:
            log.warning("%s could be read by others on this machine; now it cannot any more", self._file)
            self._file.chmod(PRIVATE)
        self._keep(root)
        return _identity(text, root)

    def _renew(self) -> Identity:
        text, root = _make()
        self._keep(root)  # first: nothing may be signed by a key whose root is not kept
        try:
            _write(self._file, text, PRIVATE)
        except OSError as error:
            raise _unwritable(self._file.parent, error) from error
        return _identity(text, root)

    def _keep(self, root: x509.Certificate) -> None:
        path = self._roots / f"{root.fingerprint(hashes.SHA256()).hex()[:16]}.pem"
        if path.exists():
            return
        try:
            self._roots.mkdir(exist_ok=True)
            _write(path, _pem(root), 0o644)
        except OSError as error:
            raise _unwritable(self._roots, error) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self._file.parent / ".lock").open("w")
        except OSError as error:
            raise _unwritable(self._file.parent, error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(f"The folder {folder} for the signing key cannot be written ({error.strerror}); check data_dir.")


def _make() -> tuple[str, x509.Certificate]:
    """A new chain; the root's own key is not kept, so that nothing else can ever be issued under it."""
    name = f"Atelier {secrets.token_hex(4)}"
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _begun(_named(name), _named(name), root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _begun(_named(f"{name} pictures"), root.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issues=False), critical=True)
        # C2PA takes no certificate without a purpose; this is the one that its own examples use.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return secret + _pem(leaf) + _pem(root), root


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - CLOCK_SKEW,
        not_valid_after=now + datetime.timedelta(days=365.25 * YEARS),
    )


def _named(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Atelier"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _identity(text: str, root: x509.Certificate) -> Identity:
    marker = "-----BEGIN CERTIFICATE"
    key, _, certificates = text.partition(marker)
    name = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return Identity(name=str(name), chain=marker + certificates, key=key)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all; never readable by more people than `mode` says, not even for a moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
