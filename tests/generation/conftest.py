"""Runners and engines for the tests of `generation/`."""

from __future__ import annotations

import pytest
from generation_helpers import SCRIPTS, ScriptedRunner

from got_ocr2.config import GotOcr2Config


@pytest.fixture
def scripted(tiny_config: GotOcr2Config):
    """`scripted(scripts)`: a runner; pages are known by the order in which they are run first."""
    return lambda scripts=SCRIPTS: ScriptedRunner(tiny_config, scripts)


@pytest.fixture(params=["inline", "threaded"])
def threaded(request: pytest.FixtureRequest) -> bool:
    return request.param == "threaded"
