"""What the desk refuses, by name. Doors turn these into status codes and sentences.

Every message is written for the person who reads it: what happened, and what to do.
This module imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """The desk said no; nothing was written."""


class NotAReviewer(Refusal):
    """This person may see the request but not decide it (403)."""


class FourEyes(NotAReviewer):
    """This person asked for it, or it was asked on their behalf (403)."""


class NotAnOperator(Refusal):
    """This person may see the request but not operate it (403)."""


class NotAnAdmin(Refusal):
    """This person may not keep sources and kinds (403)."""


class AlreadyClosed(Refusal):
    """Somebody or something was faster (409). The message says who and when."""


class AlreadyVoted(Refusal):
    """This person's decision on the request stands (409)."""


class NotYourDecision(Refusal):
    """Only who made a decision can take it back (403)."""


class NothingToUndo(Refusal):
    """No decision of this person can be taken back, or no longer (409)."""


class AlreadyAnswered(Refusal):
    """The question has an answer, and it is another one (409)."""


class NoSuchQuestion(Refusal):
    """The request has no question of that id (404)."""


class StalePage(Refusal):
    """What the person saw is not what would be decided (409)."""


class NotTogether(Refusal):
    """The request needs a look of its own: it is not decided together with others (409)."""


class InvalidFields(Refusal):
    """One or more fields need mending (422).

    FIELDS maps a field's name, dotted where nested, to a sentence that says what to do.
    """

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in fields.items()))
        self.fields = fields


@contextmanager
def gathered(fields: dict[str, str]) -> Iterator[None]:
    """Add the FIELDS to mend that are found inside, so that all are told at once."""
    try:
        yield
    except InvalidFields as refusal:
        fields |= refusal.fields


class DifferentContent(Refusal):
    """The callback ID is known with other content (409)."""


class ForeignFunction(Refusal):
    """The source may not speak for this function (403)."""


class NotRedrivable(Refusal):
    """Only an undeliverable answer can be sent again (409)."""
