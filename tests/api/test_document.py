"""The OpenAPI document, and the page for people made of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from approvals.api import api
from approvals.api.docs import Operation, operations
from approvals.states import (
    Channel,
    CommentKind,
    DeliveryState,
    OnReject,
    OnTimeout,
    RequestState,
    Verdict,
)
from tests.intake.sender import order


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return Client().get("/api/v1/openapi.json").json()


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_references, node))
    if isinstance(node, dict):
        return set().union({node["$ref"]} if "$ref" in node else set(),
                           *map(_references, node.values()))  # fmt: skip
    return set()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in _references(document):
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


def test_every_security_scheme_used_is_explained(document: dict[str, Any]) -> None:
    used = {
        name
        for methods in document["paths"].values()
        for operation in methods.values()
        for choice in operation.get("security", [])
        for name in choice
    }
    assert used <= set(document["components"]["securitySchemes"])


def _body_of_open(document: dict[str, Any]) -> dict[str, Any]:
    operation = document["paths"]["/api/v1/sources/{source}/requests"]["post"]
    schema: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def test_the_body_of_an_order_fits_the_document(document: dict[str, Any]) -> None:
    validator = Draft202012Validator(_body_of_open(document))
    assert validator.is_valid(order())
    assert not validator.is_valid(order(titel="x"))
    assert not validator.is_valid(order(callback_id="a b"))


def test_operations_refuse_with_problem_documents(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/v1/sources/{source}/requests"]["post"]["responses"]
    assert {
        "200", "201", "400", "401", "403", "409", "411", "413", "415", "422", "503",
    } == set(answers)  # fmt: skip
    assert set(answers["422"]["content"]) == {"application/problem+json"}


def test_every_operation_says_that_the_database_may_not_answer(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            answer = operation["responses"]["503"]
            assert answer["content"]["application/problem+json"] == {
                "schema": {"$ref": "#/components/schemas/Problem"}
            }
            assert answer["headers"]["Retry-After"]["schema"] == {"type": "integer"}


def test_the_page_names_every_field_of_an_open_request() -> None:
    opening = next(each for each in operations(api.get_openapi_schema()) if each.method == "POST")
    fields = {field.name: field for field in opening.body}
    assert fields["callback_id"].required
    assert fields["links[].url"].type == "string"
    assert fields["timeout_seconds"].type == "integer or null"
    assert "99999999 or less" in fields["timeout_seconds"].notes
    assert "one of failure, success" in fields["on_reject"].notes


WORDS = {
    ("OpenAnswer", "state"): RequestState.values,
    ("FollowAnswer", "outcome"): [word for word in RequestState.values if word != "pending"],
    ("DecisionAnswer", "verdict"): Verdict.values,
    ("DecisionAnswer", "channel"): Channel.values,
    ("HeldAnswer", "verdict"): Verdict.values,
    ("DeliveryAnswer", "state"): DeliveryState.values,
    ("Item", "state"): RequestState.values,
    ("Detail", "on_reject"): OnReject.values,
    ("Detail", "on_timeout"): OnTimeout.values,
    ("HeldOut", "verdict"): Verdict.values,
    ("DecisionOut", "verdict"): Verdict.values,
    ("DecisionOut", "channel"): Channel.values,
    ("DeliveryOut", "state"): DeliveryState.values,
    ("CommentOut", "kind"): CommentKind.values,
}


@pytest.mark.parametrize(("schema", "field"), WORDS, ids=".".join)
def test_a_field_that_is_one_of_few_words_says_which(
    document: dict[str, Any], schema: str, field: str
) -> None:
    known = document["components"]["schemas"]
    node = known[schema]["properties"][field]
    node = next((each for each in node.get("anyOf", []) if each != {"type": "null"}), node)
    if "$ref" in node:
        node = known[node["$ref"].rpartition("/")[2]]
    assert (node["type"], node["enum"]) == ("string", WORDS[schema, field])


def test_the_page_needs_no_script_and_no_style_of_its_own() -> None:
    response = Client().get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "Open a request" in page
    assert not re.search(r"<style|style=|onclick|<script(?![^>]*src=)", page)
    assert "default-src 'none'" in response["Content-Security-Policy"]


def _operation(summary: str) -> Operation:
    return next(each for each in operations(api.get_openapi_schema()) if each.summary == summary)


def test_the_page_says_which_fields_of_an_answer_may_be_null() -> None:
    answer = {field.name: field.type for field in _operation("Follow a request").answers[0].fields}
    assert answer["outcome"] == "string or null"
    assert answer["delivery"] == "object or null"
    assert answer["state"] == "string"
    assert answer["decisions"] == "list of object"


def test_the_page_gives_the_values_the_default_and_the_bounds_of_parameters() -> None:
    fields = {field.name: field for field in _operation("List requests").parameters}
    assert fields["state"].type == "string"
    assert "one of pending, approved" in fields["state"].notes
    assert fields["limit"].notes == "in the query; 1 or more; 200 or less; default 50"


def test_no_note_on_the_page_stops_in_the_middle() -> None:
    for operation in operations(api.get_openapi_schema()):
        answered = [field for answer in operation.answers for field in answer.fields]
        for field in [*operation.parameters, *operation.body, *answered]:
            assert field.notes == field.notes.strip(" ;"), field
            assert not field.notes.endswith("default"), field


def test_the_page_names_each_header_and_each_region_once() -> None:
    page = Client().get("/api/v1/docs").content.decode()
    for header in ("Bearer cst_…", "Bearer csk_…", "webhook-id, webhook-timestamp"):
        assert header in page
    labels = re.findall(r'role="region" aria-label="([^"]+)"', page)
    assert "Parameters of Open a request" in labels
    assert len(labels) == len(set(labels))


def test_the_page_explains_why_a_withdrawal_repeats_the_id() -> None:
    fields = {field.name: field for field in _operation("Withdraw a request").body}
    assert "as in the address" in fields["id"].notes
