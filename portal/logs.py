"""One JSON line per event, with secrets taken out before it is written.

Callback IDs, signatures, tokens and payloads never belong in a log line; should one
slip into a message, its shape gives it away and it is struck out here.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from portal import traces

_SECRET_NAMES = re.compile(
    r"callback_id|secret|token|password|authorization|signature|payload|cookie", re.IGNORECASE
)
# Our own tokens by prefix, any base64 run as long as a callback ID, the key in a link that
# sets a password, and what somebody searches for: it may be a name or a piece of a payload.
_SECRET_SHAPES = re.compile(
    r"(?:whsec|csk|cst)_[A-Za-z0-9+/=_-]{8,}|[A-Za-z0-9+/]{100,}={0,2}"
    r"|(?<=/password/reset/key/)[0-9A-Za-z]+-[0-9A-Za-z-]+"
    r"|(?<=[?&]q=)[^&\s]+"
)
_SHORTEST_SHAPE = len("csk_") + 8
STRUCK = "[struck]"


@lru_cache(maxsize=1024)  # names are few, and the same for ever
def _is_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def strike_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Structlog processor: strike out values by name and by shape."""
    for name, value in event.items():
        event[name] = _struck(name, value)
    return event


def _struck(name: str, value: Any) -> Any:
    if _is_secret(name):
        return STRUCK
    if isinstance(value, str):
        return _SECRET_SHAPES.sub(STRUCK, value) if len(value) >= _SHORTEST_SHAPE else value
    if isinstance(value, Mapping):
        return {key: _struck(str(key), item) for key, item in value.items()}
    return value


_SHARED_BY_ALL: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    *traces.processors(),
]
_SHARED = [structlog.stdlib.add_logger_name, *_SHARED_BY_ALL]


def configure_structlog() -> None:
    # What no line of ours shows need not be found out for each of them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def straight_logger(name: str, level: str) -> Any:
    """A logger whose lines at LEVEL and above go to standard error without logging's detour.

    For the one line that every call of a program costs; it reads like any other.
    """
    shown: list[structlog.typing.Processor] = [strike_secrets, structlog.processors.JSONRenderer()]
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[_named(name), *_SHARED_BY_ALL, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _named(name: str) -> structlog.typing.Processor:
    def add_name(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["logger"] = name
        return event

    return add_name


def logging_config(level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error as JSON lines at LEVEL and above."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    strike_secrets,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level},
            "botocore": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }
