"""Signing in and keeping a password. An admin makes accounts; nobody signs up."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from allauth.account.views import PasswordResetView
from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_MISMATCH = gettext_lazy("That username or email and password do not match.")
_NOT_SENT = gettext_lazy("The mail could not be sent. Try again in a few minutes, or ask an admin.")
#: AUTH_PASSWORD_VALIDATORS in one sentence; theirs run into each other.
_STRONG = gettext_lazy(
    "At least 12 characters; not a common one, and not like your name or address."
)
#: What a mail server that is away, or refuses, raises.
MAIL_TROUBLE = (OSError, SMTPException)

log = logging.getLogger(__name__)


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _MISMATCH,
        "username_password_mismatch": _MISMATCH,
        "invalid_login": _MISMATCH,
        # As long as "login_failed" of ACCOUNT_RATE_LIMITS counts for one account.
        "too_many_login_attempts": gettext_lazy(
            "Too many attempts. Wait five minutes, or ask an admin."
        ),
        "enter_current_password": gettext_lazy("That is not your current password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The address in a mail: ours, whatever host the request named."""
        return reset_link(key)

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: Any = None
    ) -> Any:
        """A mail in its recipient's language and zone, where they chose them."""
        person = context.get("user")
        language = getattr(person, "language", "")
        known = language in dict(settings.LANGUAGES)
        zone = getattr(person, "zone", None)
        with (
            translation.override(language if known else translation.get_language()),
            timezone.override(zone) if zone else nullcontext(),
        ):
            return super().render_mail(template_prefix, email, context, headers)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Tell the person; the password is changed already, so a mail that fails is logged."""
        try:
            super().send_notification_mail(*args, **kwargs)
        except MAIL_TROUBLE as error:
            log.warning("A notice of a changed password was not sent: %s", type(error).__name__)


def reset_link(key: str) -> str:
    """Where the holder of KEY ("user-token") sets a password."""
    user, _, token = key.partition("-")
    words = {"uidb36": user, "key": token}
    return settings.BASE_URL + reverse("account_reset_password_from_key", kwargs=words)


def _say(form: Form, **labels: str) -> None:
    """Give fields the words that stay readable above them, and no others inside."""
    for name, label in labels.items():
        form.fields[name].label = label
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
        field.error_messages["required"] = _("This is needed.")
        field.help_text = ""  # the page itself leads on from a forgotten password
    if "password1" in form.fields:
        form.fields["password1"].help_text = _STRONG


class SignInForm(LoginForm):  # type: ignore[misc]
    """Two fields that say what goes in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self, login=_("Username or email"))


class ChangeForm(ChangePasswordForm):  # type: ignore[misc]
    """The old password, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(
            self,
            oldpassword=_("Current password"),
            password1=_("New password"),
            password2=_("New password, again"),
        )


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password twice, for whoever came by a link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self, password1=_("New password"), password2=_("New password, again"))


class ResetForm(ResetPasswordForm):  # type: ignore[misc]
    """Asks for an address; a mail goes there in any case, so that both cases take as long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self, email=_("Email"))

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if self.users:
            return str(super().save(request, **kwargs))
        email = str(self.cleaned_data["email"])
        get_adapter().send_mail("account/email/unknown_account", email, {})
        return email


class ResetView(PasswordResetView):  # type: ignore[misc]
    """Sends the mail, or says that it could not; alike for known and unknown addresses."""

    def form_valid(self, form: ResetForm) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except MAIL_TROUBLE as error:
            log.warning("A mail to reset a password was not sent: %s", type(error).__name__)
            form.add_error(None, _NOT_SENT)
            response = self.form_invalid(form)
            response.status_code = 503
        return response


password_reset = ResetView.as_view()
