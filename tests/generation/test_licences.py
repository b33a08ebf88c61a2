"""Licences by the names that model cards give them, and what a folder says of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from generation.known_models import LICENCES
from generation.licences import KNOWN, Commercial, licence_in, licence_named
from generation.models import STARTER, describe


@pytest.mark.parametrize(
    ("text", "licence_id", "restricted", "commercial"),
    [
        ("MIT", "mit", False, Commercial.YES),
        ("apache-2.0", "apache-2.0", False, Commercial.YES),
        ("creativeml-openrail-m", "openrail-m", True, Commercial.YES),
        ("CreativeML OpenRAIL++-M License", "openrail++-m", True, Commercial.YES),
        ("openrail++", "openrail++-m", True, Commercial.YES),
        ("flux-1-dev-non-commercial-license", "flux-dev", True, Commercial.NO),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", False, Commercial.NO),
        ("Somebody's own", "other somebodysown", False, Commercial.UNKNOWN),
        ("", "unknown", False, Commercial.UNKNOWN),
    ],
)
def test_names_of_licences(text: str, licence_id: str, restricted: bool, commercial: Commercial) -> None:
    licence = licence_named(text)
    assert (licence.id, licence.restricted, licence.commercial) == (licence_id, restricted, commercial)
    assert licence.known is not licence_id.startswith(("other", "unknown"))


def test_every_known_model_has_a_known_licence_with_a_text_to_read() -> None:
    for model, name in LICENCES.items():
        licence = licence_named(name)
        assert licence.known, (model, name)
        assert licence.url.startswith("https://"), name
    assert not licence_named(LICENCES["starter"]).restricted
    assert len({licence.id for licence in KNOWN}) == len(KNOWN)


def test_another_version_is_another_thing_to_agree_to() -> None:
    keys = {licence.key for licence in KNOWN if licence.restricted}
    assert len(keys) == sum(licence.restricted for licence in KNOWN)
    assert all(len(key) <= 100 for key in keys)


@pytest.mark.parametrize(
    ("files", "licence_id"),
    [
        ({"README.md": "---\ntags:\n- art\nlicense: creativeml-openrail-m\n---\n# A model"}, "openrail-m"),
        ({"README.md": "---\r\nlicense: 'openrail++'\r\n---\r\n"}, "openrail++-m"),
        ({"README.md": "---\nlicense: other\nlicense_name: flux-non-commercial-license\n---\n"}, "flux-non-commercial"),
        ({"LICENSE": "\n   Apache License\n   Version 2.0, January 2004"}, "apache-2.0"),
        ({"README.md": "# No head", "LICENSE.md": "Copyright 2022 …\nCreativeML Open RAIL-M\nOpenRAIL"}, "openrail-m"),
        ({"README.md": "license: mit"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_folder_says_its_licence(tmp_path: Path, files: dict[str, str], licence_id: str) -> None:
    folder = tmp_path / "ink"
    folder.mkdir()
    for name in ("model_index.json", "unet", "vae", "scheduler"):
        source = STARTER / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.safetensors"))
        else:
            shutil.copy(source, folder / name)
    for name, text in files.items():
        (folder / name).write_text(text)
    assert describe(str(folder)).terms.id == licence_id


def test_a_text_that_is_no_licence_is_none() -> None:
    assert licence_in("Roses are red") is None
