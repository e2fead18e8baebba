"""Every address of the door for every kind of caller; an address without a line fails."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from approvals.models import ApprovalRequest, AuditEvent, Comment, Decision, PersonalToken, User
from approvals.policy import Wanting
from approvals.review import api
from approvals.review.urls import urlpatterns
from tests.factories import make_request, make_token, make_user

pytestmark = pytest.mark.django_db

CALLERS = (
    "anonymous", "outsider", "asked", "requester", "operator", "auditor", "admin", "inactive",
)  # fmt: skip

SIGN_IN, NOT_FOUND, REFUSED = 302, 404, 403
READ = (SIGN_IN, 404, 200, 200, 200, 200, 200, SIGN_IN)
ANY = (SIGN_IN, 200, 200, 200, 200, 200, 200, SIGN_IN)
PRESS = (SIGN_IN, 404, 303, 403, 403, 403, 403, SIGN_IN)
#: Led on to what came of it, where each request says by itself what refused it.
TOLD = (SIGN_IN, 404, 303, 303, 303, 303, 303, SIGN_IN)

#: name: method, and the status for each caller in the order of CALLERS.
PAGES: dict[str, tuple[str, tuple[int, ...]]] = {
    "queue": ("get", ANY),
    "queue-news": ("get", ANY),
    "queue-filter": ("get", ANY),
    "save-view": ("post", (SIGN_IN, 303, 303, 303, 303, 303, 303, SIGN_IN)),
    "remove-view": ("post", (SIGN_IN, 404, 404, 404, 404, 404, 404, SIGN_IN)),
    "bulk": ("get", READ),
    "bulk-decide": ("post", TOLD),
    "bulk-results": ("get", READ),
    "bulk-undo": ("post", TOLD),
    "request": ("get", READ),
    "request-panel": ("get", READ),
    "request-toast": ("get", READ),
    "request-rows": ("get", READ),
    "decide": ("post", PRESS),
    "undo": ("post", (SIGN_IN, 404, 409, 409, 409, 409, 409, SIGN_IN)),  # nobody has decided
    "claim": ("post", PRESS),
    "release": ("post", (SIGN_IN, 404, 303, 303, 303, 303, 303, SIGN_IN)),
    "comment": ("post", (SIGN_IN, 404, 303, 303, 303, 403, 303, SIGN_IN)),
    "preferences": ("get", ANY),
    "tokens": ("get", ANY),
    "create-token": ("post", ANY),
    "revoke-token": ("post", (SIGN_IN, 404, 404, 404, 404, 404, 404, SIGN_IN)),
}
API: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "requests": ("get", "", (401, 200, 200, 200, 200, 200, 200, 401)),
    "request": ("get", "/{id}", (401, 404, 200, 200, 200, 200, 200, 401)),
    "decision": ("post", "/{id}/decision", (401, 404, 200, 403, 403, 403, 403, 401)),
    "undo": ("post", "/{id}/undo", (401, 404, 409, 409, 409, 409, 409, 401)),
    "comments": ("post", "/{id}/comments", (401, 404, 201, 201, 201, 403, 201, 401)),
    "audit": ("get", "/{id}/audit", (401, 404, 403, 403, 200, 200, 200, 401)),
}


@dataclass
class Scene:
    request: ApprovalRequest
    people: dict[str, User | None]
    tokens: dict[str, str]

    def client(self, caller: str) -> Client:
        client = Client()
        if person := self.people[caller]:
            client.force_login(person)
        return client


@pytest.fixture
def scene() -> Scene:
    people: dict[str, User | None] = {
        "anonymous": None,
        "outsider": make_user(),
        "asked": make_user("asked"),
        "requester": make_user("requester"),
        "inactive": make_user("inactive"),
        **{role: make_user(role=role) for role in ("operator", "auditor", "admin")},
    }
    asked = [people[name] for name in ("asked", "requester", "inactive")]
    request = make_request(
        *(person for person in asked if person),
        wanting=Wanting(requested_by="requester"),
        payload={"list": [1]},
        risk={"score": 10},
    )
    now = timezone.now()
    tokens = {name: make_token(person, now) for name, person in people.items() if person}
    return Scene(request, people, tokens)


def deactivate(scene: Scene) -> None:
    User.objects.filter(username="inactive").update(is_active=False)


def address(pattern: URLPattern, scene: Scene) -> str:
    where = "/" + str(pattern.pattern).replace("<uuid:public_id>", str(scene.request.public_id))
    others = PersonalToken.objects.get(user__username="asked").pk + 10_000
    listed = dict.fromkeys(("queue-news", "queue-filter", "save-view"), "?view=needs-me&since=0")
    named = {
        "request-rows": "?at=/list",
        "bulk": f"?id={scene.request.pk}",
        "bulk-results": f"?shown={scene.request.pk}",
    }
    query = (listed | named).get(str(pattern.name), "")
    return where.replace("<int:token_id>", str(others)).replace("<int:view_id>", "0") + query


def test_no_address_lacks_a_line_in_the_tables() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES)
    operations = api.router.path_operations.values()
    names = {found.url_name for view in operations for found in view.operations}
    assert names == set(API)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_a_page_answers_each_caller_as_its_line_says(
    scene: Scene, pattern: URLPattern, caller: str
) -> None:
    method, statuses = PAGES[str(pattern.name)]
    client = scene.client(caller)
    deactivate(scene)
    filled = {"verdict": "approved", "name": "x", "days": "1", "text": "x"}
    it = scene.request
    filled |= {"item": f"{it.pk}:{it.payload_sha256}:0", "shown": str(it.pk), "undo": "all"}
    body = filled if method == "post" else {}
    where = address(pattern, scene)
    answer = client.post(where, body) if method == "post" else client.get(where)
    assert answer.status_code == statuses[CALLERS.index(caller)]
    decides = caller == "asked" and pattern.name in {"decide", "bulk-decide"}
    assert Decision.objects.count() == decides


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", API)
def test_the_api_answers_each_caller_as_its_line_says(scene: Scene, name: str, caller: str) -> None:
    method, rest, statuses = API[name]
    deactivate(scene)
    where = "/api/v1/requests" + rest.format(id=scene.request.public_id)
    token = scene.tokens.get(caller)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    options: dict[str, Any] = {"headers": headers}
    if method == "post":
        posted = {"text": "x"} if name == "comments" else {"verdict": "approved"}
        options |= {"data": posted, "content_type": "application/json"}
    answer = getattr(Client(), method)(where, **options)
    assert answer.status_code == statuses[CALLERS.index(caller)]


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(scene: Scene, method: str) -> None:
    before = AuditEvent.objects.count()
    for caller in CALLERS:
        client = scene.client(caller)
        for pattern in urlpatterns:
            where = address(pattern, scene)
            for query in ("", "?verdict=approved&comment=x"):
                answer = getattr(client, method)(
                    where + ("" if "?" in where else query),
                    headers={"Purpose": "prefetch", "Sec-Purpose": "prefetch"},
                )
                assert answer.status_code in (200, 302, 404, 405)
    assert not Decision.objects.exists()
    assert not Comment.objects.exists()
    assert AuditEvent.objects.count() == before
    assert PersonalToken.objects.count() == len(scene.tokens)
    scene.request.refresh_from_db()
    assert scene.request.is_pending
    assert scene.request.claimed_by is None


def test_a_fragment_asked_for_after_signing_out_leads_to_the_sign_in(scene: Scene) -> None:
    answer = Client().get(
        f"/requests/{scene.request.public_id}/panel/",
        headers={
            "HX-Request": "true",
            "HX-Current-URL": f"http://testserver/requests/{scene.request.public_id}/",
        },
    )
    assert answer.status_code == 401
    sign_in = answer["HX-Redirect"]
    assert sign_in.startswith("/accounts/login/?next=%2Frequests%2F")


def test_an_unknown_view_is_not_found(scene: Scene) -> None:
    client = scene.client("asked")
    for query in ("view=x", "view=all", "cursor=x", "cursor=" + "A" * 5_000):
        assert client.get(f"/requests/?{query}").status_code == 404
    assert scene.client("operator").get("/requests/?view=all").status_code == 200
    assert client.get(f"/requests/{uuid.uuid4()}/").status_code == 404
