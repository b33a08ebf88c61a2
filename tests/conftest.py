"""What every test may ask for."""

from __future__ import annotations

import pytest

from tests.discord_document import Oracle, document_path


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """Discord's API document; tests that need it are skipped where it is absent."""
    try:
        return Oracle.load()
    except FileNotFoundError:
        pytest.skip(f"Discord's API document is not at {document_path()}; ATELIER_DISCORD_OPENAPI says where it is")
