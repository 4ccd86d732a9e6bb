"""Settings, read from the environment only. README lists every variable; archive/checks.py checks them at start."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.csp import CSP

from archive import postgres

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str) -> bool:
    return env(name).lower() in {"1", "true", "yes", "on"}


def listed(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def database(url: str) -> dict[str, Any]:
    """Django's settings for ``url``; for an empty one, the embedded server's."""
    if not url:
        return {"ENGINE": "django.db.backends.postgresql", **postgres.connection(DATA_DIR)}
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def mailer(url: str) -> dict[str, Any]:
    """Django's settings of how mail leaves for ``url``; for an empty one, it is written to standard error."""
    parts = urlsplit(url)
    if parts.scheme not in MAIL_SCHEMES:
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend", "OPTIONS": {"stream": sys.stderr}}
    options = {
        "host": unquote(parts.hostname or ""),
        "port": parts.port or MAIL_SCHEMES[parts.scheme],
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_tls": parts.scheme == "smtp",
        "use_ssl": parts.scheme == "smtps",
        "timeout": 10,
    }
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


# Their usual ports: encrypted from the first byte, encrypted by STARTTLS, and not at all.
MAIL_SCHEMES = {"smtps": 465, "smtp": 587, "smtp+plain": 25}

# Everything that is this installation's own and not in the repository: the embedded server, the generated key.
DATA_DIR = Path(env("AFTERWORD_DATA") or BASE_DIR / ".afterword")
SITE_NAME = env("AFTERWORD_NAME", "Afterword")

DEBUG = flag("AFTERWORD_DEBUG")
SECRET_KEY = env("AFTERWORD_SECRET_KEY") or postgres.local_secret(DATA_DIR)
ALLOWED_HOSTS = listed("AFTERWORD_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = listed("AFTERWORD_ORIGINS")

INSTALLED_APPS = [
    "accounts.apps.AccountsConfig",
    "archive.apps.ArchiveConfig",
    "archive.apps.ArchiveAdminConfig",
    "django.contrib.auth",
    "django.contrib.humanize",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_filters",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "archive.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "archive.logs.RequestLogMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "archive.page_cache.PageCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "accounts.middleware.LastUseMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "archive.urls"
WSGI_APPLICATION = "archive.wsgi.application"

# Public pages are Jinja2 (ten times faster on a page of 1,000 comments); the admin's are Django's own.
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "public"],
        "OPTIONS": {
            "environment": "archive.views.environment.environment",
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "staff"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database(env("DATABASE_URL"))}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["CONN_MAX_AGE"] = 60
# What web and workers run as; what migrates does not set it. See archive/database_role.py.
DATABASE_ROLE = env("AFTERWORD_DATABASE_ROLE")
if DATABASE_ROLE:
    DATABASES["default"].setdefault("OPTIONS", {})["assume_role"] = DATABASE_ROLE
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
ROLE_SCOPE_MODEL = "archive.Site"  # what roles can be narrowed to
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]

# Signing in: django-allauth, with what is ours in accounts/. Whose role works in the admin needs a second factor.
REQUIRE_MFA = flag("AFTERWORD_REQUIRE_MFA")
OPEN_REGISTRATION = flag("AFTERWORD_OPEN_REGISTRATION")
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # the page says who is signed in, and why they were sent there
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # of who registered; see accounts.adapter.ConfirmAddressStage
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.ChangePasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
# Wrong passwords are counted in Postgres, right under parallel attempts: see accounts.attempts.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.AuthenticateForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "activate_totp": "accounts.forms.ActivateTOTPForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True  # who may sign in at all may protect their account
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # a code of 30 seconds ago, or ahead: clocks differ
# Proxies in front, each of which adds an address to X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = int(env("AFTERWORD_PROXIES") or 0)
INVITATION_DAYS = 7
DEFAULT_FROM_EMAIL = env("AFTERWORD_EMAIL_FROM", "afterword@localhost")
MAILERS = {"default": mailer(env("AFTERWORD_EMAIL_URL"))}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# With a folder for `collectstatic`, as in the image, files are hashed, compressed and cached for good; without one
# they are served straight from where they lie.
STATIC_ROOT = env("AFTERWORD_STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "archive.staticfiles.HashedFiles"
    },
}

# Everything comes from this host; nothing inline.
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
HTTPS = flag("AFTERWORD_HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
# Without https, browsers give passkeys to pages of this machine alone, whose origin fido2 would refuse.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"
# Whether other hosts of the domain speak https, and for ever, is not this application's to promise. An archive works
# without mail; archive.W005 says what it lacks then.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "mail.E001"]

# Limits. Each says in its error what to do at it.
MAX_UPLOAD_BYTES = 32 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_UPLOAD_BYTES + 64 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# Memory for finished pages, in each process; 0 keeps none.
PAGE_CACHE_BYTES = int(env("AFTERWORD_PAGE_CACHE_MB") or 32) * 1024 * 1024

COMMENTS_PER_PAGE = 200
MATCHES_PER_PAGE = 50  # each comes with what it replies to
COMMENTS_PER_PRINT = 2_000  # of a thread printed in one piece
RESULTS_PER_PAGE = 20

# A model that can be asked how a bare text is made up, where the archivist has one. Off unless an import asks for it.
READING_MODEL_URL = env("AFTERWORD_READING_MODEL_URL")
READING_MODEL_NAME = env("AFTERWORD_READING_MODEL_NAME")
READING_MODEL_KEY = env("AFTERWORD_READING_MODEL_KEY")
READING_MODEL_CALIBRATION = env("AFTERWORD_READING_MODEL_CALIBRATION")

SPACY_MODEL = env("AFTERWORD_SPACY_MODEL", "en_core_web_sm")
# Words are stemmed in these languages (ISO 639-1); in every other they are matched as written.
SEARCH_LANGUAGES = listed("AFTERWORD_SEARCH_LANGUAGES", "en,de,fr")

# Plain text of which something is less sure than this waits for an archivist; 0 publishes everything at once.
REVIEW_BELOW = float(env("AFTERWORD_REVIEW_BELOW") or 0)

# Of what is published, the replies and dates that are less sure than this are asked about in the queue; 0 asks nothing.
DOUBT_BELOW = float(env("AFTERWORD_DOUBT_BELOW") or 0)

# Whether everyone may read what was decided on comments and articles, and why; never the text.
PUBLIC_LOG = flag("AFTERWORD_PUBLIC_LOG")

# Cases. The list of what was erased lies outside of the database, so that it outlives the restoring of a backup.
SUPPRESSIONS = env("AFTERWORD_SUPPRESSIONS") or str(DATA_DIR / "suppressions.jsonl")
ERASE_AFTER_DAYS = float(env("AFTERWORD_ERASE_AFTER_DAYS") or 14)
ERASE_TWO_PEOPLE = flag("AFTERWORD_ERASE_TWO_PEOPLE")

# "module:function" of a scorer: a comment's text to a number from 0 to 1, which sorts what waits for a moderator.
SCORER = env("AFTERWORD_SCORER")

LOG_FORMAT = env("AFTERWORD_LOG_FORMAT", "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "archive.logs.JsonFormatter"},
        "text": {"format": "{asctime} {levelname:7} {name}: {message}", "style": "{"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env("AFTERWORD_LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "procrastinate": {"handlers": [], "level": "WARNING"},
    },
}
