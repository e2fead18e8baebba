"""What a check is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import DataError, transaction

from approvals.ledger.scope import Scope


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is not as it must be.

    CHECK: the name of the question. WHERE: a request's public id, or what else it is about.
    SENTENCE: what is wrong there; never a callback ID, never a payload.
    """

    check: str
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence} [{self.check}]"


#: Where, and what is wrong there.
Found = Iterable[tuple[object, str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the ledger; PROVES says what no violation means."""

    name: str
    proves: str
    ask: Callable[[Scope], Found]

    def run(self, scope: Scope) -> Iterator[Violation]:
        """What is not as it must be within SCOPE, one by one; holds no more than one."""
        try:
            with transaction.atomic():  # one question that fails must not spoil the others
                for where, sentence in self.ask(scope):
                    yield Violation(self.name, str(where), sentence)
        except DataError:
            yield Violation(self.name, "all", "some row holds what the portal never writes.")


def check(ask: Callable[[Scope], Found]) -> Check:
    """A check that walks rows by itself; its docstring says what it proves."""
    return Check(ask.__name__, _proves(ask), ask)


def sql_check(text: Callable[[], str]) -> Check:
    """A check in one statement that gives a request's public id and a sentence for each fault.

    Its text may name {requests} (those within the scope) and the words of `scope.WORDS`.
    """
    return Check(text.__name__, _proves(text), lambda scope: scope.rows(text()))


def _proves(function: Callable[..., object]) -> str:
    return " ".join((function.__doc__ or "").split())
