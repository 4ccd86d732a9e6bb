from typing import Any

from django.db import migrations

from accounts import roles


def make_groups(apps: Any, schema_editor: Any) -> None:
    roles.grant(apps)


class Migration(migrations.Migration):
    """Administrators may invite."""

    dependencies = [("accounts", "0003_sign_in")]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
