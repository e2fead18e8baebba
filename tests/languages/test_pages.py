"""Nothing on a page escapes its language: all words are drawn in brackets, and none outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils.translation import trans_real

from approvals.models import ApprovalRequest, CallbackSource, RequestKind, User
from approvals.presentation.text import humanised
from tests.browser.house import House
from tests.browser.screens import SCREENS, WORDED, Screen, opened

pytestmark = pytest.mark.django_db(transaction=True)

#: Read by a reader of documents, not of the desk: the API's reference is English.
ENGLISH = {"api-docs", "broken", "database-away"}
DRAWN = [
    each for each in [*SCREENS, *WORDED] if each.then in (None, opened) and each.name not in ENGLISH
]
#: Elements that hold what somebody else wrote, or no words.
FOREIGN = {"script", "style", "pre", "code", "kbd", "svg", "textarea"}
VOID = {"meta", "link", "input", "br", "hr", "img", "path", "use", "circle", "rect"}
NAMED = ("aria-label", "title", "placeholder", "data-label", "alt")
#: Names, codes and units, which are the same in every language.
NEUTRAL = re.compile(
    r"\b(Countersign|\w+Exception|AWS|UTC|CES?T|JSON|SHA|KiB|min|day|ARN|English|Deutsch|"
    r"(Mo|Di|Mi|Do|Fr|Sa|So)|[a-z]+(?:[-_][a-z0-9]+)+|csk_\w*|cst_\w*|whsec_\w*|https?://\S+|"
    r"arn:\S+|\S+@\S+)"
)


class Words(HTMLParser):
    """What a page says outside of brackets, and outside of what senders wrote."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.depth = 0
        self.stack: list[tuple[str, bool]] = []
        self.loose: list[str] = []

    @property
    def is_foreign(self) -> bool:
        return any(foreign for _, foreign in self.stack)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        theirs = "hx-ignore" in given and not {"changes", "history"} & set(classes)
        foreign = tag in FOREIGN or theirs or "mono" in classes or "brand" in classes
        foreign = foreign or given.get("name") == "time_zone"
        if not (self.is_foreign or tag == "time"):
            for name in NAMED:
                if given.get(name):
                    self._say(given[name] or "", own=True)
        if tag not in VOID:
            self.stack.append((tag, foreign or tag == "time"))

    def handle_endtag(self, tag: str) -> None:
        while self.stack:
            if self.stack.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        self._say(data, own=False)

    def _say(self, text: str, *, own: bool) -> None:
        """Keep what of TEXT stands outside of brackets; OWN: an attribute begins anew."""
        depth = 0 if own else self.depth
        kept = []
        for char in text:
            if char == "⟦":
                depth += 1
            elif char == "⟧":
                depth -= 1
            elif depth == 0:
                kept.append(char)
        if not own:
            self.depth = depth
        said = "".join(kept).strip()
        if said and not self.is_foreign:
            self.loose.append(said)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    """German whose every string is its English one in brackets."""

    def one(message: str) -> str:
        return f"⟦{message.rpartition(chr(4))[2]}⟧"

    def several(singular: str, plural: str, number: int) -> str:
        return one(singular if number == 1 else plural)

    german = trans_real.translation("de")
    monkeypatch.setattr(german, "gettext", one)
    monkeypatch.setattr(german, "ngettext", several)


def names() -> Iterator[str]:
    """What people of the house are called, and all that senders and admins named."""
    for user in User.objects.all():
        yield from (user.display_name, user.username, user.email)
    yield from Group.objects.values_list("name", flat=True)
    for kind in RequestKind.objects.all():
        yield from (kind.label, kind.label.lower(), kind.slug, *kind.reject_reasons)
    for source in CallbackSource.objects.all():
        yield from (source.name, source.slug, source.region)
    for request in ApprovalRequest.objects.select_related("execution"):
        yield from (request.title, request.title[:59], request.agent, request.requested_by)
        yield from (request.on_behalf_of, request.if_approved, request.if_rejected)
        yield from (request.if_nobody, request.execution.name if request.execution else "")
        yield from (link["label"] for link in request.links)
        yield from _texts(request.payload)
        yield from _texts(request.risk)
        yield from _texts(request.checks)
        yield from _texts(request.effects)
        yield from _texts(request.response_schema)
        yield from (comment.text for comment in request.comments.all())
        yield from (decision.comment for decision in request.decisions.all())
        yield request.closed_because
        yield from (str(line.facts.get("reason", "")) for line in request.history.all())
        if request.execution and hasattr(request.execution, "history"):
            yield from _texts(request.execution.history.steps)
    yield from ("312.00 EUR", "280.80 EUR", "nothing")  # what an edit and an address name


def _texts(value: object) -> Iterator[str]:
    """Every text in VALUE, and what its keys are called."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield humanised(str(key))
            yield from _texts(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from _texts(inside)
    elif isinstance(value, str):
        yield " ".join(value.split())
        yield value.strip()
        yield from value.splitlines()


def loose_words(html: str, known: re.Pattern[str]) -> list[str]:
    page = Words()
    page.feed(html)
    found = []
    for said in page.loose:
        rest = NEUTRAL.sub(" ", known.sub(" ", said))
        if re.search(r"[A-Za-z]{3,}", rest):
            found.append(said)
    return found


@pytest.mark.usefixtures("bracketed")
def test_no_page_says_a_word_that_no_catalogue_knows() -> None:
    house = House()
    longest_first = sorted({name for name in names() if name}, key=len, reverse=True)
    known = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    loose: set[str] = set()
    for screen in DRAWN:
        html = _drawn(screen, house)
        assert 'lang="de"' in html, screen.name
        assert "⟦" in html, screen.name
        loose.update(f"{said}  ({screen.name})" for said in loose_words(html, known))
    assert not loose, "\n".join(sorted(loose))


def _drawn(screen: Screen, house: House) -> str:
    client = Client(headers={"accept-language": "de"})
    if screen.who:
        client.force_login(house.people[screen.who])
    answer = client.get(screen.address(house), follow=screen.path == "@reset-link")
    assert answer.status_code == screen.status, (screen.name, answer.status_code)
    return answer.content.decode()
