from __future__ import annotations

import pytest

from approvals.models import CallbackSource, User
from tests.factories import make_source, make_user

ARN = "arn:aws:lambda:eu-north-1:123456789012:function:orders"


@pytest.fixture
def mara(transactional_db: None) -> User:
    return make_user("mara", role="admin")


@pytest.fixture
def orders(transactional_db: None) -> CallbackSource:
    return make_source("orders", name="Orders", function_arns=[ARN], allow_local_runner=False)
