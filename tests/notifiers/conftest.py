"""A running fake Slack, and deliveries to send there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    fake = FakeSlack(clock=datetime(2026, 5, 17, 15, 5, tzinfo=UTC).timestamp())
    with fake.running():
        yield fake
