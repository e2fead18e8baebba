"""Every address of the portal."""

from __future__ import annotations

from allauth.account import views as account
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.generic import RedirectView

from portal.accounts import password_reset
from portal.manifest import manifest


class Favicon(RedirectView):
    """Where browsers look without reading a page: the mark, under the name it has now."""

    permanent = True

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        return static("mark.svg")  # per request: the hashed name is known after collectstatic


# A day at most: the hashed name changes with the mark, "permanent" alone would outlive it.
favicon = cache_control(max_age=24 * 60 * 60, public=True)(Favicon.as_view())

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="approvals:queue"), name="home"),
    path("favicon.ico", favicon, name="favicon"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("", include("approvals.urls")),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/password/change/", account.password_change, name="account_change_password"),
    path("accounts/password/reset/", password_reset, name="account_reset_password"),
    path(
        "accounts/password/reset/sent/",
        account.password_reset_done,
        name="account_reset_password_done",
    ),
    path(
        "accounts/password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[0-9A-Za-z-]+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("admin/", admin.site.urls),
]
