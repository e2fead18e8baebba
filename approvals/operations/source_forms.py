"""What admins post about a source. What is a secret is never written back into a page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from approvals.keeping import Overlap, SourceFields
from approvals.locales import Words
from approvals.models import CallbackSource, SourceKey, SourceRole
from approvals.operations.settings_fields import (
    REQUIRED,
    LinesField,
    SettingsForm,
    TeamsField,
    one_team_choices,
)

_NAMES = ("name", "region", "endpoint_url", "role_arn", "external_id", "function_arns",
          "allow_local_runner", "verify_callbacks", "questions_url", "questions_mail",
          "default_users", "default_groups")  # fmt: skip


def _line(
    label: Words, *, most: int, help_text: Words = "", required: bool = False
) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        required=required,
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": REQUIRED,
            "max_length": gettext_lazy("Shorten it to %(limit_value)s characters."),
        },
    )


class SourceForm(SettingsForm):
    """A source's own fields."""

    name = _line(
        gettext_lazy("Name"), most=120, required=True, help_text=gettext_lazy("As people read it.")
    )
    region = _line(
        gettext_lazy("Region"),
        most=32,
        required=True,
        help_text=gettext_lazy("Where its functions run."),
    )
    function_arns = LinesField(
        label=gettext_lazy("Functions"),
        max_length=50_000,
        help_text=gettext_lazy(
            "Which functions it may speak for, all their versions. One ARN per line."
        ),
    )
    allow_local_runner = forms.BooleanField(
        label=gettext_lazy("Also take callbacks of AWS's local runner, which name no function"),
        required=False,
    )
    verify_callbacks = forms.BooleanField(
        label=gettext_lazy("Ask AWS about each callback when it comes in"),
        required=False,
        help_text=gettext_lazy(
            "The execution's history then tells whether the callback exists and how long "
            "it really waits. It needs lambda:GetDurableExecutionHistory. A request is "
            "put before people either way; a callback AWS does not know is marked."
        ),
    )
    role_arn = _line(
        gettext_lazy("Role to assume"), most=2_048,
        help_text=gettext_lazy(
            "Answers go to AWS in this role. Empty: with the portal's own credentials."
        ),
    )  # fmt: skip
    external_id = _line(
        gettext_lazy("External ID"), most=1_224, help_text=gettext_lazy("If the role asks for one.")
    )
    endpoint_url = _line(
        gettext_lazy("Lambda endpoint"),
        most=200,
        help_text=gettext_lazy("Empty: AWS's own. Otherwise https, or this machine."),
    )
    questions_url = _line(
        gettext_lazy("Address for questions"), most=500,
        help_text=gettext_lazy(
            "What reviewers ask the requester is posted there, signed as you sign. https, "
            "and a public place."
        ),
    )  # fmt: skip
    questions_mail = forms.EmailField(
        label=gettext_lazy("Or mail address for questions"),
        required=False,
        help_text=gettext_lazy("With neither, questions wait until the function looks for them."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": gettext_lazy("Write a mail address, such as team@example.com.")},
    )
    default_users = LinesField(
        label=gettext_lazy("People asked by default"),
        rows=2,
        help_text=gettext_lazy(
            "One username per line. They are asked where neither a request nor its kind says who."
        ),
    )
    default_groups = TeamsField(label=gettext_lazy("Teams asked by default"))

    @classmethod
    def of(cls, source: CallbackSource, seen: int) -> SourceForm:
        initial: dict[str, Any] = {name: getattr(source, name) for name in _NAMES[:10]}
        initial["default_users"] = source.default_users.order_by("username").values_list(
            "username", flat=True
        )
        initial["default_groups"] = list(source.default_groups.values_list("name", flat=True))
        return cls(initial=initial | {"seen": seen})

    def fields_posted(self) -> SourceFields:
        return SourceFields(**self.cleaned(_NAMES))


class NewSourceForm(SourceForm):
    """A source's fields and its name in addresses, which never changes."""

    slug = forms.CharField(
        label=gettext_lazy("Name in addresses"),
        max_length=63,
        help_text=gettext_lazy(
            "Lower case letters, digits and hyphens. It cannot be changed later."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        error_messages={
            "required": REQUIRED,
            "max_length": gettext_lazy("Shorten it to 63 characters."),
        },
    )
    field_order = ("name", "slug")


class SecretForm(SettingsForm):
    """A new signing secret; GIVEN is one the sender brings."""

    overlap = forms.ChoiceField(
        label=gettext_lazy("The former ones end"), choices=Overlap.choices, initial=Overlap.DAY
    )
    given = forms.CharField(
        label=gettext_lazy("A secret of your own"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "whsec_ and 24 to 64 bytes in base64. Empty: one is made and shown once."
        ),
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        error_messages={"max_length": gettext_lazy("A signing secret holds 24 to 64 bytes.")},
    )


class KeyForm(SettingsForm):
    """A new key for senders that cannot sign."""

    purpose = forms.ChoiceField(
        label=gettext_lazy("It may"),
        choices=SourceKey.Purpose.choices,
        help_text=gettext_lazy("One for events goes to EventBridge; How to send says where."),
    )
    overlap = forms.ChoiceField(
        label=gettext_lazy("The former ones end"), choices=Overlap.choices, initial=Overlap.DAY
    )


class RoleForm(SettingsForm):
    """A role at this source, for one person or one team."""

    may = forms.ChoiceField(label=gettext_lazy("Role here"), choices=SourceRole.Right.choices)
    username = _line(gettext_lazy("Person"), most=150, help_text=gettext_lazy("Their username."))
    group = forms.ChoiceField(
        label=gettext_lazy("Or team"), choices=one_team_choices, required=False
    )
