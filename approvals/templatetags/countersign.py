"""`{% load countersign %}`: every tag and filter of ours at once."""

from __future__ import annotations

from django import template

from approvals.templatetags import (
    amounts,
    assets,
    beats,
    codes,
    icons,
    languages,
    marks,
    moments,
    payload,
    prose,
    rail,
)

register = template.Library()

for _part in (
    amounts,
    assets,
    beats,
    codes,
    icons,
    languages,
    marks,
    moments,
    payload,
    prose,
    rail,
):
    register.tags.update(_part.register.tags)
    register.filters.update(_part.register.filters)
