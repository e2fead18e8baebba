"""What a source is told of a question: as JSON to its address, or as a mail. It sends nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from approvals.models import Comment, SourceSecret
from approvals.notices.webhook import signed
from approvals.presentation.text import visible, visible_line


@dataclass(frozen=True, slots=True)
class Post:
    """A signed message to the address URL."""

    url: str
    body: bytes
    headers: dict[str, str]


def post_for(question: Comment, *, now: datetime) -> Post:
    """QUESTION for the address its source has named, signed with all its live secrets.

    While a secret is rotated the source may know either; a message that is sent again
    keeps its id.
    """
    source = question.request.source
    body = json.dumps(_told(question), ensure_ascii=False, separators=(",", ":")).encode()
    rows = SourceSecret.objects.live(now).filter(source=source).order_by("-pk")
    secrets = [row.reveal() for row in rows]
    headers = signed(body, message_id=_message_id(question), secrets=secrets, now=now)
    return Post(source.questions_url, body, headers)


def mail_for(question: Comment) -> EmailMultiAlternatives:
    """QUESTION for the mail address its source has named."""
    request = question.request
    title = visible_line(request.title)
    told = _told(question)
    context = {
        "title": title,
        "request": request,
        "asked_by": visible_line(told["asked_by"]),
        "text": visible(question.text),
        "link": told["url"],
        "answer_url": told["answer_url"],
        "question_id": told["question_id"],
    }
    host = urlsplit(settings.BASE_URL).hostname
    return EmailMultiAlternatives(
        subject=f"A question before this is decided: {title}",
        body=render_to_string("mail/question.txt", context),
        to=[request.source.questions_mail],
        headers={
            "Message-ID": f"<question.{question.public_id}@{host}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )


Letter: TypeAlias = "Post | EmailMultiAlternatives"


def _message_id(question: Comment) -> str:
    return f"question_{question.public_id}"


def _told(question: Comment) -> dict[str, str]:
    request, author = question.request, question.author
    assert author is not None, "a question has an author"
    answers = reverse(
        "approvals:api:source-request-answers", args=[request.source.slug, request.public_id]
    )
    return {
        "type": "question.asked",
        "id": _message_id(question),
        "request_id": str(request.public_id),
        "question_id": str(question.public_id),
        "text": question.text,
        "asked_by": author.username,
        "url": f"{settings.BASE_URL}{request.get_absolute_url()}#thread",
        "answer_url": f"{settings.BASE_URL}{answers}",
    }
