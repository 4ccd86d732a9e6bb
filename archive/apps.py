from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ArchiveConfig(AppConfig):
    name = "archive"
    verbose_name = "Archive"

    def ready(self) -> None:
        from archive import checks  # noqa: F401  registers the system checks


class ArchiveAdminConfig(AdminConfig):
    default_site = "archive.admin.site.ArchiveAdminSite"
