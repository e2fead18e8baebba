"""Clients of boto3, one per address: made once, with the source's role, and kept.

Beside `aws.py` the only file that knows boto3. Clients are safe to share between threads;
making one is not, and may ask for credentials over the network.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions as boto
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.loaders import create_loader
from botocore.session import Session, get_session

from approvals.callbacks import wire
from approvals.callbacks.gateway import Address

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: Clients kept at once, one per address: about 0.5 MiB each.
MAX_CLIENTS = 128

#: Reads and keeps AWS's API models: 0.1 s for the first client, 30 ms for the next.
_SHARED_LOADER = create_loader()


class RoleError(Exception):
    """STS did not lend the source's role; nothing was said to Lambda."""


class AddressError(Exception):
    """The address makes no client: a wrong region, a malformed endpoint."""


class Clients:
    """A client per address, made at first use; the least used go when there are too many."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._clients: OrderedDict[Address, Future[LambdaClient]] = OrderedDict()
        self._lock = Lock()  # of the dictionary; never held while a client is made

    def of(self, address: Address) -> LambdaClient:
        """The client of ADDRESS.

        Raises:
            AddressError, BotoCoreError: none can be made; the next call tries anew.
        """
        # Making one may ask for credentials over the network: that holds up only those
        # who want the same address.
        mine: Future[LambdaClient] = Future()
        with self._lock:
            client = self._clients.setdefault(address, mine)
            self._clients.move_to_end(address)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        if client is mine:
            self._make(mine, address)
        return client.result()

    def _make(self, client: Future[LambdaClient], address: Address) -> None:
        try:
            client.set_result(_new_client(address, self.config))
        except Exception as error:  # noqa: BLE001 - it is raised by result(), in every thread
            with self._lock:
                if self._clients.get(address) is client:
                    del self._clients[address]  # the next call tries anew
            client.set_exception(error)


def _new_session() -> Session:
    """A session for one client: sessions are not safe to share between threads."""
    session = get_session()
    session.register_component("data_loader", _SHARED_LOADER)
    return session


def _new_client(address: Address, config: Config) -> LambdaClient:
    session = _new_session()
    if address.role_arn:
        lender = _RoleLender(address, address.role_arn, config)
        session.register_component("credential_provider", CredentialResolver([lender]))
    try:
        client = boto3.Session(botocore_session=session).client(
            "lambda",
            region_name=address.region,
            endpoint_url=address.endpoint_url or None,  # else AWS_ENDPOINT_URL_LAMBDA
            config=config,
        )
    except (ValueError, boto.BotoCoreError) as error:
        raise AddressError(type(error).__name__) from error
    client.meta.events.register("before-parse.lambda", wire.inspect)
    return client


class _RoleLender(CredentialProvider):
    """The source's role, borrowed at first use with the portal's own credentials.

    When to renew is botocore's affair (RefreshableCredentials); this only gives a
    failure at STS a class of its own, since nothing was said to Lambda then.
    """

    METHOD = "assume-role"

    def __init__(self, address: Address, role_arn: str, config: Config) -> None:
        super().__init__()
        own = _new_session()
        terms = {"RoleSessionName": f"countersign-{address.source_id}"}
        if address.external_id:
            terms["ExternalId"] = address.external_id
        self._fetcher = AssumeRoleCredentialFetcher(
            partial(own.create_client, region_name=address.region, config=config),
            _own_credentials(own),
            role_arn,
            extra_args=terms,
        )

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._borrow, method=self.METHOD)

    def _borrow(self) -> dict[str, Any]:
        try:
            return dict(self._fetcher.fetch_credentials())
        except boto.ClientError as error:
            raise RoleError(str(error.response["Error"].get("Code"))) from error
        except Exception as error:
            raise RoleError(type(error).__name__) from error


def _own_credentials(session: Session) -> Credentials:
    found = session.get_credentials()
    if found is None:
        raise boto.NoCredentialsError
    return found
