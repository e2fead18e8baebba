"""Sign-in only: accounts are made by an admin, nobody signs up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from django.http import HttpRequest

_MISMATCH = "That username or email and password do not match."


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "invalid_login": _MISMATCH,
        # As long as "login_failed" of ACCOUNT_RATE_LIMITS counts for one account.
        "too_many_login_attempts": "Too many attempts. Wait five minutes, or ask an admin.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SignInForm(LoginForm):  # type: ignore[misc]
    """Two fields that say what goes in, above the field where it stays readable."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Username or email"
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
