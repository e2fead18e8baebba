"""The yardstick: the least Django app that takes a signed request, and a decision on it.

Plain views, no middleware. Taking: an HMAC over the body, three ORM inserts in one
transaction, a unique key against doubles. Deciding: a bearer token looked up by its hash,
the row locked and updated, three ORM inserts. Calling: the same decision, and after its
commit boto3 inside the request. `python -m bench.bare` makes its tables.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def _database(url: str) -> dict[str, object]:
    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts["user"],
        "PASSWORD": parts["password"],
        "HOST": parts["host"],
        "PORT": parts["port"],
        "CONN_MAX_AGE": 600,
    }


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": _database(os.environ["DATABASE_URL"])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
    USE_TZ=True,
)
django.setup()

# A Django app in one file: what follows needs the settings above.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402, TID251
from django.urls import path  # noqa: E402

KEY = base64.b64decode(os.environ["BARE_SECRET"].removeprefix("whsec_"))


class Approval(models.Model):
    source = models.CharField(max_length=63)
    callback_id = models.CharField(max_length=1024)
    title = models.CharField(max_length=200)
    payload = models.JSONField()
    state = models.CharField(max_length=10, default="pending")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager[Approval] = models.Manager()

    class Meta:
        app_label = "bare"
        constraints = [models.UniqueConstraint(fields=["source", "callback_id"], name="bare_once")]

    def __str__(self) -> str:
        return self.title


class Token(models.Model):
    sha256 = models.CharField(max_length=64, unique=True)
    reviewer = models.CharField(max_length=150)

    objects: models.Manager[Token] = models.Manager()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.reviewer


class Decision(models.Model):
    approval = models.ForeignKey(Approval, models.CASCADE)
    reviewer = models.CharField(max_length=150)
    verdict = models.CharField(max_length=10)
    comment = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager[Decision] = models.Manager()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.verdict


class Audit(models.Model):
    approval = models.ForeignKey(Approval, models.CASCADE)
    action = models.CharField(max_length=40)
    facts = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager[Audit] = models.Manager()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.action


class Outbox(models.Model):
    approval = models.ForeignKey(Approval, models.CASCADE)
    subject = models.CharField(max_length=200)
    owed_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager[Outbox] = models.Manager()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.subject


def open_approval(request: HttpRequest, source: str) -> HttpResponse:
    if not _is_signed(request):
        return JsonResponse({"error": "not signed"}, status=401)
    asked = json.loads(request.body)
    try:
        approval = _write(source, asked)
    except IntegrityError:
        return _answer({"state": "pending"}, 200)
    return _answer({"id": approval.pk, "state": "pending"}, 201)


def _is_signed(request: HttpRequest) -> bool:
    names = ("webhook-id", "webhook-timestamp")
    prefix = "".join(f"{request.headers[name]}." for name in names).encode()
    mac = base64.b64encode(hmac.digest(KEY, prefix + request.body, "sha256")).decode()
    return hmac.compare_digest(f"v1,{mac}", request.headers["webhook-signature"])


@transaction.atomic
def _write(source: str, asked: dict[str, object]) -> Approval:
    wanted = {name: asked[name] for name in ("callback_id", "title", "payload")}
    approval = Approval.objects.create(source=source, **wanted)
    Audit.objects.create(approval=approval, action="received", facts={"source": source})
    Outbox.objects.create(approval=approval, subject=str(asked["title"]))
    return approval


def decide_approval(request: HttpRequest, number: int) -> HttpResponse:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    owner = Token.objects.filter(sha256=hashlib.sha256(token.encode()).hexdigest()).first()
    if owner is None:
        return _answer({"error": "no such token"}, 401)
    asked = json.loads(request.body)
    approval = _decide(number, asked["verdict"], asked.get("comment", ""), owner.reviewer)
    if approval is None:
        return _answer({"error": "decided before"}, 409)
    if request.path.endswith("/call"):
        _aws().send_durable_execution_callback_success(
            CallbackId=approval.callback_id, Result=b'{"outcome": "approved"}'
        )
    return _answer({"id": number, "state": asked["verdict"]}, 200)


@lru_cache(maxsize=1)
def _aws() -> LambdaClient:
    """boto3 as the portal sets it up, without its outbox, queue and worker."""
    from bench.direct import client  # noqa: PLC0415 - only who calls needs boto3

    return client(os.environ["BENCH_CALLBACK_API"])


@transaction.atomic
def _decide(number: int, verdict: str, comment: str, reviewer: str) -> Approval | None:
    approval = Approval.objects.select_for_update().get(pk=number)
    if approval.state != "pending":
        return None
    approval.state = verdict
    approval.save(update_fields=["state"])
    Decision.objects.create(approval=approval, reviewer=reviewer, verdict=verdict, comment=comment)
    Audit.objects.create(approval=approval, action=verdict, facts={"reviewer": reviewer})
    Outbox.objects.create(approval=approval, subject=verdict)
    return approval


def _answer(content: dict[str, object], status: int) -> HttpResponse:
    response = JsonResponse(content, status=status)
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [
    path("healthz", lambda _request: HttpResponse("ok")),
    path("api/v1/sources/<slug:source>/requests", open_approval),
    path("api/v1/requests/<int:number>/decision", decide_approval),
    path("api/v1/requests/<int:number>/decision/call", decide_approval),
]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        for model in (Approval, Token, Decision, Audit, Outbox):
            editor.create_model(model)
    known = hashlib.sha256(os.environ["BARE_TOKEN"].encode()).hexdigest()
    Token.objects.create(sha256=known, reviewer="ada")
