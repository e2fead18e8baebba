"""Bad input from a sender we know: a 4xx that says what to mend, and no row written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.canonical import canonical_json
from approvals.intake.reading import _content, read
from approvals.intake.schemas import RequestBody
from approvals.models import ApprovalRequest, AuditEvent, Execution, Heartbeat
from approvals.strict_json import parse_json
from tests import factories
from tests.intake.sender import Sender, order, problem_of


@pytest.fixture(autouse=True)
def _nothing_is_written(sender: Sender) -> Iterator[None]:
    yield
    for model in (ApprovalRequest, AuditEvent, Execution, Heartbeat):
        assert not model.objects.exists()


UNREADABLE = {
    "empty": b"",
    "not JSON": b"title=Release",
    "NaN": b'{"title": NaN}',
    "a key twice": b'{"title": "a", "title": "b"}',
    "deeply nested": b"[" * 100_000,
    "65 deep": b'{"payload":' * 65 + b"1" + b"}" * 65,
    "an escaped NUL": b'{"title": "\\u0000"}',
    "a lone surrogate": b'{"title": "\\ud800"}',
    "not UTF-8": b'{"title": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a huge number": b'{"payload": {"n": ' + b"9" * 5_000 + b"}}",
    "a huge exponent": b'{"payload": {"n": 1e999999999}}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_400(sender: Sender, body: bytes) -> None:
    problem_of(sender.post(body), 400)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"[{}]"])
def test_what_is_no_object_is_422(sender: Sender, body: bytes) -> None:
    assert problem_of(sender.post(body), 422)["errors"][0]["field"] == ""


def form(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"callback_id": None}, "callback_id"),
    ({"callback_id": ""}, "callback_id"),
    ({"callback_id": "a" * 1025}, "callback_id"),
    ({"callback_id": "abc\n"}, "callback_id"),
    ({"callback_id": "ab c"}, "callback_id"),
    ({"callback_id": "a==="}, "callback_id"),
    ({"callback_id": "ａｂｃ"}, "callback_id"),
    ({"callback_id": 7}, "callback_id"),
    ({"title": None}, "title"),
    ({"title": ""}, "title"),
    ({"title": "   "}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "two\nlines"}, "title"),
    ({"title": ["x"]}, "title"),
    ({"titel": "x"}, "titel"),
    ({"state": "approved"}, "state"),
    ({"kind": "No Such"}, "kind"),
    ({"kind": "unheard-of"}, "kind"),
    ({"summary": "x" * 10_001}, "summary"),
    ({"payload": []}, "payload"),
    ({"payload": "text"}, "payload"),
    ({"payload": {"x": "y" * 131_072}}, "payload"),
    ({"links": {}}, "links"),
    ({"links": [{"label": "a", "url": "https://a.example"}] * 11}, "links"),
    ({"links": [{"label": "a"}]}, "links.0.url"),
    ({"links": [{"label": "a", "url": "https://a.example", "rel": "x"}]}, "links.0.rel"),
    *(
        ({"links": [{"label": "a", "url": url}]}, "links.0.url")
        for url in [
            "http://a.example", "javascript:alert(1)", "//a.example", "https://", "https:///x",
            "https://user@a.example", "https://u:p@a.example", "https://a.example/ x",
            "https://a.example/\t", "https://a.example\\@b.example", "https://[::1", "ftp://a",
            "https://a.example:99999", "HTTPS://a.example/\u0085", "data:text/html,x",
            "https://a.example/" + "x" * 2_048,
        ]
    ),
    ({"risk": {}}, "risk.score"),
    ({"risk": {"score": 101}}, "risk.score"),
    ({"risk": {"score": -1}}, "risk.score"),
    ({"risk": {"score": True}}, "risk.score"),
    ({"risk": {"score": "72"}}, "risk.score"),
    ({"risk": {"score": 5, "reasons": [{"points": 3}]}}, "risk.reasons.0.text"),
    ({"checks": [{"text": "a", "passed": "yes"}]}, "checks.0.passed"),
    ({"checks": [{"text": "a", "passed": 1}]}, "checks.0.passed"),
    ({"checks": [{"text": "a", "passed": True}] * 21}, "checks"),
    ({"effects": [{"label": "a", "before": {}, "after": 1}]}, "effects.0.before"),
    ({"effects": [{"label": "a"}] * 21}, "effects"),
    ({"assignees": {}}, "assignees"),
    ({"assignees": {"users": []}}, "assignees"),
    ({"assignees": ["anna"]}, "assignees"),
    ({"assignees": {"users": "anna"}}, "assignees.users"),
    ({"assignees": {"users": ["anna", "nobody"]}}, "assignees.users"),
    ({"assignees": {"groups": ["no-such-group"]}}, "assignees.groups"),
    ({"assignees": {"groups": ["reviewer"]}}, "assignees.groups"),
    ({"assignees": {"groups": ["empty"]}}, "assignees"),
    ({"assignees": None}, "assignees"),
    ({"requested_by": "anna"}, "assignees"),
    ({"requested_by": ""}, "requested_by"),
    ({"on_behalf_of": 7}, "on_behalf_of"),
    ({"agent": "x" * 256}, "agent"),
    ({"required_approvals": 0}, "required_approvals"),
    ({"required_approvals": True}, "required_approvals"),
    ({"required_approvals": 1.0}, "required_approvals"),
    ({"required_approvals": 2}, "assignees"),
    ({"timeout_seconds": -1}, "timeout_seconds"),
    ({"timeout_seconds": 100_000_000}, "timeout_seconds"),
    ({"timeout_seconds": 10**30}, "timeout_seconds"),
    ({"timeout_seconds": "60"}, "timeout_seconds"),
    ({"timeout_seconds": 60.5}, "timeout_seconds"),
    ({"timeout_seconds": 1e300}, "timeout_seconds"),
    ({"heartbeat_timeout_seconds": False}, "heartbeat_timeout_seconds"),
    ({"due_in_seconds": 0}, "due_in_seconds"),
    ({"due_in_seconds": 3600}, "due_in_seconds"),
    ({"escalate_in_seconds": 3601}, "escalate_in_seconds"),
    ({"timeout_seconds": 0, "on_timeout": "fail"}, "on_timeout"),
    ({"timeout_seconds": None, "on_timeout": "lapse"}, "on_timeout"),
    ({"on_timeout": "explode"}, "on_timeout"),
    ({"on_reject": "Failure"}, "on_reject"),
    ({"on_reject": True}, "on_reject"),
    ({"on_reject": "failure", "reject_with": "no"}, "reject_with"),
    ({"reject_with": "no"}, "reject_with"),
    ({"on_reject": "success", "reject_with": ""}, "reject_with"),
    ({"approve_with": ""}, "approve_with"),
    ({"approve_with": {"ok": True}}, "approve_with"),
    ({"execution_arn": "orders"}, "execution_arn"),
    ({"execution_arn": "arn:aws:lambda:eu-west-1:1:function:f:1/durable-execution/a/b"},
     "execution_arn"),
    ({"execution_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f/durable-execution/a/b"},
     "execution_arn"),
    ({"if_approved": "x" * 501}, "if_approved"),
    ({"subject": ""}, "subject"),
    ({"editable": ["total"]}, "editable"),
    ({"editable": [""]}, "editable"),
    ({"editable": ["/nothing"]}, "editable"),
    ({"editable": ["/lines"], "payload": {"lines": [1]}}, "editable"),
    ({"editable": ["/lines/1"], "payload": {"lines": [1]}}, "editable"),
    ({"editable": ["/lines/00"], "payload": {"lines": [1]}}, "editable"),
    ({"editable": ["/lines/-1"], "payload": {"lines": [1]}}, "editable"),
    ({"editable": ["/total", "/total"]}, "editable"),
    ({"response_schema": []}, "response_schema"),
    ({"response_schema": {"type": "object"}}, "response_schema.properties"),
    ({"response_schema": form(a={"type": "boolean"}) | {"type": "array"}}, "response_schema.type"),
    ({"response_schema": form()}, "response_schema.properties"),
    ({"response_schema": form(**{f"f{n}": {"type": "boolean"} for n in range(11)})},
     "response_schema.properties"),
    ({"response_schema": form(a={"type": "string", "pattern": "(a+)+$"})},
     "response_schema.properties.a.pattern"),
    ({"response_schema": form(a={"$ref": "https://a.example"})}, "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "object", "properties": {}})},
     "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "string", "format": "email"})},
     "response_schema.properties.a.format"),
    ({"response_schema": form(a={"type": "string", "minLength": 3, "maxLength": 2})},
     "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "string", "enum": ["x"], "default": "y"})},
     "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "string", "enum": ["x", "x"]})},
     "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "string", "format": "date", "default": "soon"})},
     "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "number", "minimum": 2, "maximum": 1.5})},
     "response_schema.properties.a"),
    ({"response_schema": form(a={"type": "number", "minimum": "2"})},
     "response_schema.properties.a.minimum"),
    ({"response_schema": form(a={"type": "number", "default": True})},
     "response_schema.properties.a.default"),
    ({"response_schema": form(a={"type": "integer", "default": 10**30})},
     "response_schema.properties.a.default"),
    ({"response_schema": form(verdict={"type": "string"})}, "response_schema"),
    ({"response_schema": form(a={"type": "boolean"}) | {"required": ["b"]}}, "response_schema"),
    ({"response_schema": form(a={"type": "boolean"}) | {"allOf": []}}, "response_schema.allOf"),
    ({"response_schema": form(**{"a b": {"type": "boolean"}})},
     "response_schema.properties.a b.[key]"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "named"), BAD_FIELDS)
def test_a_bad_field_is_named_with_what_to_do(
    sender: Sender, fields: dict[str, Any], named: str
) -> None:
    Group.objects.create(name="empty")
    errors = problem_of(sender.open(**fields), 422)["errors"]
    assert [error["field"] for error in errors] == [named]


def test_missing_fields_are_all_named(sender: Sender) -> None:
    errors = problem_of(sender.post(b"{}"), 422)["errors"]
    assert [error["field"] for error in errors] == ["callback_id", "title"]


def test_a_hostile_body_is_not_echoed_at_length(sender: Sender) -> None:
    body = {f"{'x' * 400}{number}": 1 for number in range(300)}
    response = sender.post(json.dumps(body).encode())
    problem_of(response, 422)
    assert len(response.content) < 8_000


@pytest.mark.parametrize("signed", [True, False])
def test_a_body_over_256_kib_is_413_signed_or_not(sender: Sender, signed: bool) -> None:
    body = json.dumps(order(summary="x" * 262_144)).encode()
    problem_of(sender.post(body, headers=None if signed else {}), 413)


def test_a_declared_length_is_believed_before_a_byte_is_read(sender: Sender) -> None:
    response = Client().generic(
        "POST", sender.address, b"{}", content_type="application/json", CONTENT_LENGTH="262145"
    )
    problem_of(response, 413)


def test_a_body_of_exactly_256_kib_is_read(sender: Sender) -> None:
    body = b'{"title": "x"' + b" " * (262_144 - 14) + b"}"
    problem_of(sender.post(body), 422)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                     "application/json-seq", "application/xml; charset=utf-8"],
)  # fmt: skip
def test_another_content_type_is_415(sender: Sender, content_type: str) -> None:
    body = json.dumps(order()).encode()
    response = Client().generic(
        "POST", sender.address, body, content_type=content_type, headers=sender.signed(body)
    )
    problem_of(response, 415)


def test_a_compressed_body_is_415(sender: Sender) -> None:
    body = json.dumps(order()).encode()
    problem_of(sender.post(body, headers=sender.signed(body) | {"content-encoding": "gzip"}), 415)


def test_a_body_in_chunks_is_411(sender: Sender) -> None:
    problem_of(sender.post(b"", headers={"transfer-encoding": "chunked"}), 411)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_is_405(sender: Sender, method: str) -> None:
    response = Client().generic(method, sender.address, b"")
    problem_of(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from([*order(), "risk", "links", "editable", "kind"]), JSON)
fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@fuzzed
@given(body=st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_ever_a_crash(sender: Sender, body: bytes) -> None:
    assert sender.post(body).status_code in {400, 422}


@fuzzed
@given(fields=FIELDS)
def test_no_field_is_ever_a_crash(sender: Sender, fields: dict[str, Any]) -> None:
    body = {**order(), **fields, "required_approvals": 99}
    assert sender.post(json.dumps(body).encode()).status_code in {400, 422}


def test_nobody_eligible_is_named(sender: Sender) -> None:
    factories.make_user("olga", role="operator")
    problem_of(sender.open(assignees={"users": ["olga"]}), 422)


def test_the_content_of_a_message_is_told_by_the_canonical_json_of_all_it_says() -> None:
    for posted in (
        order(),
        order(payload={}),
        order(payload={"b": 1.50, "a": ['ø\u2028"\\']}, on_reject="success", title="Ærlig"),
        order(
            effects=[{"label": "Fee", "before": 1e16, "after": 0.1}],
            risk={"score": 3, "reasons": []},
            response_schema={"type": "object", "properties": {"b": {"type": "number"}}},
        ),
    ):
        body = read(RequestBody, parse_json(json.dumps(posted).encode()))
        said = canonical_json(body.model_dump(exclude_defaults=True))
        assert _content(body, canonical_json(body.payload)) == said
