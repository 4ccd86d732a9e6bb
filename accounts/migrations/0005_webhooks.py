from typing import Any

from django.db import migrations

from accounts import roles


def make_groups(apps: Any, schema_editor: Any) -> None:
    roles.grant(apps)


class Migration(migrations.Migration):
    """Administrators name the servers that are told what was decided."""

    dependencies = [("accounts", "0004_invite"), ("archive", "0017_notices")]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
