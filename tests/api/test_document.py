"""The OpenAPI document, and the page for people made of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from approvals.api import api
from approvals.api.docs import operations
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
    assert {"200", "201", "400", "401", "403", "409", "411", "413", "415", "422"} == set(answers)
    assert set(answers["422"]["content"]) == {"application/problem+json"}


def test_the_page_names_every_field_of_an_open_request() -> None:
    opening = next(each for each in operations(api.get_openapi_schema()) if each.method == "POST")
    fields = {field.name: field for field in opening.body}
    assert fields["callback_id"].required
    assert fields["links[].url"].type == "string"
    assert fields["timeout_seconds"].type == "integer"
    assert "99999999 or less" in fields["timeout_seconds"].notes
    assert "one of failure, success" in fields["on_reject"].notes


def test_the_page_needs_no_script_and_no_style_of_its_own() -> None:
    response = Client().get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "Open a request" in page
    assert not re.search(r"<style|style=|onclick|<script(?![^>]*src=)", page)
    assert "default-src 'none'" in response["Content-Security-Policy"]
