from typing import Any

from django.db import migrations

from accounts import roles


def make_groups(apps: Any, schema_editor: Any) -> None:
    roles.grant(apps)


class Migration(migrations.Migration):
    """The four groups. After a change of ``accounts.roles``, add a migration like this one: a test asks for it."""

    dependencies = [
        ("accounts", "0001_initial"),
        ("archive", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
