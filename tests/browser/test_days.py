"""A day of each who comes to the portal, where no story of a single page tells it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from playwright.sync_api import Page, expect

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, CallbackDelivery, CallbackSource, RequestKind, User
from approvals.states import Channel, DeliveryState, RequestState, Verdict
from tests.factories import make_kind, make_request, make_source, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)

CALLBACKS, DELIVERIES = "/operations/callbacks/", "/operations/deliveries/"
NEW_PASSWORD = "another long enough phrase"
#: A form's press, sent from the page itself: with its cookies and its token.
_POST = """async (address) => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "X-CSRFToken": token };
  const answer = await fetch(address, { method: "POST", headers, redirect: "manual" });
  return answer.status;
}"""


@pytest.fixture
def anna() -> User:
    return make_user("anna", groups=["finance"])


@pytest.fixture
def order(anna: User) -> ApprovalRequest:
    bert = make_user("bert", groups=["security"])
    source = make_source("shop", name="Order fulfilment")
    return make_request(
        anna, bert, source=source, title="Release order NO-10428", timeout_seconds=3_600
    )


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).first.click()


def approve(visit: Any, request: ApprovalRequest, who: str) -> Page:
    visitor = visit()
    visitor.sign_in(who)
    page: Page = visitor.go(request.get_absolute_url())
    press(page, "Approve")
    return page


def test_a_stranger_finds_nothing_but_the_sign_in_page(visit: Any, order: ApprovalRequest) -> None:
    visitor = visit()
    pages = ["/", "/requests/", order.get_absolute_url(), "/tokens/", CALLBACKS, DELIVERIES]
    pages += ["/operations/sources/shop/", "/operations/kinds/", "/accounts/password/change/"]
    for path in [*pages, "/admin/", "/admin/approvals/user/"]:
        page = visitor.go(path)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_text("Release order")).to_have_count(0)
        expect(page.get_by_role("navigation")).to_have_count(0)


def test_who_is_not_asked_cannot_tell_a_request_from_none(
    visit: Any, order: ApprovalRequest
) -> None:
    make_user("nina")
    visitor = visit()
    visitor.sign_in("nina")
    for path in [order.get_absolute_url(), f"/requests/{UUID(int=7)}/", CALLBACKS]:
        page = visitor.go(path)
        expect(page.get_by_role("heading", name="There is nothing here for you")).to_be_visible()


def test_two_teams_each_approve_in_their_own_browser(visit: Any, order: ApprovalRequest) -> None:
    teams = ["finance", "security"]
    joint = make_request(
        title="Goods on credit",
        groups=teams,
        requirements=[{"group": team, "approvals": 1} for team in teams],
    )
    page = approve(visit, joint, "anna")
    expect(page.locator("#panel")).to_contain_text("You approved this")
    expect(page.locator("#panel")).to_contain_text("1 of security")
    expect(page.locator("#decide-form")).to_have_count(0)
    page = approve(visit, joint, "bert")
    expect(page.get_by_role("heading", name="Approved by")).to_be_visible()
    joint.refresh_from_db()
    assert joint.state == RequestState.APPROVED


def test_a_reviewer_changes_the_password_and_is_out_elsewhere_alone(
    visit: Any, order: ApprovalRequest
) -> None:
    here, elsewhere = visit(), visit()
    elsewhere.sign_in("anna")
    page = here.sign_in("anna")
    press(page, "Anna")
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill("a long enough password")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password, again").fill(NEW_PASSWORD)
    press(page, "Change password")
    expect(page.get_by_text("Every other browser is signed out.")).to_be_visible()
    expect(elsewhere.go("/requests/").get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_operator_finds_what_nobody_can_decide_and_asks_somebody(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    stranded = make_request(make_user("left"), source=order.source, title="Close the books")
    User.objects.filter(username="left").update(is_active=False)
    make_user("olu", role="operator")
    page = visit().sign_in("olu")
    page.get_by_role("link", name="Callbacks").click()
    page.get_by_role("link", name="Nobody can decide").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Close the books").click()
    expect(page.get_by_text("Nobody can decide this any more.")).to_be_visible()
    page.locator("#operate > summary").click()
    page.get_by_text("Ask others…").click()
    page.get_by_label("Ask", exact=True).select_option("Anna (anna)")
    page.locator("#reassign-reason").fill("They left.")
    press(page, "Ask them")
    expect(page.get_by_text("anna is asked now.")).to_be_visible()
    page.get_by_role("link", name="Callbacks").click()
    page.get_by_role("link", name="Nobody can decide").click()
    expect(page.get_by_text("Somebody can decide each of them")).to_be_visible()
    approve(visit, stranded, "anna")


def test_an_operator_takes_a_request_back(visit: Any, order: ApprovalRequest) -> None:
    make_user("olu", role="operator")
    visitor = visit()
    visitor.sign_in("olu")
    page = visitor.go(order.get_absolute_url())
    page.locator("#operate > summary").click()
    page.get_by_text("Take it back…").click()
    page.locator("#take-back-reason").fill("It was sent twice.")
    press(page, "Take it back")
    expect(page.get_by_text("is taken back")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("It was sent twice.")
    expect(page.locator("#operate")).to_have_count(0)


def test_an_auditor_sees_everything_and_changes_nothing(
    visit: Any, anna: User, order: ApprovalRequest
) -> None:
    closed = make_request(anna, source=order.source, title="Release order NO-2")
    lifecycle.decide(closed.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER)
    CallbackDelivery.objects.update(
        state=DeliveryState.UNDELIVERABLE, last_reply="refused", settled_at=database_now()
    )
    make_user("audrey", role="auditor")
    visitor = visit()
    visitor.sign_in("audrey")
    source, kind = "/operations/sources/shop/", "/operations/kinds/generic/"
    requests = [order.get_absolute_url(), closed.get_absolute_url()]
    for path in [*requests, CALLBACKS, DELIVERIES, source, kind, "/requests/?view=all"]:
        page = visitor.go(path)
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator("main form[method=post], main [hx-post]")).to_have_count(0)
        expect(page.locator("main button[type=submit]")).to_have_count(0)
    expect(visitor.go(requests[1]).locator("#history")).to_contain_text("Anna approved this")
    for path in _presses(order, closed):
        assert page.evaluate(_POST, path) == 403, path
    assert visitor.go(f"{source}change/").get_by_text("You may not do this").is_visible()
    order.refresh_from_db()
    assert order.is_pending
    assert CallbackSource.objects.get().active


def _presses(order: ApprovalRequest, closed: ApprovalRequest) -> list[str]:
    """Every press there is upon what the auditor sees."""
    source, of_order = "/operations/sources/shop", f"/operations/requests/{order.public_id}"
    return [
        *(f"{of_order}/{verb}/" for verb in ("reassign", "take-back", "force")),
        *(f"{source}/{verb}/" for verb in ("disable", "secrets", "keys", "roles", "change")),
        f"{DELIVERIES}redrive/",
        f"{DELIVERIES}{closed.public_id}/redrive/",
        "/operations/sources/new/",
        "/operations/kinds/new/",
        "/operations/kinds/generic/change/",
    ]


@pytest.fixture
def mara(order: ApprovalRequest) -> User:
    make_team("security")
    person = make_user("mara", role="admin")
    person.is_staff = True
    person.save(update_fields=["is_staff"])
    ours = ContentType.objects.get_for_model(User)
    names = ["view_user", "change_user"]
    rights = Permission.objects.filter(content_type=ours, codename__in=names)
    person.groups.get(name="admin").permissions.add(*rights)
    return person


def test_an_admin_disables_a_source_and_gives_a_kind_its_rules(
    visit: Any, mara: User, order: ApprovalRequest
) -> None:
    make_kind("payment", label="Payment")
    visitor = visit()
    page = visitor.sign_in("mara")
    visitor.go("/operations/sources/shop/")
    press(page, "Disable Order fulfilment")
    expect(page.get_by_text("This source is disabled.")).to_be_visible()
    assert not CallbackSource.objects.get().active
    press(page, "Enable Order fulfilment")
    expect(page.get_by_text("This source is disabled.")).to_have_count(0)
    page = visitor.go("/operations/kinds/payment/change/")
    page.get_by_label("of the team").first.select_option("security")
    page.get_by_label("Reasons for rejecting").fill("Not in the budget\nUnknown supplier")
    press(page, "Save the changes")
    expect(page.get_by_role("definition").filter(has_text="1 of security")).to_be_visible()
    kind = RequestKind.objects.get(slug="payment")
    assert kind.reject_reasons == ["Not in the budget", "Unknown supplier"]


def test_who_is_deactivated_is_out_everywhere_at_once(
    visit: Any, mara: User, anna: User, order: ApprovalRequest
) -> None:
    laptop, phone = visit(), visit()
    page = laptop.sign_in("anna")
    laptop.go(order.get_absolute_url())
    phone.sign_in("anna")
    admin = visit()
    admin.sign_in("mara")
    form = admin.go(f"/admin/approvals/user/{anna.pk}/change/")
    form.get_by_label("Active").uncheck()
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form.get_by_text("was changed successfully")).to_be_visible()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(phone.go("/requests/").get_by_role("heading", name="Sign in")).to_be_visible()
    order.refresh_from_db()
    assert order.is_pending
