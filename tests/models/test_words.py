"""What a search comes to, and what of a request it is compared with."""

from __future__ import annotations

import re
import string

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from approvals.models.words import BETWEEN, LONGEST_SEARCH, MOST_WORDS, Words, tidy
from tests.factories import make_request, make_source, make_user


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("ord ber", "'ord':* & 'ber':*"),
        ("NO-10428", "'NO':* & '10428':*"),
        ("2 tents", "'2' & 'tents':*"),
        ("berta@example.com", "'berta':* & 'example':* & 'com':*"),
        ("€4,146.50", "'4146':* & '50':*"),
        ("4.146,50 €", "'4146':* & '50':*"),
        ("1,234,567", "'1234567':*"),
        ("1.2.345", "'1' & '2' & '345':*"),
        ("ber ber", "'ber':*"),
        ("“Ærø”", "'Ærø':*"),
        ("مرحبا 🎉", "'مرحبا':* & '🎉':*"),
        ("ｆｕｌｌ", "'full':*"),
        (
            "arn:aws:lambda:eu-north-1:1:function:fn:7/durable-execution/run-1/0f9c berta",
            "'fn':* & '7' & 'run':* & '1' & 'berta':*",
        ),
        ("ord & !ber | (x <-> y):*", "'ord':* & 'ber':* & 'x' & 'y'"),
        ("'; DROP TABLE x; --\\", "'DROP':* & 'TABLE':* & 'x'"),
    ],
)
def test_a_search_is_cut_at_all_that_is_neither_letter_nor_digit(typed: str, asked: str) -> None:
    assert Words.of(typed).all == asked


@pytest.mark.parametrize(
    "typed", ["", "   ", string.punctuation, "\x00\x01", "“…”", "\u200f\u200b"]
)
def test_where_no_word_is_nothing_is_looked_for(typed: str) -> None:
    assert not Words.of(tidy(typed))


def test_a_public_id_and_the_address_of_a_page_name_one_request() -> None:
    name = "019ac9a4-7b6e-7c3d-8f00-0123456789ab"
    for typed in (name, name.upper(), f"https://portal/requests/{name}/?view=all"):
        assert str(Words.of(typed).public_id) == name
    assert Words.of(f"{name}0").public_id is None


def test_of_a_long_search_the_beginning_counts() -> None:
    assert len(tidy("x" * 500)) == LONGEST_SEARCH
    assert len(Words.of(" ".join(map(str, range(100, 200)))).queries) == MOST_WORDS


def test_what_no_page_can_show_is_left_out_of_a_search() -> None:
    assert tidy("  ord\x00er\n\ud800 berta ") == "ord er berta"


@pytest.mark.django_db
@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_search_the_database_reads(typed: str) -> None:
    words = Words.of(tidy(typed))
    with connection.cursor() as cursor:
        cursor.execute("SELECT numnode(lower(%s)::tsquery)", [words.all])
        assert cursor.fetchone()[0] == max(0, 2 * len(words.queries) - 1)


def words_of(request_id: int) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(approvals_words_of(%s))", [request_id])
        return set(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_request_is_cut_as_a_search_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'approvals_words_of'")
        assert BETWEEN in re.sub(r"'\s+'", "", cursor.fetchone()[0])


ARN = (
    "arn:aws:lambda:eu-north-1:111122223333:function:pricing-agent:7"
    "/durable-execution/spring-repricing-w47/0f9c"
)


@pytest.mark.django_db
def test_a_request_is_found_by_its_own_words_and_by_whom_and_what_it_concerns() -> None:
    bert = make_user("bert", groups=["desk"])
    source = make_source("shop", name="The Corner", function_arns=[ARN.split("/", maxsplit=1)[0]])
    row = make_request(
        bert,
        groups=["desk"],
        source=source,
        title="Release NO-10428 <b>now</b>",
        summary="Asked twice",
        payload={"customer": {"name": "Berta Olsen", "tags": ["späti", True]}, "total": 4146.50},
        execution_arn=ARN,
    )
    found = words_of(row.pk)
    assert found >= {
        *("release", "no", "10428", "b", "now", "asked", "twice"),
        *("berta", "olsen", "späti", "4146"),
        *("bert", "desk", "shop", "the", "corner"),
        *("pricing", "agent", "7", "spring", "repricing", "w47"),
    }
    # Neither the names of the payload's members nor what AWS is answered with.
    assert not found & {
        "customer",
        "name",
        "tags",
        "total",
        "true",
        "0f9c",
        "lambda",
        row.callback_id.lower(),
    }
    assert not any(row.callback_sha256.startswith(word) for word in found if len(word) > 8)


@pytest.mark.django_db
def test_of_a_large_payload_the_beginning_is_found() -> None:
    rows = [f"item{number:05}" for number in range(12_000)]
    found = words_of(make_request(make_user(), payload={"rows": rows}).pk)
    assert "item00000" in found
    assert "item11999" not in found


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value", ["x" * 100_000, "é" * 50_000, "a\u0001b \U0001f389 \u202e", "'\\"]
)
def test_any_payload_has_words(value: str) -> None:
    assert words_of(make_request(make_user(), payload={"text": value}).pk)
