"""Small sections stand beside each other instead of below."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from approvals.presentation.blocks import Block, Fields, Lines, Row, Section

_MOST_FIELDS = 8


def beside_each_other(blocks: Iterable[Block]) -> list[Block]:
    """BLOCKS with every run of two or more small sections joined into one row."""
    joined: list[Block] = []
    for small, run in groupby(blocks, key=_is_small):
        members = list(run)
        sections = tuple(block for block in members if isinstance(block, Section))
        joined += [Row(sections)] if small and len(sections) > 1 else members
    return joined


def _is_small(block: Block) -> bool:
    if not isinstance(block, Section) or len(block.blocks) != 1:
        return False
    inside = block.blocks[0]
    return isinstance(inside, Fields | Lines) and len(inside.items) <= _MOST_FIELDS
