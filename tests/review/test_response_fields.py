"""The sender's response form: native fields, exact numbers, sentences beside the field."""

from __future__ import annotations

import re
from typing import Any

import pytest

from approvals.models import CallbackDelivery, Decision
from approvals.review.response_fields import exact_number
from tests.factories import make_request, make_user
from tests.review.people import signed_in

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "note": {"type": "string", "maxLength": 10, "title": "Note for the customer"},
        "size": {"type": "string", "enum": ["small", "large"]},
        "weight": {"type": "number", "minimum": 0, "maximum": 10},
        "count": {"type": "integer"},
        "level": {"type": "integer", "enum": [1, 2]},
        "gift": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
    },
    "required": ["size"],
}

GERMAN = {"Accept-Language": "de"}


@pytest.mark.parametrize(
    ("digits", "number"),
    [("0.10", 0.1), ("1e3", 1000), ("-0.5", -0.5), ("12345678901234567890", 12345678901234567890)],
)
def test_a_number_keeps_its_value(digits: str, number: float) -> None:
    assert exact_number(digits) == number
    assert type(exact_number(digits)) is type(number)


@pytest.mark.parametrize("digits", ["NaN", "Infinity", "1e999999999", "0.1234567890123456789", "x"])
def test_a_number_that_would_be_rounded_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match="Write a number"):
        exact_number(digits)


def post(fields: dict[str, str], verdict: str = "approved"):
    anna = make_user()
    row = make_request(anna, response_schema=SCHEMA)
    return signed_in(anna).post(
        f"/requests/{row.public_id}/decide/", {"verdict": verdict, "comment": "x", **fields}
    )


@pytest.mark.django_db
def test_what_was_filled_in_is_sent_by_its_type() -> None:
    answer = post(
        {
            "values-note": "Hello",
            "values-size": "large",
            "values-weight": "2.50",
            "values-count": "7",
            "values-level": "2",
            "values-gift": "on",
            "values-day": "2026-11-20",
        }
    )
    assert answer.status_code == 303
    assert Decision.objects.get().values == {
        "note": "Hello",
        "size": "large",
        "weight": 2.5,
        "count": 7,
        "level": 2,
        "gift": True,
        "day": "2026-11-20",
    }


@pytest.mark.django_db
def test_what_was_left_empty_is_left_out_and_an_empty_box_is_false() -> None:
    assert post({"values-size": "small"}).status_code == 303
    assert Decision.objects.get().values == {"size": "small", "gift": False}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("size", "", "Choose one."),
        ("size", "huge", "Choose one of the list."),
        ("note", "far too long a note", "at most 10 characters"),
        ("weight", "heavy", "Write a number."),
        ("weight", "11", "Give 10 or less."),
        ("count", "1.5", "Write a whole number."),
        ("level", "3", "Choose one of the list."),
        ("day", "tomorrow", "Write it as 2026-11-20."),
    ],
)
def test_a_field_that_does_not_fit_says_so_beside_itself(
    name: str, value: str, sentence: str
) -> None:
    answer = post({"values-size": "small", f"values-{name}": value})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert f'id="id_values-{name}_error"' in answer.content.decode()
    assert not Decision.objects.exists()


@pytest.mark.django_db
def test_a_form_of_every_type_comes_back_with_what_was_typed_beside_what_is_wrong() -> None:
    typed = {"values-note": "Hello", "values-size": "large", "values-weight": "2.50",
             "values-count": "x", "values-level": "2", "values-gift": "on",
             "values-day": "2026-11-20"}  # fmt: skip
    text = post(typed).content.decode()
    assert text.count("Write a number.") == 2  # above the form, and beside the field
    for kept in ('value="Hello"', 'value="large" selected', 'value="2.50"', 'value="x"',
                 'value="2" selected', "checked", 'value="2026-11-20"'):  # fmt: skip
        assert kept in text, kept


@pytest.mark.django_db
def test_lines_end_alike_and_a_default_of_several_lines_keeps_them() -> None:
    anna = make_user()
    note = {"type": "string", "default": "Dear\nIngrid", "maxLength": 13}
    row = make_request(anna, response_schema={"type": "object", "properties": {"note": note}})
    client = signed_in(anna)
    text = client.get(row.get_absolute_url()).content.decode()
    assert re.search(r"<textarea name=\"values-note\"[^>]*>\s*Dear\nIngrid</textarea>", text)
    # 13 characters as a browser counts them; it sends 14.
    fields = {"verdict": "approved", "values-note": "Dear\r\nIngrid B"}
    assert client.post(f"/requests/{row.public_id}/decide/", fields).status_code == 303
    assert Decision.objects.get().values == {"note": "Dear\nIngrid B"}


@pytest.mark.django_db
def test_a_senders_words_about_a_field_are_shown_as_they_are() -> None:
    anna = make_user()
    asked = {"type": "string", "title": "No\u202ete", "description": "Write <none> if < 5 & > 3."}
    row = make_request(anna, response_schema={"type": "object", "properties": {"n": asked}})
    text = signed_in(anna).get(row.get_absolute_url()).content.decode()
    assert "Write &lt;none&gt; if &lt; 5 &amp; &gt; 3." in text
    assert "No[U+202E]te" in text


@pytest.mark.django_db
def test_everybody_reads_what_was_filled_in_by_its_label() -> None:
    anna, bert = make_user(), make_user()
    row = make_request(anna, bert, response_schema=SCHEMA)
    fields = {
        "verdict": "approved",
        "values-size": "small",
        "values-note": "Ring",
        "values-gift": "on",
    }
    signed_in(anna).post(f"/requests/{row.public_id}/decide/", fields)
    text = signed_in(bert).get(row.get_absolute_url()).content.decode()
    assert re.search(r"<dt>Note for the customer</dt><dd[^>]*>Ring</dd>", text)
    assert re.search(r"<dt>Gift</dt><dd[^>]*>Yes</dd>", text)


@pytest.mark.django_db
def test_a_whole_number_beyond_a_float_leaves_as_it_was_typed() -> None:
    assert post({"values-size": "small", "values-count": "9007199254740993"}).status_code == 303
    assert '"count":9007199254740993' in CallbackDelivery.objects.get().body.decode()


@pytest.mark.django_db
def test_a_rejection_needs_no_values_and_sends_none() -> None:
    assert post({"values-weight": "heavy"}, "rejected").status_code == 303
    assert Decision.objects.get().values == {}


@pytest.mark.django_db
def test_the_form_is_there_with_labels_and_without_bounds_guessed() -> None:
    anna = make_user()
    row = make_request(anna, response_schema=SCHEMA)
    text = signed_in(anna).get(row.get_absolute_url()).content.decode()
    assert "Note for the customer" in text
    assert 'type="date"' in text
    assert 'step="any"' in text


@pytest.mark.django_db
def test_a_thousand_written_the_german_way_is_not_taken_for_one() -> None:
    anna = make_user()
    client, wish = signed_in(anna), {"verdict": "approved", "values-size": "large"}
    row = make_request(anna, response_schema=SCHEMA)
    url = f"/requests/{row.public_id}/decide/"
    answer = client.post(url, {**wish, "values-weight": "1.234"}, headers=GERMAN)
    assert answer.status_code == 422
    assert "schreiben Sie 1234 oder 1.2340" in answer.content.decode()
    again = client.post(url, {**wish, "values-weight": "1.2340"}, headers=GERMAN)
    assert again.status_code == 303
    assert Decision.objects.get().values["weight"] == 1.234


@pytest.mark.django_db
def test_what_the_sender_filled_in_is_taken_as_it_stands_in_any_language() -> None:
    anna = make_user()
    asked = {"type": "object", "properties": {"rate": {"type": "number", "default": 1.234}}}
    row = make_request(anna, response_schema=asked)
    wish = {"verdict": "approved", "values-rate": "1.234"}
    url = f"/requests/{row.public_id}/decide/"
    assert signed_in(anna).post(url, wish, headers=GERMAN).status_code == 303
    assert Decision.objects.get().values["rate"] == 1.234
