"""The language a page is in, and the words its scripts say."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.translation import get_language, gettext, gettext_noop

register = template.Library()

#: What static/js says: t("…") there takes its words from here. Tests hold the two together.
SCRIPT_WORDS = (
    gettext_noop("now"),
    gettext_noop("in %(span)s"),
    gettext_noop("%(span)s ago"),
    gettext_noop("%(span)s late"),
    gettext_noop("Copied"),
    gettext_noop("The browser did not allow copying"),
    gettext_noop("Live"),
    gettext_noop("Live updates stopped"),
    gettext_noop("Approve with %(count)s edit"),
    gettext_noop("Approve with %(count)s edits"),
    gettext_noop("%(count)s edit will be sent with your approval: %(names)s"),
    gettext_noop("%(count)s edits will be sent with your approval: %(names)s"),
    gettext_noop("Nothing is left to decide; nothing was sent."),
    gettext_noop("Choose first: a to approve, r to reject."),
    gettext_noop("Approve is chosen. Ctrl+Enter sends it."),
    gettext_noop("Reject is chosen. Say why; Ctrl+Enter sends it."),
)


@register.simple_tag
def language_of_page(request: Any = None) -> str:
    """The language for <html>. It asks who is there first, as their language is theirs."""
    user = getattr(request, "user", None)
    _ = user is not None and user.is_authenticated
    return get_language() or "en"


@register.simple_tag
def script_words() -> str:
    """The words of scripts as JSON; nothing in English, which the scripts have themselves."""
    language = get_language() or "en"
    if language == "en":
        return ""
    if language not in _WORDS:
        said = {words: gettext(words) for words in SCRIPT_WORDS}
        _WORDS[language] = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return _WORDS[language]


#: Written once for each language.
_WORDS: dict[str, str] = {}
