from __future__ import annotations

import json

import pytest
from django.http import HttpResponse, HttpResponseNotAllowed
from django.test import Client, RequestFactory

from approvals import errors, problems
from approvals.problems import ProblemMiddleware, problem, refusal


def test_a_problem_says_what_happened_and_what_to_do() -> None:
    response = problem(409, "Too late", "Ask Anna.", headers={"Retry-After": "3"})
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "3"
    assert json.loads(response.content) == {
        "type": "about:blank", "title": "Too late", "status": 409, "detail": "Ask Anna.",
    }  # fmt: skip


def _all_refusals(base: type[errors.Refusal] = errors.Refusal) -> list[type[errors.Refusal]]:
    return [kind for sub in base.__subclasses__() for kind in (sub, *_all_refusals(sub))]


@pytest.mark.parametrize("kind", _all_refusals())
def test_every_refusal_of_the_desk_has_a_status(kind: type[errors.Refusal]) -> None:
    refused = kind({"title": "Shorten it."}) if kind is errors.InvalidFields else kind("No.")
    assert 403 <= refusal(refused).status_code <= 422


def test_a_refusal_without_a_status_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="has no status here"):
        refusal(errors.Refusal("No."))


def test_invalid_fields_are_listed() -> None:
    listed = json.loads(refusal(errors.InvalidFields({"a.0": "Shorten it."})).content)["errors"]
    assert listed == [{"field": "a.0", "message": "Shorten it."}]


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 418, 500, 503])
def test_any_error_under_the_api_is_reworded(status: int) -> None:
    page = HttpResponse("<h1>KeyError at /secret</h1>", status=status)
    response = ProblemMiddleware(lambda request: page)(RequestFactory().get("/api/v1/x"))
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert "secret" not in json.dumps(json.loads(response.content))  # type: ignore[attr-defined]


def test_a_reworded_refusal_keeps_which_methods_are_allowed() -> None:
    refused = HttpResponseNotAllowed(["GET"])
    response = ProblemMiddleware(lambda request: refused)(RequestFactory().put("/api/v1/x"))
    assert response["Allow"] == "GET"


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/requests/", HttpResponse("page", status=404)), ("/api/v1/x", HttpResponse("fine"))],
)
def test_pages_and_good_answers_are_left_alone(path: str, answer: HttpResponse) -> None:
    assert ProblemMiddleware(lambda request: answer)(RequestFactory().get(path)) is answer


def test_a_problem_is_not_worded_twice() -> None:
    said = problem(409, "Too late", "Ask Anna.")
    assert ProblemMiddleware(lambda request: said)(RequestFactory().get("/api/v1/x")) is said


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_unknown_api_address_is_a_problem_for_every_method(method: str) -> None:
    response = Client().generic(method, "/api/v1/nowhere/at/all", b"{}")
    assert (response.status_code, response["Content-Type"]) == (404, problems.CONTENT_TYPE)


def test_a_host_we_do_not_serve_is_a_problem_too() -> None:
    response = Client().get("/api/v1/openapi.json", headers={"host": "evil.example"})
    assert (response.status_code, response["Content-Type"]) == (400, problems.CONTENT_TYPE)
