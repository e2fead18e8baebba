"""People talk about a request, and ask its source; the source answers. Nothing is decided by it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import doorbell, policy
from approvals.clock import database_now
from approvals.errors import AlreadyAnswered, InvalidFields, NoSuchQuestion
from approvals.lifecycle import desk
from approvals.locales import here, moment_told
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    Comment,
    Notice,
    QuestionDelivery,
    User,
)
from approvals.models.request import new_public_id
from approvals.models.sight import who_see
from approvals.states import AuditTag, CommentKind, NoticeKind

TEXT_LIMIT = 10_000  # characters
ANSWERED_BY_LIMIT = 255  # characters
THREAD_LIMIT = 200  # comments and questions of one request; answers are never refused for it
MENTIONS_LIMIT = 20  # people in one comment

# A username as Django takes it, after an @ that is not inside a word or a mail address.
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")


@dataclass(frozen=True, slots=True)
class Commented:
    """A comment as written. NOT_TOLD: whom it mentions that may not see the request."""

    comment: Comment
    not_told: list[str]


@transaction.atomic(durable=True)
def comment(request_id: int, *, author: User, text: str, asks_requester: bool = False) -> Commented:
    """Add TEXT to a request's thread, and tell by mail whom it mentions.

    ASKS_REQUESTER: it is a question to the request's source, and is owed to it where the
    source has an address for questions. A closed request may still be talked about, but
    nobody is asked about it any more.

    Raises:
        NotAReviewer: AUTHOR may see the request but not talk here.
        AlreadyClosed: a question came too late.
        InvalidFields: TEXT is empty, too long or mentions too many, or the thread is full.
    """
    text = _checked(text, _("Write something first."))
    names = mentions(text)
    if len(names) > MENTIONS_LIMIT:
        raise InvalidFields(
            {
                "text": _("Mention at most %(mentions_limit)s people at once.")
                % {"mentions_limit": MENTIONS_LIMIT}
            }
        )
    request = desk.lock(request_id)
    at = database_now()
    policy.check_may_comment(request, author)
    if asks_requester:
        desk.check_open(request, at)
    _check_room(request)
    told = who_see(request, names)
    entry = Comment(
        public_id=new_public_id(),
        request=request,
        kind=CommentKind.QUESTION if asks_requester else CommentKind.NOTE,
        author=author,
        text=text,
        at=at,
        mentioned=[person.username for person in told],
    )
    entry.save(force_insert=True)
    _tell(entry, NoticeKind.MENTION, [person for person in told if person.pk != author.pk])
    _record(AuditTag.QUESTIONED if asks_requester else AuditTag.COMMENTED, entry)
    if asks_requester:
        _owe(entry)
    seen = {person.username.lower() for person in told}
    return Commented(entry, [name for name in names if name.lower() not in seen])


@transaction.atomic(durable=True)
def answer(request_id: int, question_id: UUID, *, text: str, answered_by: str = "") -> Comment:
    """The source's answer to a question; the same answer twice is one.

    It is taken after the request was closed as well, and changes nothing then: a
    function that is slow, or repeats itself, must not fail for it.

    Raises:
        NoSuchQuestion: the request has no question of that id.
        AlreadyAnswered: the question has another answer.
        InvalidFields: TEXT or ANSWERED_BY is malformed.
    """
    text = _checked(text, _("Write the answer."))
    answered_by = _checked_name(answered_by)
    request = desk.lock(request_id)
    question = _question(request, question_id)
    former = Comment.objects.filter(answers=question).first()
    if former is not None:
        return _same(former, text, answered_by)
    entry = Comment(
        public_id=new_public_id(),
        request=request,
        kind=CommentKind.ANSWER,
        text=text,
        at=database_now(),
        answers=question,
        answered_by=answered_by,
    )
    entry.save(force_insert=True)
    assert question.author is not None, "a question has an author"
    _tell(entry, NoticeKind.ANSWERED, [question.author])
    _record(AuditTag.ANSWERED, entry, question=str(question.public_id), answered_by=answered_by)
    return entry


def mentions(text: str) -> list[str]:
    """Whom TEXT mentions, each once, in their order: `@dana` is dana, `dana@x.org` nobody.

    A full stop or the like that ends the sentence is no part of the name.
    """
    names = (found.rstrip(".+-@") for found in _MENTION.findall(text))
    return list(dict.fromkeys(name for name in names if name))


def _checked(text: str, missing: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InvalidFields({"text": missing})
    if "\0" in text:
        raise InvalidFields({"text": _("Take out the NUL character.")})
    if len(text) > TEXT_LIMIT:
        raise InvalidFields(
            {
                "text": _("Shorten it to %(text_limit)s characters.")
                % {"text_limit": here().whole(TEXT_LIMIT)}
            }
        )
    return text


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if "\0" in name:
        raise InvalidFields({"answered_by": _("Take out the NUL character.")})
    if len(name) > ANSWERED_BY_LIMIT:
        raise InvalidFields(
            {
                "answered_by": _("Shorten it to %(answered_by_limit)s characters.")
                % {"answered_by_limit": ANSWERED_BY_LIMIT}
            }
        )
    return name


def _check_room(request: ApprovalRequest) -> None:
    if request.comments.exclude(kind=CommentKind.ANSWER).count() >= THREAD_LIMIT:
        full = _("This thread is full (%(thread_limit)s). Go on elsewhere, and link to it.") % {
            "thread_limit": THREAD_LIMIT
        }
        raise InvalidFields({"text": full})


def _question(request: ApprovalRequest, question_id: UUID) -> Comment:
    questions = request.comments.filter(kind=CommentKind.QUESTION).select_related("author")
    found = questions.filter(public_id=question_id).first()
    if found is None:
        raise NoSuchQuestion(_("The request has no question of this id. Read them with GET."))
    return found


def _same(former: Comment, text: str, answered_by: str) -> Comment:
    if (former.text, former.answered_by) != (text, answered_by):
        raise AlreadyAnswered(
            _("It was answered at %(at)s in other words; that answer stands.")
            % {"at": moment_told(former.at)}
        )
    return former


def _tell(entry: Comment, kind: NoticeKind, people: Sequence[User]) -> None:
    # Whether a mail still makes sense is decided when it is sent (notices.outbox).
    Notice.objects.bulk_create(
        Notice(
            request=entry.request,
            user=person,
            kind=kind,
            comment=entry,
            owed_at=entry.at,
            next_attempt_at=entry.at,
        )
        for person in people
    )


def _record(tag: AuditTag, entry: Comment, **facts: str) -> None:
    """History holds what the words were by their hash: they stand once, in the thread."""
    digest = hashlib.sha256(entry.text.encode()).hexdigest()
    AuditEvent.objects.record(
        tag,
        entry.request,
        at=entry.at,
        actor=entry.author,
        spoken=str(entry.public_id),
        text_sha256=digest,
        **facts,
    )


def _owe(question: Comment) -> None:
    """The question is owed to its source, if the source has said where to."""
    source = question.request.source
    if not (source.questions_url or source.questions_mail):
        return
    at: datetime = question.at
    QuestionDelivery(question=question, source=source, owed_at=at, next_attempt_at=at).save(
        force_insert=True
    )
    doorbell.ring(doorbell.SEND_QUESTIONS)
