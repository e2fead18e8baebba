"""What the database refuses, whoever writes it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import make_request, make_user

pytestmark = pytest.mark.django_db

REQUEST, ASSIGNMENT = "UPDATE approvals_approvalrequest", "UPDATE approvals_assignment"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("closed_at_iff_closed", f"{REQUEST} SET state = 'approved'"),
        ("closed_at_iff_closed", f"{REQUEST} SET closed_at = now()"),
        ("withdrawal_iff_withdrawn", f"{REQUEST} SET withdrawal = 'source'"),
        ("withdrawal_iff_withdrawn", f"{REQUEST} SET state = 'withdrawn', closed_at = now()"),
        ("assigned_to_a_user_or_a_group", f"{ASSIGNMENT} SET user_id = NULL"),
        (
            "assigned_to_a_user_or_a_group",
            f"{ASSIGNMENT} SET group_id = (SELECT min(id) FROM auth_group)",
        ),
    ],
)
def test_a_row_that_says_two_things_at_once_is_refused(name: str, words: str) -> None:
    make_request(make_user())
    with (
        pytest.raises(IntegrityError, match=name),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(words)
