"""People and their roles. What a role may do is written in ``accounts.roles`` and nowhere else."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from accounts import roles
from accounts.models import User
from accounts.staff import follow_roles

WHO = (None, {"fields": ("username", "password")})
NAMES = ("Name and address", {"fields": ("first_name", "last_name", "email")})
ROLE = ("Role", {"fields": ("is_active", "groups")})
POWERS = ("Beyond roles", {"fields": ("is_superuser", "user_permissions")})
DATES = ("Dates", {"fields": ("last_login", "date_joined")})


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Whether someone may enter the admin follows from their role: nobody ticks it."""

    list_display = ("username", "email", "role", "is_active", "last_seen")
    list_filter = ("groups", "is_active")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("user_permissions",)
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = ""

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="role")
    def role(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join((["superuser"] if user.is_superuser else []) + names) or "none"

    @admin.display(description="last signed in")
    def last_seen(self, user: User) -> str:
        return f"{user.last_login.astimezone(UTC):%-d %b %Y, %H:%M}" if user.last_login else "never"

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Four roles are four boxes to tick, not two lists to move names between."""
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple()
        found = super().formfield_for_manytomany(db_field, request, **kwargs)
        if found and db_field.name == "groups":
            found.help_text = "What each role may do is listed under Groups."
        return found

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        return [WHO, NAMES, ROLE, *([POWERS] if _is_superuser(request) else []), DATES]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """An administrator who could set a superuser's password would be one."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or _is_superuser(request))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts are switched off and stay: the log names them."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        follow_roles(form.instance)


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """The roles, to be looked at: a change belongs into the table, with a migration."""

    list_display = ("name", "may")

    @admin.display(description="may")
    def may(self, group: Group) -> str:
        return ", ".join(sorted(roles.ROLES.get(group.name, ()))).replace("_", " ") or "read"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
