"""What was written down in English once, in the language and time zone of who reads it now.

Where a sentence has a value in it, the form it was made of stands in _FORMS, and is found
again by it: what is stored stays plain words, which programs and logs are given as they are.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.translation import gettext, gettext_noop

from approvals.locales import moment_told

#: One of each sentence with a value in it that lifecycle, callbacks and notices write down.
_FORMS = (
    gettext_noop("The execution ended before an answer: %(status)s."),
    gettext_noop("A newer request took its place: %(title)s"),
    gettext_noop("The execution's history shows this answer at %(at)s."),
    gettext_noop("The callback timed out at AWS at %(at)s."),
    gettext_noop("AWS heard no heartbeat in time: the callback timed out at %(at)s."),
    gettext_noop("the callback succeeded at %(at)s."),
    gettext_noop("the callback failed at %(at)s."),
    gettext_noop("It redirects (%(status)s), and a redirect is not followed."),
    gettext_noop("It answered %(status)s."),
    gettext_noop("The mail server refuses the sender (%(code)s): mend EMAIL_FROM."),
    gettext_noop("The mail server refuses the address (%(code)s)."),
    gettext_noop("The mail server refuses the mail (%(code)s)."),
)
#: The same where AWS gave no time, and what stands behind a code or another sentence: named
#: here for the catalogues, as it is written down without gettext.
_PLAIN = (
    gettext_noop("The execution's history shows this answer."),
    gettext_noop("The callback timed out at AWS."),
    gettext_noop("AWS heard no heartbeat in time: the callback timed out."),
    gettext_noop("the callback succeeded."),
    gettext_noop("the callback failed."),
    gettext_noop("That was before this answer."),
    gettext_noop("Nobody can tell from it."),
    gettext_noop("The callback has expired; no more attempts."),
    gettext_noop("the address did not answer."),
    gettext_noop("the mail server is not reachable."),
    gettext_noop("perhaps sent, perhaps not."),
    gettext_noop("see the log."),
)
#: What one sentence of them begins with; pages set what follows below it.
_LEAD = gettext_noop("Answered outside the portal")
#: As callbacks.history.clock writes it.
_STAMP = r"\d\d:\d\d:\d\d UTC on \d{1,2} [A-Z][a-z]+ \d{4}"
_VALUES = {"at": _STAMP, "title": ".+", "status": r"\w+", "code": r"\w+"}


def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", form)  # words, name, words, …
    for place, part in enumerate(parts):
        parts[place] = f"(?P<{part}>{_VALUES[part]})" if place % 2 else re.escape(part)
    return re.compile("".join(parts), re.DOTALL)


_PATTERNS = [(form, _pattern(form)) for form in _FORMS]
_CODE = re.compile(r"(HTTP \d+|\w+): (?=.)")
_ENDS = re.compile(r"(?<=\.) ")


def reworded(text: str) -> str:
    """TEXT as its reader reads it; what is none of our sentences stays as it is.

    So does what others wrote that stands in one of ours, such as a title.
    """
    whole = _known(text)
    if whole is not None:
        return whole
    code, said = parted(text)
    if code:
        return f"{code}: {reworded(said)}"
    if text.startswith(f"{_LEAD}: "):
        return f"{gettext(_LEAD)}: {reworded(text.removeprefix(f'{_LEAD}: '))}"
    for stop in reversed(list(_ENDS.finditer(text))):
        known = _known(text[: stop.start()])
        if known is not None:
            return f"{known} {reworded(text[stop.end() :])}"
    return text


def parted(text: str) -> tuple[str, str]:
    """TEXT as the code it begins with, "" where there is none, and what is said of it."""
    code = _CODE.match(text)
    return (code[1], text[code.end() :]) if code else ("", text)


def _known(sentence: str) -> str | None:
    """SENTENCE in the reader's language, None if it is none of ours or reads the same in it."""
    translated = gettext(sentence) if sentence.endswith(".") else sentence
    if translated != sentence:
        return translated
    for form, pattern in _PATTERNS:
        if match := pattern.fullmatch(sentence):
            values = match.groupdict()
            if "at" in values:
                values["at"] = _told(values["at"])
            return gettext(form) % values
    return None


def _told(stamp: str) -> str:
    try:
        moment = datetime.strptime(f"{stamp} +0000", "%H:%M:%S UTC on %d %B %Y %z")
    except ValueError:  # no moment at all, so none of ours
        return stamp
    return moment_told(moment)
