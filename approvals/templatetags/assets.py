"""The style sheets of a page: one by one as they are kept, or the one joined of them."""

from __future__ import annotations

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, NodeList
from django.template.base import Parser, Token
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


class _Joined(template.Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        joined = getattr(staticfiles_storage, "joined", "")
        if not joined:
            return self.nodelist.render(context)
        return format_html('<link rel="stylesheet" href="{}">', static(joined))


@register.tag
def joined(parser: Parser, _token: Token) -> template.Node:
    """`{% joined %}` links to sheets `{% endjoined %}`: one link where the storage joined them."""
    nodelist = parser.parse(("endjoined",))
    parser.delete_first_token()
    return _Joined(nodelist)
