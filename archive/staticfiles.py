"""Static files named by what is in them, those that a script imports as well."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """A module imports the hashed names: otherwise an old copy of one could run beside a new one of another."""

    support_js_module_import_aggregation = True
