"""Django's admin: people and teams are kept here; all the rest is only looked at.

What has a desk of its own (requests, decisions, deliveries, sources, kinds, history) is
changed there or not at all. Sealed columns, hashes and payloads are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from approvals import models
from approvals.models.user import ROLES

if TYPE_CHECKING:  # Django's classes take their model as a parameter for the checker only
    AnyAdmin = admin.ModelAdmin[Any]
    AnyUserAdmin = UserAdmin[models.User]
else:
    AnyAdmin, AnyUserAdmin = admin.ModelAdmin, UserAdmin

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


@admin.register(models.RequestKind)
class KindAdmin(Shown):
    """Kinds; admins keep them on a page of the portal."""

    fields = ("label", "slug", "required_approvals", "on_reject", "on_timeout", "reject_reasons",
              "timeout_seconds", "due_in_seconds", "undo_seconds", "presentation")  # fmt: skip
    list_display = ("label", "slug", "required_approvals", "on_reject", "on_timeout")
    ordering = ("slug",)


@admin.register(models.ApprovalRequest)
class RequestAdmin(Shown):
    fields = (
        "public_id", "title", "kind", "source", "state", "requested_by", "on_behalf_of", "agent",
        "required_approvals", "on_reject", "on_timeout", "subject", "payload_sha256", "sent_at",
        "received_at", "due_at", "escalate_at", "answer_by", "callback_expires_at", "held_until",
        "closed_at",
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
              "values", "payload_sha256", "decided_at", "undo_until", "retracted_at")  # fmt: skip
    list_display = ("request", "verdict", "cause", "channel", "reviewer", "decided_at")
    list_filter = ("verdict", "cause", "channel")
    list_select_related = ("request", "reviewer")
    ordering = ("-pk",)


@admin.register(models.Comment)
class CommentAdmin(Shown):
    fields = ("public_id", "request", "kind", "author", "answered_by", "answers", "text",
              "mentioned", "at")  # fmt: skip
    list_display = ("request", "kind", "author", "at")
    list_filter = ("kind",)
    list_select_related = ("request", "author")
    ordering = ("-pk",)


@admin.register(models.QuestionDelivery)
class QuestionAdmin(Shown):
    fields = ("question", "source", "state", "owed_at", "next_attempt_at", "attempts",
              "settled_at", "detail")  # fmt: skip
    list_display = ("question", "source", "state", "attempts", "owed_at", "settled_at")
    list_filter = ("state",)
    list_select_related = ("question", "source")
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
    ordering = ("source", "next_beat_at")  # along its index


@admin.register(models.AuditEvent)
class AuditAdmin(Shown):
    fields = ("request", "seq", "tag", "at", "actor", "actor_name", "facts")
    list_display = ("request", "seq", "tag", "at", "actor_name")
    list_filter = ("tag",)
    list_select_related = ("request",)
    ordering = ("-pk",)


@admin.register(models.Notice)
class NoticeAdmin(Shown):
    fields = ("request", "user", "kind", "comment", "state", "owed_at", "next_attempt_at",
              "attempts", "settled_at", "detail")  # fmt: skip
    list_display = ("request", "user", "kind", "state", "owed_at", "settled_at")
    list_filter = ("state", "kind")
    list_select_related = ("request", "user")
    ordering = ("-pk",)


@admin.register(models.CallbackSource)
class SourceAdmin(Shown):
    """Sources without their secrets and keys; admins keep them on a page of the portal."""

    fields = ("slug", "name", "active", "region", "endpoint_url", "role_arn", "function_arns",
              "allow_local_runner", "questions_url", "questions_mail", "default_users",
              "default_groups", "created_at")  # fmt: skip
    list_display = ("name", "slug", "active", "region")
    ordering = ("slug",)


@admin.register(models.ChangeEvent)
class ChangeAdmin(Shown):
    """History of sources and kinds."""

    fields = ("subject", "seq", "tag", "at", "actor", "actor_name", "facts")
    list_display = ("subject", "seq", "tag", "at", "actor_name")
    list_filter = ("tag",)
    ordering = ("-pk",)
    search_fields = ("subject",)


@admin.register(LogEntry)
class LogAdmin(Shown):
    """What was changed on these pages, and by whom."""

    fields = ("action_time", "user", "content_type", "object_repr", "action_flag",
              "change_message")  # fmt: skip
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_select_related = ("user", "content_type")
