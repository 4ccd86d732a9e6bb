"""The archivist's and the moderator's workplaces: who may open what, and what happens there."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive import moderation
from archive.ingest import importer
from archive.models import Article, Case, Comment, Decision, Entity, Mention, Report, Site, Source
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
A, M, B = {"archivist"}, {"moderator"}, {"archivist", "moderator"}
LISTS = {
    "source": A,
    "site": A,
    "article": B,
    "comment": B,
    "author": B,
    "entity": B,
    "mention": B,
    "decision": B,
    "report": M,
    "case": M,
}
IMPORT = "admin:archive_source_import"


def sign_in(client: Client, role: str) -> User:
    user = make_user(role)
    client.force_login(user)
    return user


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def one_of_each() -> dict[str, Any]:
    """A row for each page that shows one."""
    article = make_article(title="On buses", comments="a(b)")
    comment = comments_of(article)[0]
    entity = Entity.objects.create(kind="person", name="Ann", mention_count=1)
    mention = Mention.objects.create(
        article=article, comment=comment, entity=entity, revision=1, start=0, end=1, surface="a"
    )
    decision = moderation.hide(comments_of(article)[1], by=make_user("moderator"), reason="insult").decision
    report = Report.objects.create(article_id=article.pk, reason="rude", snapshot="a")
    case = Case.objects.create(kind="erasure", requester="Ann", basis="a law")
    rows = [article, comment, entity, mention, decision, report, case, article.site]
    return {str(row._meta.model_name): row for row in rows if row}


@pytest.mark.parametrize("role", ["reader", "archivist", "moderator", "administrator"])
@pytest.mark.parametrize("model", LISTS)
def test_lists_open_for_the_roles_that_may(client: Client, one_of_each: dict[str, Any], model: str, role: str) -> None:
    sign_in(client, role)
    answer = client.get(reverse(f"admin:archive_{model}_changelist"))
    expected = 200 if role == "administrator" or role in LISTS[model] else 404
    assert answer.status_code == expected


@pytest.mark.parametrize("role", ["reader", "archivist", "moderator", "administrator"])
@pytest.mark.parametrize("model", ["article", "comment", "entity", "mention", "decision", "report", "case", "site"])
def test_pages_open_for_the_roles_that_may(client: Client, one_of_each: dict[str, Any], model: str, role: str) -> None:
    sign_in(client, role)
    answer = client.get(reverse(f"admin:archive_{model}_change", args=[one_of_each[model].pk]))
    expected = 200 if role == "administrator" or role in LISTS[model] else 404
    assert answer.status_code == expected


@pytest.mark.parametrize("role", ["archivist", "moderator", "administrator"])
@pytest.mark.parametrize("model", [name for name in LISTS if name not in {"site", "case", "source"}])
def test_nobody_adds_or_deletes_what_was_imported(
    client: Client, one_of_each: dict[str, Any], model: str, role: str
) -> None:
    sign_in(client, role)
    assert client.get(reverse(f"admin:archive_{model}_add")).status_code == 404
    if model in one_of_each:
        row = one_of_each[model]
        assert client.post(reverse(f"admin:archive_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 404


@pytest.mark.parametrize("role", ["archivist", "moderator", "administrator"])
def test_the_first_page_opens_for_everyone_who_works_here(
    client: Client, one_of_each: dict[str, Any], role: str
) -> None:
    sign_in(client, role)
    text = text_of(client.get(reverse("admin:index")))
    assert ("Import a discussion" in text) == (role != "moderator")
    assert ("Work on the queue" in text) == (role != "archivist")


@pytest.mark.parametrize("view", ["admin:index", IMPORT, "admin:archive_comment_changelist", "admin:login"])
def test_strangers_are_sent_to_the_one_sign_in_page(client: Client, view: str) -> None:
    answer = client.get(reverse(view), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("accounts:sign-in") + "?next=/admin/")


def test_nothing_on_these_pages_needs_an_inline_style_or_script(client: Client, one_of_each: dict[str, Any]) -> None:
    sign_in(client, "administrator")
    addresses = [reverse("admin:index"), reverse(IMPORT)]
    addresses += [reverse(f"admin:archive_{model}_changelist") for model in LISTS]
    addresses += [reverse(f"admin:archive_{m}_change", args=[row.pk]) for m, row in one_of_each.items()]
    for address in addresses:
        text = text_of(client.get(address))
        assert not any(found in text for found in (" style=", "<style", "<script>", " onclick=")), address


# Importing


class Jobs:
    """Stands in for the queue: what was deferred."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from archive import jobs

        self.deferred: list[dict[str, Any]] = []
        monkeypatch.setattr(jobs.import_received, "defer", lambda **given: self.deferred.append(given))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    return Jobs(monkeypatch)


def send(client: Client, **fields: Any) -> HttpResponse:
    answer: Any = client.post(reverse(IMPORT), {"text": "", "site": "Unsorted", "format": "", **fields})
    return answer  # type: ignore[no-any-return]


def test_a_pasted_text_is_kept_and_left_to_a_worker(client: Client, queue: Jobs) -> None:
    user = sign_in(client, "archivist")
    answer = send(client, text="Title\r\n\r\nA comment.", site="The Courier")
    source = Source.objects.get()
    assert answer["Location"] == reverse("admin:archive_source_progress", args=[source.pk])
    assert (source.name, source.size, source.received_by) == ("pasted: Title", 17, user)
    assert queue.deferred == [{"source_id": source.pk, "site": "The Courier", "format": None, "reading_model": ""}]


def test_an_uploaded_file_is_kept_byte_for_byte(client: Client, queue: Jobs) -> None:
    sign_in(client, "archivist")
    send(client, upload=SimpleUploadedFile("bus.txt", b"Title\r\n\r\nA comment."))
    assert (Source.objects.get().name, Source.objects.get().size) == ("bus.txt", 19)


def test_no_reading_model_is_offered_where_none_is_set(client: Client) -> None:
    sign_in(client, "archivist")
    assert "reading_model" not in text_of(client.get(reverse(IMPORT)))


def test_the_reading_model_is_asked_only_where_the_box_is_ticked(client: Client, queue: Jobs, settings: Any) -> None:
    settings.READING_MODEL_URL, settings.READING_MODEL_NAME = "https://api.example.org/v1", "reader-1"
    sign_in(client, "archivist")
    form = text_of(client.get(reverse(IMPORT)))
    assert "Let reader-1 at api.example.org read it" in form
    send(client, text="a")
    asked = send(client, text="b", reading_model="reader-1 at api.example.org")
    assert [job["reading_model"] for job in queue.deferred] == [""]
    client.post(asked["Location"], {"site": "S", "agree": "reader-1 at api.example.org"})
    assert [job["reading_model"] for job in queue.deferred] == ["", "reader-1 at api.example.org"]


def test_consent_to_another_reading_model_is_no_consent(client: Client, queue: Jobs, settings: Any) -> None:
    settings.READING_MODEL_URL, settings.READING_MODEL_NAME = "https://api.example.org/v1", "reader-1"
    sign_in(client, "archivist")
    answer = send(client, text="b", reading_model="reader-1 at localhost")
    assert (answer.status_code, queue.deferred) == (422, [])
    assert "Another reading model is set now" in text_of(answer)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Nothing was given"),
        ({"text": "  \n"}, "Nothing was given"),
        ({"text": "a", "upload": SimpleUploadedFile("a.txt", b"a")}, "Both a text and a file"),
        ({"upload": SimpleUploadedFile("a.txt", b"")}, "a.txt is empty"),
        ({"text": "a", "site": ""}, "This field is required"),
        ({"text": "a", "format": "nonsense"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_imported_is_said_at_the_field(
    client: Client, queue: Jobs, fields: dict[str, Any], words: str
) -> None:
    sign_in(client, "archivist")
    answer = send(client, **fields)
    assert (answer.status_code, Source.objects.count(), queue.deferred) == (422, 0, [])
    assert words in text_of(answer)


@pytest.mark.parametrize("size", [30, 3_000])
def test_what_is_too_large_is_answered_in_words(client: Client, queue: Jobs, settings: Any, size: int) -> None:
    settings.MAX_UPLOAD_BYTES = 20
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000
    sign_in(client, "archivist")
    answer: Any = client.post(reverse(IMPORT), {"text": "x" * size, "site": "Unsorted", "format": ""}, follow=True)
    assert "import_source PATH" in text_of(answer)
    assert Source.objects.count() == 0


def test_a_moderator_cannot_import(client: Client, queue: Jobs) -> None:
    sign_in(client, "moderator")
    assert (send(client, text="a").status_code, Source.objects.count()) == (404, 0)


def test_the_import_form_is_guarded_against_other_sites(queue: Jobs) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, "archivist")
    assert (send(client, text="a").status_code, Source.objects.count()) == (403, 0)


def test_the_site_field_knows_the_sites(client: Client) -> None:
    Site.objects.create(name="The Courier", slug="courier")
    sign_in(client, "archivist")
    assert '<option value="The Courier">' in text_of(client.get(reverse(IMPORT)))


def progress(client: Client, **fields: Any) -> str:
    source = Source.objects.create(sha256="0" * 64, name="bus.txt", size=3, **fields)
    sign_in(client, "archivist")
    return text_of(client.get(reverse("admin:archive_source_progress", args=[source.pk])))


def test_a_waiting_import_says_that_no_worker_runs_and_renews_itself(client: Client) -> None:
    text = progress(client)
    assert '<meta http-equiv="refresh" content="2">' in text
    assert "manage.py procrastinate worker" in text


def test_a_running_import_says_how_far_it_is(client: Client) -> None:
    assert "41 comments stored so far" in progress(client, state="running", progress=41)


def test_a_finished_import_says_where_every_character_went(client: Client) -> None:
    report = importer.Report(source="bus.txt", comments=2, problems=["line 3: no date"])
    report.outcomes["created"] = 1
    report.characters = {"article": 70, "comments": 20, "left out": 10, "total": 100}
    text = progress(client, state="done", report=report.as_json())
    assert "A new discussion is in the archive." in text
    assert "line 3: no date" in text
    assert "do not add up" not in text
    assert "http-equiv" not in text


def test_a_rejected_import_says_why_and_what_to_do(client: Client) -> None:
    report = importer.rejected("bus.txt", "no reader knows this format").as_json()
    text = progress(client, state="rejected", report=report)
    assert "No reader knows this format." in text
    assert "what you sent is kept" in text


# Deciding


def decide(client: Client, comment: Comment, action: str, reason: str = "insult") -> Any:
    address = reverse("admin:archive_comment_decide", args=[comment.pk])
    return client.post(address, {"action": action, "reason": reason}, follow=True)


@pytest.fixture
def comment() -> Comment:
    return comments_of(make_article(comments="abc"))[0]


def test_hiding_is_followed_by_a_way_back(client: Client, comment: Comment) -> None:
    user = sign_in(client, "moderator")
    text = text_of(decide(client, comment, "hide"))
    decision = Decision.objects.get()
    assert (decision.actor_id, decision.why, decision.target_id) == (user.pk, "insult", comment.pk)
    assert f'href="{reverse("admin:archive_decision_undo", args=[decision.pk])}">Undo</a>' in text
    assert "Restore this comment" in text


def test_hiding_needs_a_reason(client: Client, comment: Comment) -> None:
    sign_in(client, "moderator")
    answer = decide(client, comment, "hide", reason=" ")
    assert (answer.status_code, Decision.objects.count()) == (422, 0)


def test_an_archivist_cannot_hide(client: Client, comment: Comment) -> None:
    sign_in(client, "archivist")
    assert decide(client, comment, "hide").status_code == 404
    assert "Hide" not in text_of(client.get(reverse("admin:archive_comment_change", args=[comment.pk])))
    assert Comment.objects.filter(status="hidden").count() == 0


def test_an_archivist_does_not_find_what_is_hidden(client: Client, comment: Comment) -> None:
    moderation.hide(comment, by=make_user("moderator"), reason="insult")
    sign_in(client, "archivist")
    assert client.get(reverse("admin:archive_comment_change", args=[comment.pk])).status_code == 404
    assert ">a</a>" not in text_of(client.get(reverse("admin:archive_comment_changelist")))


def test_undo_asks_and_then_gives_the_state_back(client: Client, comment: Comment) -> None:
    sign_in(client, "moderator")
    decide(client, comment, "hide")
    address = reverse("admin:archive_decision_undo", args=[Decision.objects.get().pk])
    assert client.get(address).status_code == 200
    assert Comment.objects.get(pk=comment.pk).status == "hidden"
    client.post(address, {"reason": ""})
    assert Comment.objects.get(pk=comment.pk).status == "published"


def test_undo_says_what_it_could_not_do(client: Client, comment: Comment) -> None:
    user = sign_in(client, "moderator")
    decide(client, comment, "hide")
    first = Decision.objects.get()
    moderation.restore(comment, by=user, reason="x")
    text = text_of(client.post(reverse("admin:archive_decision_undo", args=[first.pk]), {"reason": ""}, follow=True))
    assert "It was decided on again since" in text


def bulk(client: Client, comments: list[Comment], **fields: Any) -> Any:
    chosen = [comment.pk for comment in comments]
    data = {"action": "hide_selected", "_selected_action": chosen, "select_across": "0", **fields}
    return client.post(reverse("admin:archive_comment_changelist"), data, follow=True)


def test_a_bulk_decision_first_shows_what_was_chosen(client: Client, comment: Comment) -> None:
    sign_in(client, "moderator")
    text = text_of(bulk(client, comments_of(comment.article)[:2]))
    assert "Hide 2 comments?" in text
    assert Decision.objects.count() == 0


def test_a_bulk_decision_says_for_each_what_became_of_it(client: Client, comment: Comment) -> None:
    user = sign_in(client, "moderator")
    moderation.hide(comment, by=user, reason="insult")
    text = text_of(bulk(client, comments_of(comment.article), confirmed="1", reason="spam"))
    assert "2 hidden, 1 left as it was" in text
    assert "nothing to do: it is already hidden by a moderator" in text


def test_a_bulk_decision_needs_a_reason(client: Client, comment: Comment) -> None:
    sign_in(client, "moderator")
    text = text_of(bulk(client, [comment], confirmed="1", reason=""))
    assert "This field is required." in text
    assert Decision.objects.count() == 0


def test_a_bulk_decision_can_take_the_whole_filtered_list(client: Client, comment: Comment) -> None:
    make_article(comments="d")
    sign_in(client, "moderator")
    address = reverse("admin:archive_comment_changelist") + f"?article__id__exact={comment.article_id}"
    data = {"action": "hide_selected", "_selected_action": [comment.pk], "select_across": "1"}
    assert "Hide 3 comments?" in text_of(client.post(address, data))
    client.post(address, {**data, "confirmed": "1", "reason": "spam"})
    assert Comment.objects.filter(status="hidden").count() == 3


def test_an_archivist_is_not_offered_bulk_decisions(client: Client, comment: Comment) -> None:
    sign_in(client, "archivist")
    bulk(client, [comment], confirmed="1", reason="spam")
    assert Comment.objects.filter(status="hidden").count() == 0


def test_an_article_can_be_hidden_and_restored(client: Client, comment: Comment) -> None:
    sign_in(client, "moderator")
    address = reverse("admin:archive_article_decide", args=[comment.article_id])
    for action, status in (("hide", "hidden"), ("restore", "published")):
        client.post(address, {"action": action, "reason": "wrong site"})
        assert Article.objects.get().status == status


@pytest.mark.parametrize("term", ["On bu", "id"])
def test_comments_are_found_by_their_number_or_the_beginning_of_a_title(client: Client, term: str) -> None:
    wanted = comments_of(make_article(title="On buses", comments=["the wanted one"]))[0]
    make_article(comments=["another one"])
    sign_in(client, "moderator")
    q = str(wanted.pk) if term == "id" else term
    text = text_of(client.get(reverse("admin:archive_comment_changelist"), {"q": q}))
    assert ("the wanted one" in text, "another one" in text) == (True, False)


def test_the_list_of_comments_costs_the_same_for_3_and_for_300(client: Client) -> None:
    sign_in(client, "moderator")
    counts = []
    for number in (3, 297):
        make_article(comments=["text"] * number)
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("admin:archive_comment_changelist"))
        counts.append([query["sql"] for query in seen])
    # The session, the person, their permissions (two), the sites for the filter, the bounded count, the rows.
    assert len(counts[0]) == len(counts[1]) == 7, counts[1]


def test_a_list_counts_up_to_a_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.admin.site.MOST_COUNTED", 60)
    make_article(comments=["text"] * 100)
    sign_in(client, "moderator")
    assert "61 comments" in text_of(client.get(reverse("admin:archive_comment_changelist")))


def test_mentions_are_judged_by_the_resolver(
    client: Client, one_of_each: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive.entities import resolver

    judged: list[Any] = []
    monkeypatch.setattr(resolver, "judge", lambda mention, **given: judged.append((mention, given)))
    user = sign_in(client, "archivist")
    mention = one_of_each["mention"]
    data = {"action": "reject_everywhere", "_selected_action": [mention.pk]}
    client.post(reverse("admin:archive_mention_changelist"), data)
    assert judged == [(mention, {"verdict": "reject", "scope": "everywhere", "by": user})]


# People


def test_an_administrator_gives_roles_and_with_them_the_way_in(client: Client) -> None:
    from django.contrib.auth.models import Group

    person = make_user()
    sign_in(client, "administrator")
    data = {"username": person.username, "is_active": "on", "groups": [Group.objects.get(name="moderator").pk]}
    client.post(reverse("admin:accounts_user_change", args=[person.pk]), data)
    assert User.objects.get(pk=person.pk).is_staff


def test_an_administrator_cannot_make_a_superuser(client: Client) -> None:
    person = make_user()
    sign_in(client, "administrator")
    address = reverse("admin:accounts_user_change", args=[person.pk])
    assert "is_superuser" not in text_of(client.get(address))
    client.post(address, {"username": person.username, "is_active": "on", "is_superuser": "on", "is_staff": "on"})
    person.refresh_from_db()
    assert (person.is_superuser, person.is_staff) == (False, False)


def test_an_administrator_cannot_take_over_a_superuser(client: Client) -> None:
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    sign_in(client, "administrator")
    data = {"password1": "correct horse battery", "password2": "correct horse battery"}
    assert client.post(reverse("admin:auth_user_password_change", args=[root.pk]), data).status_code == 404


@pytest.mark.parametrize("view", ["accounts_user_changelist", "accounts_user_add", "auth_group_changelist"])
def test_people_are_for_administrators_only(client: Client, view: str) -> None:
    sign_in(client, "administrator")
    assert client.get(reverse(f"admin:{view}")).status_code == 200
    sign_in(client, "moderator")
    assert client.get(reverse(f"admin:{view}")).status_code == 404


def test_accounts_are_never_deleted(client: Client) -> None:
    person = make_user()
    sign_in(client, "administrator")
    assert client.post(reverse("admin:accounts_user_delete", args=[person.pk]), {"post": "yes"}).status_code == 404
