"""Every page of the portal, in every state it has, and how one comes to see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.core import mail
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals.review import presence
from tests.browser.house import House

Then = Callable[[Page, House], None]


@dataclass(frozen=True)
class Screen:
    """A page as WHO sees it (empty: a stranger) after THEN; `@name` is that request's page,
    `{name}` its number."""

    name: str
    who: str
    path: str
    then: Then | None = None
    status: int = 200
    only: str = ""  # "wide" or "phone"

    def address(self, house: House) -> str:
        if self.path == "@reset-link":
            Client().post("/accounts/password/reset/", {"email": "nina@example.com"})
            found = next(w for w in str(mail.outbox[-1].body).split() if "/reset/key/" in w)
            return urlsplit(found).path
        path = re.sub(r"\{(.+?)\}", lambda found: str(house.requests[found[1]].pk), self.path)
        door, at, name = path.partition("@")
        name, ask, words = name.partition("?")
        return door + house.address(name) + ask + words if at else door


def press(button: str) -> Then:
    """Press BUTTON although the browser itself would ask for what is missing."""

    def then(page: Page, house: House) -> None:
        page.evaluate("for (const form of document.forms) form.noValidate = true")
        page.get_by_role("button", name=button).first.click()
        expect(page.get_by_role("alert").first).to_be_visible()

    return then


def opened(page: Page, house: House) -> None:
    """Every disclosure of the page."""
    if page.locator("#operate").count():
        page.locator("#operate > summary").click()
        expect(page.locator("#operate-forms details")).to_have_count(3)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def refused(verb: str) -> Then:
    """The operator's form of VERB, sent empty."""

    def then(page: Page, house: House) -> None:
        opened(page, house)
        form = page.locator(f"form[action$='/{verb}/']")
        form.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
        expect(page.get_by_role("alert").first).to_be_visible()

    return then


def menu(*names: str) -> Then:
    def then(page: Page, house: House) -> None:
        for name in names:
            page.get_by_role("button", name=name).click()

    return then


def somebody_is_faster(page: Page, house: House) -> None:
    page.get_by_label("Comment").fill("Out of stock")
    house.decide("raced", "bert")
    page.locator("#decide-form button[value=rejected]").click()
    expect(page.get_by_text("Somebody was faster.")).to_be_visible()


def news_came(page: Page, house: House) -> None:
    house.arrive()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.get_by_text("1 new request")).to_be_visible()


def keys_listed(page: Page, house: House) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def approve_chosen(page: Page, house: House) -> None:
    page.keyboard.press("a")
    expect(page.locator("#chosen")).to_be_visible()


def just_decided(page: Page, house: House) -> None:
    page.goto(f"{page.url}&decided={house.requests['half'].public_id}")
    expect(page.locator("#toast")).to_be_visible()


def filter_opened(page: Page, house: House) -> None:
    page.get_by_role("link", name="Filter").click()
    expect(page.get_by_label("Kind")).to_be_visible()


def saved(page: Page, house: House) -> None:
    page.get_by_label("Save it as").fill("Orders of the shop")
    page.get_by_role("button", name="Save view").click()
    page.goto(f"{page.url.split('/requests/')[0]}/requests/filter/?view=needs-me&kind=order")
    expect(page.get_by_role("button", name="Remove Orders of the shop")).to_be_visible()


def decided_elsewhere(page: Page, house: House) -> None:
    house.decide("held", "bert")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.locator(".row--decided")).to_be_visible()


def selected(page: Page, house: House) -> None:
    for name in ("low-0", "low-1", "order", "form", "bare"):
        page.get_by_label(f"Select {house.requests[name].title}", exact=True).check()
    expect(page.locator("#bulk-words")).to_have_text("5 selected")


def summed_up(page: Page, house: House) -> None:
    selected(page, house)
    page.get_by_role("button", name="Decide together").click()
    expect(page.get_by_role("heading", name="Decide 2 requests together")).to_be_visible()


def no_reason(page: Page, house: House) -> None:
    summed_up(page, house)
    press("Reject all 2")(page, house)


def decided_together(page: Page, house: House) -> None:
    summed_up(page, house)
    house.decide("low-1", "bert")
    page.locator("#decide-form button[value=approved]").click()
    expect(page.get_by_role("heading", name="1 of 2 requests decided")).to_be_visible()


def secret_made(page: Page, house: House) -> None:
    page.get_by_text("New signing secret…").click()
    page.get_by_label("The former ones end").first.select_option("at-once")
    page.get_by_role("button", name="Make the secret").click()
    expect(page.locator("#new-secret")).to_be_visible()


def token_made(page: Page, house: House) -> None:
    page.get_by_label("Name").fill("deploy script")
    page.get_by_role("button", name="Create the token").click()
    expect(page.locator("#new-token")).to_be_visible()


def cookies_gone(page: Page, house: House) -> None:
    page.context.clear_cookies()
    page.locator("[name=login]").fill("anna")
    page.locator("[name=password]").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="open for too long")).to_be_visible()


def held_toast(page: Page, house: House) -> None:
    page.goto(f"{page.url}&decided={house.requests['pressed'].public_id}")
    expect(page.locator("#toast").get_by_role("button", name="Undo")).to_be_visible()


def taken_back(page: Page, house: House) -> None:
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("Taken back.")).to_be_visible()


def somebody_looks(page: Page, house: House) -> None:
    looking = house.people["bert"]
    presence.look(house.requests["order"].public_id, looking, timezone.now())
    page.evaluate("document.body.dispatchEvent(new CustomEvent('awake'))")
    expect(page.get_by_text("looking at this too")).to_be_visible()


def portal_gone(page: Page, house: House) -> None:
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.get_by_text("The portal does not answer.")).to_be_visible()


def press_unheard(page: Page, house: House) -> None:
    page.route("**/decide/**", lambda route: route.fulfill(status=502, body="Bad gateway"))
    page.locator("#decide-form button[value=approved]").click()
    expect(page.get_by_text("may not have arrived")).to_be_visible()
    page.unroute("**/decide/**")  # the next screens have this page as well


def mentioned(page: Page, house: House) -> None:
    page.get_by_label("Message").fill("@carl and @bert, which depot?")
    page.get_by_role("button", name="Ask the requester").click()
    expect(page.get_by_text("@carl cannot see this request")).to_be_visible()


def filled(page: Page, house: House) -> None:
    page.get_by_label("Amount").fill("280.80")
    page.get_by_label("Body").fill("Hi Ingrid,\n\nThank you for the tent. We have paid 280.80.")
    page.get_by_label("Restock").select_option("No")
    expect(page.locator("[data-compared]")).to_be_visible()


def history_opened(page: Page, house: House) -> None:
    opened(page, house)
    expect(page.locator("#history .marked").first).to_be_visible()


def edited(page: Page, house: House) -> None:
    page.get_by_label("Amount").fill("280.80")
    page.get_by_label("Body").fill("Hi Ingrid,\n\nwe have paid 280.80, the price less wear.")
    page.get_by_label("Rate").fill("a tenth")
    expect(page.get_by_role("button", name="Approve with 3 edits").first).to_be_attached()
    page.locator("#decide-form button[value=approved]").click()
    expect(page.get_by_role("alert").first).to_be_visible()


_NOBODY = str(UUID(int=7))
_ACCOUNT = "/accounts/password/"

STRANGER = [
    Screen("sign-in", "", "/accounts/login/"),
    Screen("sign-in-wrong", "", "/accounts/login/", press("Sign in")),
    Screen("sign-in-too-late", "", "/accounts/login/", cookies_gone, 403),
    Screen("reset", "", f"{_ACCOUNT}reset/"),
    Screen("reset-wrong", "", f"{_ACCOUNT}reset/", press("Send the link")),
    Screen("reset-sent", "", f"{_ACCOUNT}reset/sent/"),
    Screen("reset-key", "", "@reset-link"),
    Screen("reset-key-wrong", "", "@reset-link", press("Set the password")),
    Screen("reset-key-old", "", f"{_ACCOUNT}reset/key/1-x/"),
    Screen("reset-done", "", f"{_ACCOUNT}reset/done/"),
    Screen("closed-account", "", "/accounts/inactive/"),
    Screen("stranger-404", "", "/nothing/", status=404),
]
REVIEWER = [
    Screen("queue", "anna", "/requests/"),
    Screen("queue-news", "anna", "/requests/", news_came),
    Screen("selected", "anna", "/requests/?view=needs-me", selected),
    Screen("bulk", "anna", "/requests/?view=needs-me", summed_up),
    Screen("bulk-mend", "anna", "/requests/?view=needs-me", no_reason, 422),
    Screen("bulk-none", "anna", "/requests/bulk/?view=needs-me"),
    Screen("bulk-results", "anna", "/requests/?view=needs-me", decided_together),
    Screen("account-menu", "anna", "/requests/", menu("Anna Berg"), only="wide"),
    Screen("rail", "mara", "/requests/", menu("Open menu"), only="phone"),
    Screen("rail-account", "mara", "/requests/", menu("Open menu", "Mara Nair"), only="phone"),
    Screen("my-teams", "anna", "/requests/?view=my-teams"),
    Screen("decided-by-me", "anna", "/requests/?view=decided-by-me"),
    Screen("queue-empty", "nina", "/requests/?view=needs-me"),
    Screen("my-teams-empty", "nina", "/requests/?view=my-teams"),
    Screen("decided-empty", "nina", "/requests/?view=decided-by-me"),
    Screen("queue-filter", "anna", "/requests/?view=needs-me", filter_opened),
    Screen("filter-page", "anna", "/requests/filter/?view=needs-me"),
    Screen("filter-saved", "anna", "/requests/filter/?view=needs-me&kind=order", saved),
    Screen("narrowed", "anna", "/requests/?view=needs-me&kind=order&due=later"),
    Screen("narrowed-to-none", "anna", "/requests/?view=needs-me&kind=nothing"),
    Screen("keys", "anna", "/requests/?view=needs-me", keys_listed, only="wide"),
    Screen("beside", "anna", "@order?view=needs-me"),
    Screen("beside-chosen", "anna", "@form?view=needs-me", approve_chosen, only="wide"),
    Screen("beside-toast", "anna", "@bare?view=needs-me", just_decided),
    Screen("beside-held", "anna", "@bare?view=needs-me", held_toast),
    Screen("beside-gone", "anna", "@bare?view=needs-me", portal_gone),
    Screen("beside-decided", "anna", "@sending?view=decided-by-me"),
    Screen("order", "anna", "@order"),
    Screen("order-seen-by-two", "anna", "@order", somebody_looks),
    Screen("order-gone", "anna", "@order", portal_gone),
    Screen("queue-gone", "anna", "/requests/", portal_gone),
    Screen("press-unheard", "anna", "@bare", press_unheard, 502),
    Screen("order-mend", "anna", "@order", press("Reject"), 422),
    Screen("agent", "anna", "@agent"),
    Screen("document", "anna", "@document"),
    Screen("generic", "anna", "@generic"),
    Screen("generic-opened", "anna", "@generic", opened),
    Screen("form", "anna", "@form"),
    Screen("form-mend", "anna", "@form", press("Approve"), 422),
    Screen("editable", "anna", "@editable"),
    Screen("editable-filled", "anna", "@editable", filled),
    Screen("editable-mend", "anna", "@editable", edited, 422),
    Screen("edited", "anna", "@edited"),
    Screen("edits", "anna", "@edits", history_opened),
    Screen("teams", "anna", "@teams"),
    Screen("payment", "anna", "@payment"),
    Screen("bare", "anna", "@bare"),
    Screen("talk", "anna", "@talk"),
    Screen("talk-said", "anna", "@talk", mentioned),
    Screen("talk-mend", "anna", "@talk", press("Comment"), 422),
    Screen("talk-read-only", "audrey", "@talk"),
    Screen("held", "anna", "@held"),
    Screen("pressed", "anna", "@pressed"),
    Screen("taken-back", "anna", "@regretted", taken_back),
    Screen("pressed-by-another", "bert", "@pressed"),
    Screen("vote", "anna", "@vote"),
    Screen("own", "anna", "@own"),
    Screen("late", "anna", "@late"),
    Screen("half", "anna", "@half"),
    Screen("raced", "anna", "@raced", somebody_is_faster, 409),
    Screen("queue-struck", "anna", "/requests/", decided_elsewhere),
    *(
        Screen(name, "anna", f"@{name}")
        for name in (
            "sending",
            "delivered",
            "rejected",
            "forced",
            "taken",
            "withdrawn",
            "expired",
            "elsewhere",
            "unconfirmed",
            "missing",
        )
    ),
    Screen("tokens-none", "nina", "/tokens/"),
    Screen("preferences", "anna", "/preferences/"),
    Screen("tokens-made", "anna", "/tokens/", token_made),
    Screen("tokens-mend", "anna", "/tokens/", press("Create the token"), 422),
    Screen("password", "anna", f"{_ACCOUNT}change/"),
    Screen("password-wrong", "anna", f"{_ACCOUNT}change/", press("Change password")),
    Screen("sign-out", "anna", "/accounts/logout/"),
    Screen("not-found", "anna", f"/requests/{_NOBODY}/", status=404),
]
OPERATOR = [
    Screen("all-pending", "olu", "/requests/?view=all"),
    Screen("operate", "olu", "@order", opened),
    Screen("operate-page", "olu", "/operations@order", opened),
    Screen("operate-closed", "olu", "/operations@sending"),
    *(Screen(f"mend-{verb}", "olu", "@order", refused(verb), 422) for verb in
      ("reassign", "take-back", "force")),
    Screen("undelivered", "olu", "@refused"),
    Screen("nobody", "olu", "@nobody"),
    Screen("callbacks", "olu", "/operations/callbacks/"),
    Screen("callbacks-nobody", "olu", "/operations/callbacks/?show=nobody"),
    Screen("callbacks-late", "olu", "/operations/callbacks/?show=late"),
    Screen("deliveries", "olu", "/operations/deliveries/"),
    Screen("deliveries-opened", "olu", "/operations/deliveries/", opened),
    Screen("deliveries-cause", "olu", "/operations/deliveries/?source=agents"),
    Screen("deliveries-mend", "olu", "/operations/deliveries/", press("Send the ticked"), 422),
    Screen("source-looked-at", "audrey", "/operations/sources/shop/"),
    Screen("forbidden", "olu", "/operations/sources/new/", status=403),
]  # fmt: skip
_SOURCES, _KINDS = "/operations/sources/", "/operations/kinds/"
ADMIN = [
    Screen("sources", "mara", _SOURCES),
    Screen("source", "mara", f"{_SOURCES}shop/"),
    Screen("source-opened", "mara", f"{_SOURCES}shop/", opened),
    Screen("source-secret", "mara", f"{_SOURCES}shop/", secret_made),
    Screen("source-disabled", "mara", f"{_SOURCES}agents/"),
    Screen("source-new", "mara", f"{_SOURCES}new/"),
    Screen("source-new-mend", "mara", f"{_SOURCES}new/", press("Make the source"), 422),
    Screen("source-change", "mara", f"{_SOURCES}shop/change/"),
    Screen("kinds", "mara", _KINDS),
    Screen("kind", "mara", f"{_KINDS}order/"),
    Screen("kind-rules", "mara", f"{_KINDS}payment/", opened),
    Screen("kind-new", "mara", f"{_KINDS}new/"),
    Screen("kind-new-mend", "mara", f"{_KINDS}new/", press("Make the kind"), 422),
    Screen("kind-change", "mara", f"{_KINDS}payment/change/"),
    Screen("api-docs", "mara", "/api/v1/docs"),
    Screen("broken", "mara", "/tokens/?broken", status=500),
    Screen("database-away", "mara", "/tokens/?away", status=503),
]
SCREENS = [*STRANGER, *REVIEWER, *OPERATOR, *ADMIN]
_ASKED = "".join(f"&id={{{name}}}" for name in ("low-0", "low-1", "order", "form", "bare"))
_SHOWN = ".".join(f"{{{name}}}" for name in ("low-0", "pressed", "sending", "rejected", "half"))
#: Drawn for their words: what SCREENS come to by pressing, and lists that others stand for.
WORDED = [
    Screen("bulk-at-once", "anna", f"/requests/bulk/?view=needs-me{_ASKED}"),
    Screen("bulk-gone", "anna", "/requests/bulk/?view=needs-me&id={low-0}&id=999999"),
    Screen("bulk-shown", "anna", f"/requests/bulk/results/?view=needs-me&shown={_SHOWN}"),
    Screen("found", "anna", "/requests/?view=needs-me&q=order&sort=newest"),
    Screen("found-nothing", "anna", "/requests/?view=needs-me&q=zzzz"),
    Screen("found-in-vain", "anna", "/requests/?view=needs-me&q=...&sort=oldest"),
    Screen("closed", "anna", "/requests/?view=closed"),
]
