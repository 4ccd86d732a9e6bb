"""How one is told what waits, and which servers are told what was decided."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite, display
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive import notices, outgoing, queries
from archive.admin.site import ModelAdmin, badge, moment, workplace
from archive.models import Subscription, Webhook
from archive.models.notice import new_secret

EXAMPLE = "Afterword-Signature: t=1790000000,v1=hex of HMAC-SHA256(secret, t + “.” + body)"


class DigestForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Subscription
        fields = ("digest",)
        widgets = {"digest": forms.RadioSelect}
        labels = {"digest": "A mail with what waits"}


class Notices:
    """The page of one's own notices, on one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        return [path("notices/", self.site.admin_view(self.page), name="notices")]

    def page(self, request: HttpRequest) -> HttpResponse:
        by: Any = request.user
        subscription = notices.subscription_of(by)
        form = DigestForm(request.POST or None, instance=subscription, label_suffix="")
        if request.method == "POST" and "renew" in request.POST:
            subscription.token = new_secret()
            subscription.save(update_fields=["token"])
            messages.success(request, "The feed has a new address; the old one leads nowhere.")
            return HttpResponseRedirect(reverse("admin:notices"))
        if request.method == "POST" and form.is_valid():
            form.save()
            messages.success(request, "Saved.")
            return HttpResponseRedirect(reverse("admin:notices"))
        feed = request.build_absolute_uri(reverse("waiting-feed", args=[subscription.token]))
        context = {
            **self.site.each_context(request),
            "title": "Notices",
            "form": form,
            "email": by.email,
            "feed": feed,
            "waits": notices.waiting_for(by),
        }
        return TemplateResponse(request, "admin/archive/notices/page.html", context)


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Webhook
        fields = ("url", "is_on")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            outgoing.endpoint_of(url)
        except ValueError as error:
            raise forms.ValidationError(f"{error}.".capitalize()) from error
        return url


@workplace(Webhook)
class WebhookAdmin(ModelAdmin[Webhook]):
    """Servers that are told what was decided, from the first decision on after they are added."""

    form = WebhookForm
    list_display = ("url", "state", "told_until", "trouble")
    fields = ("url", "is_on", "secret_shown", "told_until", "trouble")
    readonly_fields = ("secret_shown", "told_until", "trouble")
    empty_value_display = ""

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        return self.fields if obj else ("url", "is_on")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**one_way, **(extra_context or {})})

    @display(description="state")
    def state(self, hook: Webhook) -> SafeString:
        if not hook.is_on:
            return badge("hidden", "off")
        return badge("rejected", "failing") if hook.failures else badge("published", "on")

    @display(description="told")
    def told_until(self, hook: Webhook) -> str:
        return f"up to decision {hook.cursor}, {moment(hook.delivered_at)}" if hook.delivered_at else "nothing yet"

    @display(description="secret")
    def secret_shown(self, hook: Webhook) -> SafeString:
        return format_html("<code>{}</code><br>{}", hook.secret, EXAMPLE)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if not change:
            obj.cursor = queries.decisions().last_number()
        elif obj.is_on:  # tried again at once
            obj.failures, obj.next_at = 0, None
        super().save_model(request, obj, form, change)
