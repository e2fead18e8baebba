"""Markdown from strangers, as HTML that can do nothing.

Three walls, each enough alone: the parser knows no HTML and no images, links must be
https or mailto, and nh3 lets only the tags below through.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from approvals.presentation.text import visible

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_SCHEMES = {"https", "mailto"}
_REL = "noopener noreferrer nofollow"


def render_markdown(text: str) -> str:
    """TEXT as HTML: no HTML, no images, no headings above h3, hosts of links shown."""
    html: str = _parser().render(visible(text))
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        allowed_classes={"span": {"v-host"}},
        url_schemes=_SCHEMES,
        link_rel=_REL,
    )


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable("image")
    parser.validateLink = _is_honest_link  # type: ignore[method-assign]
    for rule in ("heading_open", "heading_close"):
        parser.add_render_rule(rule, _demoted_heading)
    parser.add_render_rule("link_close", _link_end)
    return parser


def _is_honest_link(url: str) -> bool:
    """https with a host and no user name before it, or mailto; nothing relative."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return not parts.netloc and "@" in parts.path
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


def _demoted_heading(
    renderer: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
) -> str:
    """A summary stands below the page's own h1 and h2."""
    token = tokens[idx]
    token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    return renderer.renderToken(tokens, idx, options, env)


def _link_end(
    _renderer: RendererHTML, tokens: Sequence[Token], idx: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Where a link leads stands beside it, whatever its text says."""
    opening = next(token for token in reversed(tokens[:idx]) if token.type == "link_open")
    parts = urlsplit(str(opening.attrGet("href") or ""))
    host = parts.hostname or parts.path
    return f'</a> <span class="v-host">{nh3.clean_text(host)}</span>'
