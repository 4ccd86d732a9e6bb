"""People and their roles. What a role may do is written in ``accounts.roles`` and nowhere else."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar

# Imported so that what they register can be taken away again, whichever admin module is found first.
import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.forms import CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html

from accounts import invitations, roles
from accounts.models import Invitation, User
from accounts.staff import follow_roles, vouch_for_address

WHO = (None, {"fields": ("username", "password")})
NAMES = ("Name and address", {"fields": ("first_name", "last_name", "email")})
ROLE = ("Role", {"fields": ("is_active", "groups", "archivist_sites", "moderator_sites")})
POWERS = ("Beyond roles", {"fields": ("is_superuser", "user_permissions")})
ONLY_ON = "None ticked: on all sites."
MOST_SITES = 1_000  # that can be chosen from
DATES = ("Dates", {"fields": ("last_login", "date_joined")})


class NotThere:
    """What is not there is 404, as what one may not see is; Django would tell them apart."""

    def _get_obj_does_not_exist_redirect(self, *asked: Any) -> HttpResponse:
        raise Http404


class SitesField(MultipleChoiceField):
    """Sites to tick, in a box that scrolls where they are many."""

    widget = CheckboxSelectMultiple(attrs={"class": "sites"})


def site_choices() -> list[tuple[int, str]]:
    sites = apps.get_model(settings.ROLE_SCOPE_MODEL)._default_manager.order_by("name")
    return [(site.pk, str(site)) for site in sites[:MOST_SITES]]


class PersonForm(UserChangeForm):  # type: ignore[type-arg]
    """An account, with the sites that each of its roles is narrowed to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_active"].help_text = "Without it nobody can sign in. Accounts stay: the log names them."
        choices = site_choices()
        for role in roles.SCOPED_ROLES:
            field: Any = self.fields[f"{role}_sites"]
            field.choices = choices
            self.initial[f"{role}_sites"] = self.instance.scopes.get(role, [])

    archivist_sites = SitesField(label="As archivist, only on", required=False, help_text=ONLY_ON)
    moderator_sites = SitesField(label="As moderator, only on", required=False, help_text=ONLY_ON)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        chosen = {role: self.cleaned_data.get(f"{role}_sites") for role in roles.SCOPED_ROLES}
        self.instance.scopes = {role: sorted(map(int, sites)) for role, sites in chosen.items() if sites}
        return cleaned


@method_decorator(reauthentication_required, name="changeform_view")
@method_decorator(reauthentication_required, name="user_change_password")
@method_decorator(reauthentication_required(allow_get=True), name="changelist_view")
@admin.register(User)
class PersonAdmin(NotThere, UserAdmin):  # type: ignore[type-arg]
    """Whether someone may enter the admin follows from their role: nobody ticks it. Changes are made in sudo mode."""

    form = PersonForm

    list_display = ("username", "email", "role", "is_active", "last_seen")
    list_filter = ("groups", "is_active")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("user_permissions",)
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = ""
    actions = ("take_away_second_factors",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.action(description="Take away second factors", permissions=["change"])
    def take_away_second_factors(self, request: HttpRequest, queryset: Any) -> None:
        """For somebody who has lost their phone, their passkey and their recovery codes."""
        people = [person for person in queryset if self.has_change_permission(request, person)]
        Authenticator.objects.filter(user__in=people).delete()
        names = ", ".join(person.get_username() for person in people) or "nobody"
        messages.success(request, f"Of {names}, nothing but the password is asked at the next sign-in.")

    @admin.display(description="role")
    def role(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        names = [f"{name} on {len(user.scopes[name])}" if name in user.scopes else name for name in names]
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
            link = format_html('<a href="{}">What each role may do</a>', reverse("accounts:roles"))
            found.help_text = link
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
        vouch_for_address(form.instance)


# Addresses, second factors and sessions belong to their owners, who have pages for them.
for mine in (Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(mine)


class InvitationForm(ModelForm):  # type: ignore[type-arg]
    """Who is asked to help, as what, and where."""

    sites = SitesField(label="Only on", required=False, help_text=ONLY_ON)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["sites"]
        field.choices = site_choices()

    def clean_sites(self) -> list[int]:
        chosen = [int(pk) for pk in self.cleaned_data["sites"]]
        if chosen and self.cleaned_data.get("role") not in roles.SCOPED_ROLES:
            raise ValidationError("Only archivists and moderators can be narrowed to sites.")
        return chosen


@method_decorator(reauthentication_required, name="changeform_view")
@admin.register(Invitation)
class InvitationAdmin(NotThere, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is asked to help, and as what. The link is shown once, to its maker, and sent where there is an address."""

    form = InvitationForm
    list_display = ("for_whom", "as_what", "state", "made_by", "made")
    list_filter = ("role",)
    list_select_related = ("made_by", "used_by")
    ordering = ("-id",)
    fields = ("role", "sites", "email")
    radio_fields: ClassVar = {"role": admin.VERTICAL}
    actions = ("withdraw",)
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description="as")
    def as_what(self, invitation: Invitation) -> str:
        count = len(invitation.sites)
        return f"{invitation.role} on {count} site{'' if count == 1 else 's'}" if count else invitation.role

    @admin.display(description="for")
    def for_whom(self, invitation: Invitation) -> str:
        return invitation.email or "whoever has the link"

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        if invitation.used_by:
            return f"used by {invitation.used_by}"
        return "open" if invitation.expires_at > timezone.now() else "over"

    @admin.display(description="made")
    def made(self, invitation: Invitation) -> str:
        return f"{invitation.made_at.astimezone(UTC):%-d %b %Y, %H:%M}"

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False, "title": "Invite somebody"}
        return super().add_view(request, form_url, one_button)

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:accounts_invitation_changelist"))

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        by: Any = request.user
        made, token = invitations.invite(role=obj.role, email=obj.email, by=by, sites=obj.sites)
        obj.pk = made.pk
        link = request.build_absolute_uri(reverse("accounts:invitation", args=[token]))
        if made.email:
            invitations.send(made, link)
        words = "{} It is shown only this once: {}"
        sent = f"The link was sent to {made.email}." if made.email else "Give this link to whom it is for."
        messages.success(request, format_html(words, sent, link))

    @admin.action(description="Withdraw", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: Any) -> None:
        count = invitations.withdraw(queryset)
        messages.success(request, f"{count:,} invitation{'' if count == 1 else 's'} withdrawn.")


@admin.register(Group)
class RoleAdmin(NotThere, GroupAdmin):
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
