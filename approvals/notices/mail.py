"""What a mail says: who asks, until when, and where to look. It decides nothing.

Never in a mail: the callback ID, the payload, what people wrote to each other, a link that
does more than open the page.
"""

from __future__ import annotations

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from approvals.lifecycle.desk import closing_sentence
from approvals.models import Notice
from approvals.presentation.text import visible_line
from approvals.states import NoticeKind, OnTimeout

_SUBJECTS = {
    NoticeKind.ASKED: gettext_lazy("Your decision is asked: %(title)s"),
    NoticeKind.HANDLED: gettext_lazy("Handled: %(title)s"),
    NoticeKind.MENTION: gettext_lazy("You are mentioned: %(title)s"),
    NoticeKind.ANSWERED: gettext_lazy("Your question is answered: %(title)s"),
}

_NOBODY = {
    OnTimeout.FAIL: gettext_lazy("If nobody decides by then, the function is told so."),
    OnTimeout.REJECT: gettext_lazy("If nobody decides by then, it counts as rejected."),
    OnTimeout.APPROVE: gettext_lazy("If nobody decides by then, it counts as approved."),
    OnTimeout.LAPSE: gettext_lazy("If nobody decides by then, the function stops waiting."),
}

#: What may come of a connection that is being opened: nothing was handed over then.
UNREACHABLE = (OSError, smtplib.SMTPException)


class Refused(Exception):
    """The server said no to one mail, which therefore did not leave.

    DETAIL is short and safe to show; PASSING: the server may take it later; HUNG_UP: it
    takes nothing more on this connection.
    """

    def __init__(self, detail: str, *, passing: bool, hung_up: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.passing = passing
        self.hung_up = hung_up


class SenderRefused(Refused):
    """The server takes no mail in the portal's name, to whomever; always passing.

    It is the portal's settings that are wrong (EMAIL_FROM), not the mail: once they are
    mended, every mail still owed leaves.
    """

    def __init__(self, code: int) -> None:
        super().__init__(
            f"The mail server refuses the sender ({code}): mend EMAIL_FROM.", passing=True
        )


class Vanished(Exception):
    """The connection broke while a mail was on it: it may have left."""


def open_server() -> BaseEmailBackend:
    """A connection to the mail server, open.

    Raises:
        OSError, SMTPException: there is none; nothing was handed over.
    """
    server = get_connection()
    server.open()
    return server


def compose(notice: Notice) -> EmailMultiAlternatives:
    """The mail for NOTICE, in plain text and as small HTML, in its reader's language and zone."""
    with timezone.override(notice.user.zone), translation.override(notice.user.mail_language):
        return _compose(notice)


def _compose(notice: Notice) -> EmailMultiAlternatives:
    request, kind = notice.request, NoticeKind(notice.kind)
    title = visible_line(request.title)
    place = "#thread" if notice.comment else ""
    context = {
        "title": title,
        "request": request,
        "asked_by": visible_line(request.requested_by),
        "nobody": _NOBODY[OnTimeout(request.on_timeout)],
        "link": f"{settings.BASE_URL}{request.get_absolute_url()}{place}",
        "ending": closing_sentence(request) if kind is NoticeKind.HANDLED else "",
        "author": visible_line(_author(notice)),
    }

    mail = EmailMultiAlternatives(
        subject=str(_SUBJECTS[kind]) % {"title": title},
        body=render_to_string(f"mail/{kind}.txt", context),
        to=[notice.user.email],
        headers=_headers(notice),
    )
    mail.attach_alternative(render_to_string(f"mail/{kind}.html", context), "text/html")
    return mail


def hand_over(mail: EmailMultiAlternatives, server: BaseEmailBackend) -> None:
    """Give MAIL to SERVER.

    Raises:
        SenderRefused: the server takes none from this sender.
        Refused: the server did not take it.
        Vanished: nobody knows.
    """
    try:
        server.send_messages([mail])
    except smtplib.SMTPSenderRefused as refused:
        raise _sender_refused(refused.smtp_code) from refused
    except smtplib.SMTPRecipientsRefused as refused:
        code = next((code for code, _ in refused.recipients.values()), 550)
        raise _refused("address", code) from refused
    except smtplib.SMTPResponseException as refused:
        raise _refused("mail", refused.smtp_code) from refused
    except UNREACHABLE as error:
        raise Vanished(f"{type(error).__name__}: perhaps sent, perhaps not.") from error


def _sender_refused(code: int) -> Refused:
    # 4xx at this place is a server that is busy or grey-lists, whoever sends.
    return SenderRefused(code) if code >= 500 else _refused("mail", code)


def _refused(what: str, code: int) -> Refused:
    # After 421 ("closing transmission channel") the next mail would only seem to vanish.
    detail = f"The mail server refuses the {what} ({code})."
    return Refused(detail, passing=code < 500, hung_up=code == 421)


def _author(notice: Notice) -> str:
    """Who said what NOTICE tells of; the source's own word, where it answered."""
    if notice.comment is None:
        return ""
    author = notice.comment.author
    return author.display_name if author else notice.comment.answered_by


def _headers(notice: Notice) -> dict[str, str]:
    headers = {
        "Message-ID": _message_id(notice, NoticeKind(notice.kind)),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if notice.kind != NoticeKind.ASKED:
        headers["In-Reply-To"] = headers["References"] = _message_id(notice, NoticeKind.ASKED)
    return headers


def _message_id(notice: Notice, kind: NoticeKind) -> str:
    """The same for the same notice always: a mail program shows a second copy once."""
    host = urlsplit(settings.BASE_URL).hostname
    about = notice.request.public_id
    if kind == notice.kind and notice.comment:
        about = notice.comment.public_id
    return f"<{kind}.{notice.user_id}.{about}@{host}>"
