"""A reader reports a comment, and comes back to read what came of it."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from archive import queries, reports
from archive.models import Comment
from archive.text import excerpt
from archive.views.page import page

SHOWN = 400  # code points of the comment that the form shows
PRIVATE = "private, no-store"


class ReportForm(forms.Form):
    reason = forms.ChoiceField(
        choices=[(reason, reason) for reason in reports.REASONS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason."},
    )
    note = forms.CharField(max_length=reports.MAX_NOTE, required=False, widget=forms.Textarea(attrs={"rows": 4}))


def report(request: HttpRequest, article_id: int, comment_id: int) -> HttpResponse:
    """The form, and sending it. Only what readers see can be reported; whether others did is told to nobody."""
    article = get_object_or_404(queries.articles().visible_to(request.user).with_site(), pk=article_id)
    comment = get_object_or_404(queries.comments().shown_in(article.pk), pk=comment_id)
    form = ReportForm(request.POST if request.method == "POST" else None)
    problem, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            sent = reports.send(comment, address=_address(request), **form.cleaned_data)
            if sent is not None:
                return HttpResponseRedirect(reverse("report-receipt", args=[sent.token]))
            problem, status = "Too many reports came from your network within the hour. Try again in an hour.", 429
    made = page(
        request,
        "report.html",
        title="Report a comment",
        article=article,
        comment=comment,
        start=excerpt(comment.body[: 4 * SHOWN], SHOWN),
        form=form,
        problem=problem,
        chosen=request.POST.get("reason", ""),
        reasons=reports.REASONS,
        most=reports.MAX_NOTE,
    )
    made.status_code = status
    made.headers["Cache-Control"] = PRIVATE
    return made


def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """What was sent, and what came of it, for who knows the address. No text of the comment: it may be hidden."""
    found = queries.reports().filter(token=token[:43].replace("\0", "")).first()
    if found is None or len(token) > 43:
        raise Http404
    comments = queries.comments().filter(article_id=found.article_id, pk=found.comment_id or 0)
    made = page(
        request,
        "report_sent.html",
        title="Your report",
        report=found,
        place=reverse("comment", args=[found.article_id, found.comment_id]),
        is_there=comments.filter(status=Comment.Status.PUBLISHED).exists(),
    )
    made.headers["Cache-Control"] = PRIVATE
    return made


def _address(request: HttpRequest) -> str:
    """Of the reader, behind as many proxies as the settings trust; one network for all whose address is not known."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return ""
