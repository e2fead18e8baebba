"""Django's admin: people, teams and kinds are kept here; all the rest is only looked at.

What has a desk of its own (requests, decisions, deliveries, history) is changed there
or not at all. Sealed columns, hashes and payloads are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, Model
from django.http import HttpRequest

from approvals import models
from approvals.models.user import ROLES

if TYPE_CHECKING:  # Django's classes take their model as a parameter for the checker only
    AnyAdmin = admin.ModelAdmin[Any]
    AnyUserAdmin = UserAdmin[models.User]
    AnyKindForm = forms.ModelForm[models.RequestKind]
else:
    AnyAdmin, AnyUserAdmin, AnyKindForm = admin.ModelAdmin, UserAdmin, forms.ModelForm

# Django's own sign-in page counts no failures: sign in where everybody does.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Countersign"
admin.site.unregister(Group)


class Kept(AnyAdmin):
    """Rows that may be added and changed; never deleted, for others point at them."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Shown(AnyAdmin):
    """Rows that are looked at, by those who may see everything."""

    show_full_result_count = False
    list_per_page = 50

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(getattr(request.user, "sees_everything", False))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.User)
class PeopleAdmin(AnyUserAdmin):
    """People: rights come from roles (groups), so no right is given to one person alone."""

    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "subject")}),
        ("Rights", {"fields": ("is_active", "is_staff", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "display_name", "email", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("username", "first_name", "last_name", "email")

    def has_change_permission(self, request: HttpRequest, obj: models.User | None = None) -> bool:
        """Only a superuser changes a superuser: a password set is a right taken."""
        beyond = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not beyond and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.User | None = None) -> bool:
        return False  # deactivate: history points at people


@admin.register(Group)
class TeamAdmin(Kept):
    """Teams to ask. Roles stand here too, and are as they are."""

    fields = ("name",)
    ordering = ("name",)
    search_fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_role = isinstance(obj, Group) and obj.name in ROLES
        return not is_role and super().has_change_permission(request, obj)


class KindForm(AnyKindForm):
    def clean_presentation(self) -> dict[str, Any]:
        presentation = self.cleaned_data["presentation"] or {}
        if not isinstance(presentation, dict):
            raise forms.ValidationError('Write a JSON object, such as {"labels": {}}.')
        return presentation


@admin.register(models.RequestKind)
class KindAdmin(Kept):
    form = KindForm
    list_display = ("label", "slug", "required_approvals", "on_reject", "on_timeout")
    filter_horizontal = ("default_users", "default_groups")

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "default_groups":  # a role is never a team to ask
            kwargs["queryset"] = Group.objects.exclude(name__in=ROLES)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(models.ApprovalRequest)
class RequestAdmin(Shown):
    fields = (
        "public_id", "title", "kind", "source", "state", "requested_by", "on_behalf_of", "agent",
        "required_approvals", "on_reject", "on_timeout", "subject", "payload_sha256", "sent_at",
        "received_at", "due_at", "escalate_at", "answer_by", "callback_expires_at", "closed_at",
        "withdrawal", "closed_because", "claimed_by", "claimed_until",
    )  # fmt: skip
    list_display = ("title", "kind", "source", "state", "received_at", "answer_by")
    list_filter = ("state", "kind", "source")
    list_select_related = ("kind", "source")
    ordering = ("-pk",)
    search_fields = ("public_id",)


@admin.register(models.Decision)
class DecisionAdmin(Shown):
    fields = ("public_id", "request", "verdict", "cause", "channel", "reviewer", "comment",
              "values", "payload_sha256", "decided_at")  # fmt: skip
    list_display = ("request", "verdict", "cause", "channel", "reviewer", "decided_at")
    list_filter = ("verdict", "cause", "channel")
    list_select_related = ("request", "reviewer")
    ordering = ("-pk",)


@admin.register(models.CallbackDelivery)
class DeliveryAdmin(Shown):
    fields = ("request", "source", "verb", "state", "owed_at", "next_attempt_at", "give_up_at",
              "attempts", "in_flight", "unknown_attempt", "last_attempt_at", "last_reply",
              "detail", "settled_at")  # fmt: skip
    list_display = ("request", "verb", "state", "attempts", "last_reply", "owed_at", "settled_at")
    list_filter = ("state", "verb")
    list_select_related = ("request",)
    ordering = ("-pk",)


@admin.register(models.Heartbeat)
class HeartbeatAdmin(Shown):
    fields = ("request", "source", "interval", "next_beat_at", "last_beat_at", "beats", "misses",
              "trouble")  # fmt: skip
    list_display = ("request", "interval", "next_beat_at", "last_beat_at", "beats", "misses")
    list_select_related = ("request",)
    ordering = ("next_beat_at",)


@admin.register(models.AuditEvent)
class AuditAdmin(Shown):
    fields = ("request", "seq", "tag", "at", "actor", "actor_name", "facts")
    list_display = ("request", "seq", "tag", "at", "actor_name")
    list_filter = ("tag",)
    list_select_related = ("request",)
    ordering = ("-pk",)


@admin.register(models.Notice)
class NoticeAdmin(Shown):
    fields = ("request", "user", "kind", "state", "owed_at", "next_attempt_at", "attempts",
              "settled_at", "detail")  # fmt: skip
    list_display = ("request", "user", "kind", "state", "owed_at", "settled_at")
    list_filter = ("state", "kind")
    list_select_related = ("request", "user")
    ordering = ("-pk",)


@admin.register(models.CallbackSource)
class SourceAdmin(Shown):
    """Sources without their secrets and keys; `manage.py create_source` makes one."""

    fields = ("slug", "name", "active", "region", "endpoint_url", "role_arn", "function_arns",
              "allow_local_runner", "default_users", "default_groups", "created_at")  # fmt: skip
    list_display = ("name", "slug", "active", "region")
    ordering = ("slug",)


@admin.register(LogEntry)
class LogAdmin(Shown):
    """What was changed on these pages, and by whom."""

    fields = ("action_time", "user", "content_type", "object_repr", "action_flag",
              "change_message")  # fmt: skip
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_select_related = ("user", "content_type")
