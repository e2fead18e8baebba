"""Make an admin: the first person of an installation, who then makes the others."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from approvals.models import User
from portal.accounts import reset_link

ROLE = "admin"


class Command(BaseCommand):
    help = (
        "Make an admin, who keeps people in /admin/, sources and kinds under Settings, and is no "
        "superuser. The password is asked for, or set by whoever opens the link of --link."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The username")
        parser.add_argument("--email", required=True, help="Where mails about requests go")
        parser.add_argument(
            "--link",
            action="store_true",
            help="Print a link that sets the password, once, within the hour; ask for none",
        )

    def handle(self, *, name: str, email: str, link: bool, **_options: Any) -> None:
        user = User(username=name, email=User.objects.normalize_email(email), is_staff=True)
        try:
            user.set_password(None if link else _asked_password(user))
            _seat(user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stderr.write(f"{name} is an admin now.")
        if link:
            self.stdout.write(reset_link(_key(user)))


@transaction.atomic(durable=True)
def _seat(user: User) -> None:
    """Write USER down with the role.

    Raises:
        ValidationError: the name or the address is malformed or taken.
        CommandError: the role is missing, or the name was taken this moment.
    """
    user.full_clean()
    if User.objects.filter(email__iexact=user.email).exists():
        raise ValidationError(f"Somebody has the address {user.email} already.")
    role = Group.objects.filter(name=ROLE).first()
    if role is None:
        raise CommandError(f"The role {ROLE} is missing: run manage.py migrate first.")
    try:
        user.save(force_insert=True)
    except IntegrityError as error:
        raise CommandError(f"{user.username} exists already. Nothing was changed.") from error
    user.groups.add(role)


def _asked_password(user: User) -> str:
    """What the person at the terminal types, twice the same and strong enough."""
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password: use --link.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password, again: ") != password:
        raise CommandError("The two are not the same. Nothing was changed.")
    validate_password(password, user)
    return password


def _key(user: User) -> str:
    token = PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return f"{user_pk_to_url_str(user)}-{token}"
