from typing import Any

from django.db import migrations

from accounts import roles


def make_groups(apps: Any, schema_editor: Any) -> None:
    roles.grant(apps)


class Migration(migrations.Migration):
    """Administrators remove views that others share."""

    dependencies = [("accounts", "0006_scopes"), ("archive", "0021_saved_views")]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
