"""Starts PostgreSQL and Valkey for a test run, before Django's settings are read.

Loaded with `-p tests.plugins.engines` (pyproject.toml): settings are read earlier than
any conftest. The process that was started by hand starts the engines, once; xdist's
workers inherit their URLs. DATABASE_URL and REDIS_URL, where set, are used instead.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from portal.embedded import EngineError, Engines, ground

PREFIX = "countersign-tests-"
#: A folder this young may belong to a run that has not locked it yet.
LEAVE_ALONE_SECONDS = 60

#: What tests must never take from the machine they run on. The keys protect nothing.
TEST_ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "FIELD_KEYS": "test:" + base64.b64encode(b"f" * 32).decode(),
    "AUDIT_KEY": base64.b64encode(b"a" * 32).decode(),
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "BASE_URL": "http://testserver",
    "DEBUG": "false",
    "INSECURE_HTTP": "true",
    "EMAIL_URL": "console:",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    os.environ.update(TEST_ENVIRONMENT)
    os.environ.pop("AWS_ENDPOINT_URL_LAMBDA", None)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start_engines(early_config)
    else:
        os.environ["REDIS_URL"] = _database_of(worker, os.environ["REDIS_URL"])
    return (yield)


def _start_engines(config: pytest.Config) -> None:
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    engines = Engines(
        folder,
        durable=False,
        database_url=os.environ.get("DATABASE_URL"),
        redis_url=os.environ.get("REDIS_URL"),
    )
    config.add_cleanup(engines.stop)  # before the folder goes: last in, first out
    try:
        engines.start()
    except EngineError as error:
        raise pytest.UsageError(str(error)) from error
    os.environ["DATABASE_URL"] = engines.database_url
    os.environ["REDIS_URL"] = engines.redis_url


def _database_of(worker: str, url: str) -> str:
    """A Redis database for each xdist worker ("gw0", "gw1"), as each has its own in SQL."""
    number = 1 + int(worker.removeprefix("gw")) % 15
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def _sweep() -> None:
    """Remove the folders of runs that were killed; a run that still is holds its lock."""
    oldest_kept = time.time() - LEAVE_ALONE_SECONDS
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if folder.stat().st_mtime > oldest_kept:
                continue
            with ground.own(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except (EngineError, OSError):
            continue
