from __future__ import annotations

import pytest

from approvals.models import User
from tests import factories
from tests.intake.sender import Sender, make_sender


@pytest.fixture
def anna(db: None) -> User:
    return factories.make_user("anna")


@pytest.fixture
def sender(anna: User) -> Sender:
    return make_sender()
