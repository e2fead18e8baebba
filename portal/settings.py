"""One settings module for every environment; what differs comes from portal.env."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from celery.schedules import schedule
from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from portal import env as environment
from portal.logs import configure_structlog, logging_config

env = environment.read()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- Countersign's own knobs: typed, with their unit -------------------------------
FIELD_KEYS = [(item.key_id, item.key.get_secret_value()) for item in env.field_keys]
AUDIT_KEY = env.audit_key.get_secret_value()
BASE_URL = env.base_url.rstrip("/")
WEBHOOK_TOLERANCE = timedelta(seconds=300)
DELIVERY_LEASE = env.delivery_lease
HEARTBEATS_PER_SECOND = env.heartbeats_per_second
WORKER_SEEN_WITHIN = env.worker_seen
# What is asked of AWS beside answers and beats, for one source over all workers: its API
# allows little of it, and the same quota serves whoever else asks in that account.
RECONCILE_INTERVAL = env.reconcile_interval
LOOKS_PER_SECOND = env.looks_per_second
HISTORIES_PER_SECOND = env.histories_per_second
METRICS_TOKEN = env.metrics_token.get_secret_value()
TRACES_URL = env.traces_url
CLAIM_LASTS = timedelta(minutes=10)
REDIS_URL = env.redis_url
# Questions go to public addresses over https. The demo may ask this machine and its network too.
QUESTIONS_TO_PRIVATE = env.insecure_http

# --- Django --------------------------------------------------------------------------
SECRET_KEY = env.secret_key.get_secret_value()
SECRET_KEY_FALLBACKS = [key.get_secret_value() for key in env.secret_key_fallbacks]
DEBUG = env.debug
ALLOWED_HOSTS = env.allowed_hosts
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = env.time_zone
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
# What nobody chose anything for is in English: programs, logs, and whatever is written down.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]

INSTALLED_APPS = [
    "portal",
    "approvals",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "django_linear_migrations",
    "django_structlog",
    "template_partials",
]

# Those of portal.middleware are the ones they are named for, less what programs need not.
MIDDLEWARE = [
    "approvals.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.Assets",
    "portal.middleware.ContentPolicy",
    "portal.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.middleware.People",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.RequestLog",
    "portal.middleware.Htmx",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]


# --- PostgreSQL ----------------------------------------------------------------------
def _database(
    url: str, *, statement_timeout_seconds: int, prepared_statements: bool
) -> dict[str, Any]:
    parts: dict[str, Any] = dict(conninfo_to_dict(url))
    limits = {
        "statement_timeout": f"{statement_timeout_seconds}s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        # For prepared statements alone: they walk indexes whatever the values, and planning
        # them anew, as the first five runs would, costs several times the run.
        "plan_cache_mode": "force_generic_plan",
    }
    return {
        "ENGINE": "portal.postgresql",
        "NAME": parts.pop("dbname", "postgres"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        # Reuse matters most of all: a connection per request costs three times the CPU.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # Only those that ask for it (approvals.models.sql), and then from the first time.
            "prepare_threshold": 0 if prepared_statements else None,
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            **parts,
        },
    }


DATABASES = {
    "default": _database(
        env.database_url,
        statement_timeout_seconds=env.statement_timeout_seconds,
        prepared_statements=env.prepared_statements,
    )
}

# --- Redis / Valkey: cache and throttles. The queue of work is the database. ------------
CACHES = {
    "default": {
        "BACKEND": "portal.cache.RedisOrMemoryCache",
        "LOCATION": env.redis_url,
        "KEY_PREFIX": "countersign",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}

# --- Celery: bells and sweeps --------------------------------------------------------------
CELERY_BROKER_URL = env.redis_url
CELERY_TIMEZONE = "UTC"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_TASK_SOFT_TIME_LIMIT = 25
CELERY_TASK_TIME_LIMIT = 40
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = "sweep"
CELERY_TASK_QUEUES: dict[str, dict[str, Any]] = {
    "deliver": {},
    "heartbeat": {},
    "clock": {},
    "sweep": {},
    "notify": {},
}
CELERY_TASK_ROUTES = {
    "approvals.deliver_callbacks": {"queue": "deliver"},
    "approvals.stand_by": {"queue": "deliver"},
    "approvals.send_heartbeats": {"queue": "heartbeat"},
    "approvals.expire_requests": {"queue": "clock"},
    "approvals.send_notices": {"queue": "notify"},
    "approvals.send_questions": {"queue": "notify"},
    "approvals.*": {"queue": "sweep"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever, at the pace of portal.broker
# A ring may cost a reviewer's click half a second, once (approvals.doorbell).
CELERY_BROKER_CONNECTION_TIMEOUT = 0.5
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "health_check_interval": 25,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_BEAT_SCHEDULE = {
    name: {"task": f"approvals.{name}", "schedule": schedule(seconds), "options": {"expires": 10}}
    for name, seconds in {
        "send_heartbeats": 1.0,
        "deliver_callbacks": 5.0,
        "stand_by": 5.0,
        "expire_requests": 1.0,
        "send_notices": 5.0,
        "send_questions": 5.0,
        "look_at_executions": 5.0,
        "read_histories": 5.0,
        "count_events": 5.0,
        "index_requests": 2.0,
        "seal_history": 60.0,
        "clear_sessions": 3600.0,
    }.items()
}

# --- People ------------------------------------------------------------------------------
AUTH_USER_MODEL = "approvals.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
    }.items()
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "approvals:queue"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {
    "login": "portal.accounts.SignInForm",
    "change_password": "portal.accounts.ChangeForm",
    "reset_password": "portal.accounts.ResetForm",
    "reset_password_from_key": "portal.accounts.NewPasswordForm",
}
ACCOUNT_ADAPTER = "portal.accounts.ClosedAccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.behind_proxy else 0  # whose address the limits count
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "change_password": "10/m/user",  # it takes the current one, so it can be guessed with
    "reset_password": "20/m/ip,3/5m/key",  # key: the address that would get the mail
    "reset_password_from_key": "20/m/ip",
}
ACCOUNT_EMAIL_NOTIFICATIONS = True  # whoever did not change it must hear of it
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())

# --- Browser -------------------------------------------------------------------------------
SECURE = not env.insecure_http
SESSION_ENGINE = "approvals.models.session"  # each comes with its person, in one statement
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.behind_proxy else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Assets --------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = env.static_root if env.static_root.is_absolute() else BASE_DIR / env.static_root
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "staticfiles": {"BACKEND": "portal.storage.JoinedStorage"},
}
if DEBUG:  # pages work before collectstatic was run
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

# --- Mail --------------------------------------------------------------------------------
_mail = urlsplit(env.email_url)
EMAIL_BACKEND = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
}.get(_mail.scheme, "django.core.mail.backends.smtp.EmailBackend")
EMAIL_FILE_PATH = _mail.path if _mail.scheme == "file" else None
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT = _mail.port or 25
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.email_from
SERVER_EMAIL = env.email_from

# --- Logs ----------------------------------------------------------------------------------
configure_structlog()
LOG_LEVEL = env.log_level
LOGGING = logging_config(LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line for each request is enough
