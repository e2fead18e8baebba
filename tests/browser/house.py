"""A house in full use: people of every role, and a request in every state there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from approvals import keeping, lifecycle
from approvals.clock import database_now
from approvals.keeping import Overlap
from approvals.lifecycle import Asked
from approvals.models import (
    ApprovalRequest,
    CallbackCheck,
    CallbackDelivery,
    CallbackSource,
    Circuit,
    ExecutionHistory,
    Heartbeat,
    KindRequirement,
    RequestKind,
    User,
)
from approvals.policy import Wanting
from approvals.states import (
    CallbackFinding,
    Channel,
    DeliveryState,
    OnTimeout,
    Verdict,
    Withdrawal,
)
from tests.browser import papers
from tests.factories import make_kind, make_request, make_source, make_team, make_user

Requests = dict[str, ApprovalRequest]
ARN = "arn:aws:lambda:eu-north-1:123456789012:function:"


class House:
    """People, sources and requests, found by a word for what each is."""

    def __init__(self) -> None:
        self.people = _people()
        self.shop, self.agents = _shop(self.people["mara"]), _agents()
        _kinds()
        self.requests: Requests = {}
        self._put_pending()
        self._put_unusual()
        self._put_held()
        self._put_talk()
        self._put_together()
        self._put_closed()
        self._put_undelivered()

    def address(self, name: str) -> str:
        return self.requests[name].get_absolute_url()

    def decide(
        self,
        name: str,
        who: str,
        verdict: Verdict = Verdict.APPROVED,
        comment: str = "",
        edits: Any = None,
    ) -> None:
        lifecycle.decide(
            self.requests[name].pk,
            verdict=verdict,
            reviewer=self.people[who],
            channel=Channel.BROWSER,
            comment=comment,
            edits=edits,
        )

    def arrive(self) -> None:
        """One more for Anna, while somebody looks at the queue."""
        self._put("news", "anna", title="Came later", timeout_seconds=600)

    def _put(
        self, name: str, *who: str, source: CallbackSource | None = None, **fields: Any
    ) -> int:
        people = [self.people[each] for each in who]
        request = make_request(*people, source=source or self.shop, **fields)
        self.requests[name] = request
        return request.pk

    def _put_pending(self) -> None:
        self._put("order", "anna", "bert", **papers.order(), execution_arn=_run("order", 1))
        self._put("agent", "anna", source=self.agents, **papers.agent_action())
        self._put("document", "anna", "bert", **papers.document())
        self._put("generic", "anna", **papers.generic())
        self._put("form", "anna", **papers.with_a_form())
        self._put("editable", "anna", **papers.editable())
        self._put("edited", "bert", "anna", **papers.editable(), required_approvals=2)
        self.decide("edited", "bert", edits={"/actions/0/arguments/amount": "280.80"})
        self._put(
            "teams",
            **papers.order("NO-10430", "9328.00"),
            groups=["finance", "security"],
            requirements=[
                {"group": "finance", "approvals": 1},
                {"group": "security", "approvals": 1},
            ],
        )
        self._put("payment", "anna", kind="payment", title="Pay Fjellstoff AS €1,190.00")
        self._put("bare", "anna", title="Restart the importer", payload={})
        self._put("raced", "anna", "bert", title="Release order NO-10433", timeout_seconds=7_200)
        _tell(self.requests["order"])
        alive = Heartbeat.objects.filter(request=self.requests["order"])
        now = database_now()
        alive.update(
            last_beat_at=now - timedelta(seconds=18),
            next_beat_at=now + timedelta(minutes=10),
            beats=40,
        )

    def _put_talk(self) -> None:
        """One that is talked about: a mention, a question that waits, one that is answered."""
        talk = self._put("talk", "anna", "bert", **papers.order("NO-10436", "812.00"))
        anna, bert = self.people["anna"], self.people["bert"]
        lifecycle.comment(talk, author=bert, text="I rang him twice: voicemail.")
        asked = lifecycle.comment(
            talk, author=anna, text="Is the second address his office?", asks_requester=True
        )
        lifecycle.answer(
            talk, asked.comment.public_id, text="Yes, since March.", answered_by="Otto, order desk"
        )
        lifecycle.comment(talk, author=anna, text="@bert then it is fine for me.\nFor you too?")
        lifecycle.comment(talk, author=bert, text="Who pays the express?", asks_requester=True)

    def _put_together(self) -> None:
        """Two of low risk, which may be decided together."""
        for number, total in enumerate(("84.90", "129.00")):
            paper = papers.order(f"NO-1044{number}", total) | {"risk": {"score": 12 + number}}
            self._put(f"low-{number}", "anna", "bert", **paper)

    def _put_unusual(self) -> None:
        held = self._put(
            "held", "anna", "bert", title="Release order NO-10434", timeout_seconds=900
        )
        lifecycle.claim(held, reviewer=self.people["bert"])
        self._put(
            "own", "anna", "bert", title="Pay for my trip", wanting=Wanting(requested_by="anna")
        )
        left = make_user("left")
        self.people["left"] = left
        self._put("nobody", "left", title="Close the books of October", timeout_seconds=3_000)
        User.objects.filter(pk=left.pk).update(is_active=False)
        self._put("missing", "anna", title="Refund ticket 23", execution_arn=_run("suppliers", 3))
        CallbackCheck.objects.create(
            request=self.requests["missing"],
            finding=CallbackFinding.MISSING,
            checked_at=database_now(),
        )
        late = self._put(
            "late", "anna", title="Change the bank account of Fjellstoff AS", timeout_seconds=9_000,
            heartbeat_timeout_seconds=60, execution_arn=_run("suppliers", 2),
        )  # fmt: skip
        Heartbeat.objects.filter(request=late).update(
            next_beat_at=database_now() - timedelta(minutes=4),
            misses=3,
            trouble="ThrottlingException",
        )
        self._put("half", "anna", "bert", title="Two must agree on this", required_approvals=2)
        self.decide("half", "anna")

    def _put_held(self) -> None:
        """Decided in the browser, and not sent for as long as somebody looks at it here."""
        make_kind(undo_seconds=30)
        for name, needed in (("pressed", 1), ("vote", 2), ("regretted", 1)):
            self._put(
                name, "anna", "bert", title=f"Release order NO-1043{len(self.requests)}",
                timeout_seconds=86_000, required_approvals=needed,
            )  # fmt: skip
            lifecycle.decide(
                self.requests[name].pk, verdict=Verdict.APPROVED, reviewer=self.people["anna"],
                channel=Channel.BROWSER, comment="Called the customer.", held=True,
            )  # fmt: skip
        make_kind(undo_seconds=0)
        until = database_now() + timedelta(hours=1)
        lasting = [self.requests[name].pk for name in ("pressed", "regretted")]
        ApprovalRequest.objects.filter(pk__in=lasting).update(held_until=until)

    def _put_closed(self) -> None:
        people = self.people
        for name in ("sending", "delivered", "rejected", "forced", "taken", "withdrawn", "expired"):
            self._put(
                name, "anna", "bert", title=f"Release order NO-105 ({name})", timeout_seconds=60
            )
        self.decide("sending", "anna")
        self._put("edits", "anna", **papers.editable())
        self.decide(
            "edits",
            "anna",
            edits={
                "/actions/0/arguments/amount": "280.80",
                "/actions/1/arguments/body": "Hi Ingrid,\n\nThank you for the tent. We have paid "
                "280.80, the price less wear.",
                "/restock": False,
            },
        )
        self.decide("delivered", "anna", comment="Called the customer; the address is right.")
        _settle(self.requests["delivered"], DeliveryState.DELIVERED, "accepted")
        self.decide("rejected", "anna", Verdict.REJECTED, "The address is wrong.")
        lifecycle.force(
            self.requests["forced"].pk, verdict=Verdict.REJECTED, operator=people["olu"],
            reason="Nobody is in, and the customer waits.", channel=Channel.BROWSER,
        )  # fmt: skip
        lifecycle.take_back(
            self.requests["taken"].pk, operator=people["olu"], reason="It was sent twice."
        )
        lifecycle.withdraw(
            self.requests["withdrawn"].pk, why=Withdrawal.SOURCE, reason="The customer cancelled."
        )
        self._put("elsewhere", "anna", title="Release order NO-106")
        lifecycle.withdraw(
            self.requests["elsewhere"].pk,
            why=Withdrawal.ELSEWHERE,
            reason="Answered outside the portal: "
            "the callback succeeded at 12:01:03 UTC on 21 November 2026.",
        )
        self._put("unconfirmed", "anna", title="Release order NO-107")
        self.decide("unconfirmed", "anna")
        _settle(self.requests["unconfirmed"], DeliveryState.UNCONFIRMED, "closed")
        after = timezone.now() + timedelta(hours=1)
        lifecycle.strike(self.requests["expired"].pk, now=after)

    def _put_undelivered(self) -> None:
        trouble = {
            "refused": "AccessDeniedException: User is not authorized to perform this action.",
            "closed": "CallbackTimeoutException: The callback has timed out.",
        }
        for name, detail in trouble.items():
            self._put(name, "anna", source=self.agents, title=f"Refund ticket 22 ({name})")
            self.decide(name, "anna")
            _settle(self.requests[name], DeliveryState.UNDELIVERABLE, name, detail)
        lifecycle.reassign(
            self.requests["document"].pk, operator=self.people["olu"],
            to=Asked(group="finance"), instead_of=None, reason="Finance pays for it.",
        )  # fmt: skip


def _people() -> dict[str, User]:
    people = {
        "anna": make_user("anna", groups=["finance", "order-desk"]),
        "bert": make_user("bert", groups=["security"]),
        "nina": make_user("nina"),
        "olu": make_user("olu", role="operator"),
        "audrey": make_user("audrey", role="auditor"),
        "mara": make_user("mara", role="admin"),
    }
    for name, last in {"anna": "Berg", "bert": "Okafor-Lindqvist", "mara": "Nair"}.items():
        people[name].last_name = last
        people[name].save(update_fields=["last_name"])
    return people


def _shop(admin: User) -> CallbackSource:
    source = make_source(
        "shop", name="Order fulfilment",
        function_arns=[f"{ARN}order-fulfilment", f"{ARN}suppliers"],
        role_arn="arn:aws:iam::123456789012:role/countersign-callbacks", external_id="shop-1",
    )  # fmt: skip
    keeping.make_secret("shop", admin=admin, overlap=Overlap.AT_ONCE)
    keeping.make_secret("shop", admin=admin, overlap=Overlap.HOUR)
    keeping.make_key("shop", purpose="requests", admin=admin, overlap=Overlap.AT_ONCE)
    keeping.give_role("shop", may="operate", group="security", admin=admin)
    keeping.give_role("shop", may="audit", username="nina", admin=admin)
    source.default_groups.add(make_team("order-desk"))
    return source


def _agents() -> CallbackSource:
    source = make_source("agents", name="Refund agents", active=False)
    now = database_now()
    Circuit.objects.create(
        source=source, failures=7, probes=4, opened_at=now - timedelta(minutes=3),
        probe_at=now + timedelta(minutes=2), detail="AccessDenied: AWS denies the portal this "
        "call. Allow it for the function in the role's policy.",
    )  # fmt: skip
    return source


def _kinds() -> None:
    for slug, label in {
        "generic": "Request", "order": "Order", "agent-action": "Agent action",
        "document": "Document",
    }.items():  # fmt: skip
        make_kind(slug, label=label)
    payment: RequestKind = make_kind(
        "payment", label="Payment", timeout_seconds=86_400, due_in_seconds=7_200, undo_seconds=10,
        reject_reasons=["Not in the budget", "Unknown supplier"], on_timeout=OnTimeout.LAPSE,
    )  # fmt: skip
    KindRequirement.objects.create(kind=payment, group=make_team("finance"), approvals=1)


def _run(function: str, number: int) -> str:
    name = {"order": "order-fulfilment"}.get(function, function)
    return f"{ARN}{name}:42/durable-execution/run-NO-{number}/4f7c1f0e-2f2a-3b5c-9a39-0d1f8a2a5b6c"


def _tell(request: ApprovalRequest) -> None:
    """The execution of REQUEST and its callback have been asked for at AWS."""
    assert request.execution is not None
    CallbackCheck.objects.create(
        request=request, finding=CallbackFinding.FOUND, timeout_seconds=28_800,
        checked_at=database_now(),
    )  # fmt: skip
    ExecutionHistory.objects.create(
        execution=request.execution,
        steps=papers.steps(database_now()),
        is_whole=False,
        read_at=database_now() - timedelta(seconds=40),
    )


def _settle(request: ApprovalRequest, state: DeliveryState, reply: str, detail: str = "") -> None:
    CallbackDelivery.objects.filter(request=request).update(
        state=state, last_reply=reply, detail=detail, settled_at=database_now(), attempts=3
    )
