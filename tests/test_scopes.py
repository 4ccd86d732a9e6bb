"""Roles that hold on some sites only: elsewhere their owner is a reader."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import roles
from accounts.models import Invitation, User
from archive import moderation, notices, queries, queue
from archive.ingest import importer
from archive.models import Article, Case, Comment, Decision, Entity, Mention, Report, Review, Site, Source
from tests.makers import comments_of, confirm_it_is_them, make_article, make_user

pytestmark = pytest.mark.django_db
NARROWED_LOG = 8  # queries
HIDDEN, IN_REVIEW = Article.Status.HIDDEN, Article.Status.IN_REVIEW


@pytest.fixture
def mine() -> Site:
    return Site.objects.create(name="Mine", slug="mine")


@pytest.fixture
def theirs() -> Site:
    return Site.objects.create(name="Theirs", slug="theirs")


def test_a_role_without_sites_holds_everywhere_and_one_with_sites_there_alone(mine: Site, theirs: Site) -> None:
    everywhere, here = make_user("moderator"), make_user("moderator", only_on=mine)
    assert [queries.may_moderate(everywhere, site) for site in (None, mine.pk, theirs.pk)] == [True] * 3
    assert [queries.may_moderate(here, site) for site in (None, mine.pk, theirs.pk)] == [True, True, False]
    assert not queries.may_review(here, mine.pk)


def test_the_widest_of_several_roles_holds(mine: Site, theirs: Site) -> None:
    user = make_user("moderator", only_on=mine)
    user.groups.add(Group.objects.get(name="administrator"))
    user = User.objects.get(pk=user.pk)
    assert queries.may_moderate(user, theirs.pk)


def test_who_is_not_narrowed_pays_no_query_for_it(mine: Site, django_assert_num_queries: Any) -> None:
    user = User.objects.get(pk=make_user("moderator").pk)
    user.has_perm("archive.moderate_comment")
    with django_assert_num_queries(0):
        queries.may_moderate(user, mine.pk)


@pytest.mark.parametrize("status", [HIDDEN, IN_REVIEW])
def test_what_is_not_published_is_seen_on_ones_own_sites(mine: Site, theirs: Site, status: str) -> None:
    here, there = (make_article(site=site, status=status, comments="a") for site in (mine, theirs))
    user = make_user("moderator", only_on=mine)
    assert list(queries.articles().visible_to(user)) == [here]
    assert {comment.article_id for comment in queries.comments().visible_to(user)} == {here.pk}
    assert there not in queries.articles().workable_by(user)


def test_an_archivist_of_a_site_sees_what_waits_there(mine: Site, theirs: Site) -> None:
    here, there = (make_article(site=site, status=IN_REVIEW) for site in (mine, theirs))
    user = make_user("archivist", only_on=mine)
    assert list(queries.articles().workable_by(user)) == [here]
    for article in (here, there):
        Review.objects.create(article=article, proposal={}, is_open=True)
    assert [review.article_id for review in queries.reviews().waiting().workable_by(user)] == [here.pk]


def test_hidden_comments_of_other_sites_are_not_listed(mine: Site, theirs: Site, client: Client) -> None:
    here, there = (make_article(site=site, comments="a") for site in (mine, theirs))
    Comment.objects.update(status=Comment.Status.HIDDEN)
    user = make_user("moderator", only_on=mine)
    assert {comment.article_id for comment in queries.comments().workable_by(user)} == {here.pk}
    client.force_login(user)
    (comment,) = comments_of(there)
    assert client.get(reverse("admin:archive_comment_change", args=[comment.pk])).status_code == 404


def decide(client: Client, comment: Comment) -> Any:
    data = {"action": "hide", "reason": "insult"}
    return client.post(reverse("admin:archive_comment_decide", args=[comment.pk]), data)


def test_a_moderator_of_a_site_decides_there_alone(mine: Site, theirs: Site, client: Client) -> None:
    here, there = (comments_of(make_article(site=site, comments="a"))[0] for site in (mine, theirs))
    client.force_login(make_user("moderator", only_on=mine))
    assert [decide(client, comment).status_code for comment in (here, there)] == [302, 404]
    page = client.get(reverse("admin:archive_comment_change", args=[there.pk])).content.decode()
    assert "Usual reasons" not in page
    assert 'name="reason"' not in page


def test_a_bulk_decision_leaves_other_sites_alone(mine: Site, theirs: Site, client: Client) -> None:
    here, there = (comments_of(make_article(site=site, comments="a"))[0] for site in (mine, theirs))
    client.force_login(make_user("moderator", only_on=mine))
    chosen = {"action": "hide_selected", "_selected_action": [here.pk, there.pk], "confirmed": "1", "reason": "spam"}
    client.post(reverse("admin:archive_comment_changelist"), chosen)
    assert [Comment.objects.get(pk=one.pk).status for one in (here, there)] == ["hidden", "published"]


def test_a_decision_is_undone_only_by_who_moderates_all_of_it(mine: Site, theirs: Site, client: Client) -> None:
    here, there = (make_article(site=site, comments="a") for site in (mine, theirs))
    both = {article.pk: [comments_of(article)[0].pk] for article in (here, there)}
    boss = make_user("moderator")
    wide = moderation.decide_many(both, action="hide", by=boss, reason="spam").decision
    assert wide is not None
    client.force_login(make_user("moderator", only_on=mine))
    assert client.post(reverse("admin:archive_decision_undo", args=[wide.pk])).status_code == 404
    moderation.undo(wide, by=boss, reason="")
    narrow = moderation.hide(comments_of(here)[0], by=boss, reason="spam").decision
    assert narrow is not None
    assert client.post(reverse("admin:archive_decision_undo", args=[narrow.pk]), {"reason": "x"}).status_code == 302


def test_the_queue_holds_ones_own_sites_alone(mine: Site, theirs: Site, client: Client) -> None:
    articles = [make_article(site=site, comments="a") for site in (mine, theirs)]
    cards = [queue.put([queue.Item(queue.REPORT, one.pk, comments_of(one)[0].pk, {})]) for one in articles]
    (here,), (there,) = cards
    client.force_login(make_user("moderator", only_on=mine))
    page = client.get(reverse("admin:queue"))
    assert [row.item.pk for row in page.context["rows"]] == [here]
    assert page.context["total"] == 1
    assert client.get(reverse("admin:queue-card", args=[there])).status_code == 404
    assert client.post(reverse("admin:queue-decide", args=[there]), {"action": "hide"}).status_code == 404
    assert client.get(reverse("admin:queue-news"), {"ids": f"{here},{there}"}).json()["what"].keys() == {str(here)}


def test_what_waits_elsewhere_is_in_no_digest_and_no_feed(mine: Site, theirs: Site, client: Client) -> None:
    articles = [make_article(site=site, comments="a") for site in (mine, theirs)]
    for article in articles:
        queue.put([queue.Item(queue.HELD, article.pk, comments_of(article)[0].pk, {})])
    user = make_user("moderator", only_on=mine)
    assert [waits.many for waits in notices.waiting_for(user)] == [1]
    feed = client.get(reverse("waiting-feed", args=[notices.subscription_of(user).token])).content.decode()
    assert feed.count("<entry>") == 1


def test_reports_of_other_sites_are_not_shown(mine: Site, theirs: Site, client: Client) -> None:
    reports = [
        Report.objects.create(article_id=make_article(site=site).pk, reason="rude", snapshot="what it said")
        for site in (mine, theirs)
    ]
    client.force_login(make_user("moderator", only_on=mine))
    pages = [client.get(reverse("admin:archive_report_change", args=[report.pk])) for report in reports]
    assert pages[0].status_code == 200
    assert "what it said" not in pages[1].content.decode()


def test_cases_reach_into_every_site_and_are_for_who_moderates_all(mine: Site, client: Client) -> None:
    case = Case.objects.create(kind="erasure", requester="Ann", basis="a wish")
    client.force_login(make_user("moderator", only_on=mine))
    for name, args in (("changelist", []), ("add", []), ("change", [case.pk]), ("erase", [case.pk])):
        assert client.get(reverse(f"admin:archive_case_{name}", args=args)).status_code == 404
    assert reverse("admin:archive_case_changelist") not in client.get(reverse("admin:index")).content.decode()


def test_an_archivist_of_a_site_imports_into_it_alone(
    mine: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.jobs.import_received.defer", lambda **given: 1)
    client.force_login(make_user("archivist", only_on=mine))
    for site, status in (("Mine", 302), ("Theirs", 422), ("A new one", 422)):
        sent = client.post(reverse("admin:archive_source_import"), {"text": f"a text for {site}", "site": site})
        assert sent.status_code == status, site
    assert Source.objects.count() == 1


def test_an_archivist_of_a_site_sees_its_sources_and_their_own(mine: Site, theirs: Site) -> None:
    here, there = (make_article(site=site) for site in (mine, theirs))
    user = make_user("archivist", only_on=mine)
    own = importer.receive(b"A text.", name="own.txt", by=user)
    assert set(queries.sources_workable_by(user)) == {here.source, own}
    assert there.source not in queries.sources_workable_by(user)


def test_an_archivist_of_a_site_reviews_there_alone(mine: Site, theirs: Site, client: Client) -> None:
    client.force_login(make_user("archivist", only_on=mine))
    pages = [
        client.get(reverse("admin:archive_article_review", args=[make_article(site=site).pk]))
        for site in (mine, theirs)
    ]
    assert [page.status_code for page in pages] == [200, 404]


def test_mentions_are_judged_on_ones_own_sites_and_never_everywhere(mine: Site, theirs: Site, client: Client) -> None:
    entity = Entity.objects.create(kind="person", name="Ann Ode")
    for site in (mine, theirs):
        Mention.objects.create(
            article=make_article(site=site), entity=entity, revision=1, start=0, end=3, surface="Ann"
        )
    client.force_login(make_user("archivist", only_on=mine))
    chosen = {"_selected_action": list(Mention.objects.values_list("pk", flat=True))}
    client.post(reverse("admin:archive_mention_changelist"), {"action": "reject_everywhere", **chosen})
    assert not Mention.objects.filter(review="rejected").exists()
    client.post(reverse("admin:archive_mention_changelist"), {"action": "reject_here", **chosen})
    assert [mention.article.site for mention in Mention.objects.filter(review="rejected")] == [mine]


def test_an_administrator_narrows_a_role_and_widens_it_again(mine: Site, client: Client) -> None:
    person = make_user("moderator")
    client.force_login(make_user("administrator"))
    address = reverse("admin:accounts_user_change", args=[person.pk])
    groups = [group.pk for group in person.groups.all()]
    data = {"username": person.username, "is_active": "on", "groups": groups}
    for chosen, scopes in (([mine.pk], {"moderator": [mine.pk]}), ([], {})):
        client.post(address, {**data, "moderator_sites": chosen})
        assert User.objects.get(pk=person.pk).scopes == scopes
    assert client.post(address, {**data, "moderator_sites": ["999999"]}).status_code == 200


def test_the_page_about_roles_is_made_of_the_table(client: Client) -> None:
    described = [name for listed in roles.ABILITIES.values() for name in listed]
    assert sorted(described) == sorted(roles.ADMINISTRATOR)
    client.force_login(make_user("moderator"))
    page = client.get(reverse("accounts:roles")).content.decode()
    assert page.count('aria-label="yes"') == sum(len(may) for may in roles.ROLES.values())


def test_sudo_mode_is_asked_for_roles_invitations_and_passwords(client: Client) -> None:
    person, boss = make_user(), make_user("administrator")
    boss.password = person.password = "md5$x$y"  # one that could be typed
    boss.save()
    client.force_login(boss)
    asked = [
        reverse("admin:accounts_user_change", args=[person.pk]),
        reverse("admin:accounts_user_add"),
        reverse("admin:auth_user_password_change", args=[person.pk]),
        reverse("admin:accounts_invitation_add"),
    ]
    for address in asked:
        assert client.get(address)["Location"].startswith(reverse("account_reauthenticate")), address
    confirm_it_is_them(client)
    assert [client.get(address).status_code for address in asked] == [200] * len(asked)


def test_what_was_sent_before_sudo_mode_is_done_after_it(client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person = make_user()
    client.force_login(make_user("administrator", password="correct horse battery"))
    data = {"username": person.username, "is_active": "on", "first_name": "Ann"}
    sent = client.post(reverse("admin:accounts_user_change", args=[person.pk]), data)
    client.post(sent["Location"], {"password": "correct horse battery"})
    assert User.objects.get(pk=person.pk).first_name == "Ann"


def decided_on(site: Site, comments: str = "ab") -> Decision:
    """One decision on many comments of the site."""
    article = make_article(site=site, comments=comments)
    chosen = {article.pk: [comment.pk for comment in comments_of(article)]}
    made = moderation.decide_many(chosen, action="hide", by=make_user("moderator"), reason="insult").decision
    assert made
    return made


def test_the_log_is_narrowed_to_ones_own_sites(mine: Site, theirs: Site, client: Client) -> None:
    here, there = decided_on(mine), decided_on(theirs)
    client.force_login(make_user("moderator", only_on=mine))
    seen = client.get(reverse("admin:archive_decision_changelist")).text
    exported = client.get(reverse("admin:archive_decision_export")).getvalue().decode()
    for part in Decision.objects.filter(parent_id__in=[here.pk, there.pk]):
        own = part.parent_id == here.pk
        assert (f"hid comment {part.target_id}<" in seen) == own
        assert (f'"target_id": {part.target_id},' in exported) == own
        page = client.get(reverse("admin:archive_decision_change", args=[part.pk]))
        assert page.status_code == (200 if own else 404)


def test_entries_without_a_site_are_for_who_works_everywhere_and_for_who_made_them(mine: Site, theirs: Site) -> None:
    scoped, everywhere = make_user("moderator", only_on=mine), make_user("moderator")
    whole = decided_on(mine)
    article = make_article(site=mine, comments="a")
    own = moderation.decide_many({article.pk: [comments_of(article)[0].pk]}, action="hide", by=scoped, reason="x")
    seen = {entry.pk for entry in queries.decisions().visible_to(scoped).filter(article_id=None)}
    assert own.decision
    assert seen == {own.decision.pk}
    assert {whole.pk, own.decision.pk} <= {entry.pk for entry in queries.decisions().visible_to(everywhere)}


@pytest.mark.parametrize("size", [3, 300])
def test_the_narrowed_log_costs_the_same_for_few_and_many(mine: Site, client: Client, size: int) -> None:
    for _ in range(size // 3):
        decided_on(mine, "abc")
    client.force_login(make_user("moderator", only_on=mine))
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("admin:archive_decision_changelist"))
    # Session, account, its roles and rights, how many there are, the entries, and what of them was chosen.
    assert len(asked) == NARROWED_LOG


def test_an_invitation_for_some_sites_makes_an_account_for_these(mine: Site, theirs: Site, client: Client) -> None:
    client.force_login(make_user("administrator"))
    confirm_it_is_them(client)
    add = reverse("admin:accounts_invitation_add")
    sent = {"role": "moderator", "email": "new@example.org", "sites": [str(mine.pk)]}
    page = client.post(add, sent, follow=True).text
    assert "moderator on 1 site" in page
    assert "as moderator on Mine." in mail.outbox[0].body
    (link,) = re.findall(r"http://testserver(/invitation/[\w-]+/)", page)
    guest = Client()
    assert "as moderator on Mine." in guest.get(link).text
    guest.post(link, {"username": "newcomer", "password1": "eleven grey herons", "password2": "eleven grey herons"})
    user = User.objects.get(username="newcomer")
    assert [queries.may_moderate(user, site.pk) for site in (mine, theirs)] == [True, False]


@pytest.mark.parametrize("role", ["reader", "administrator"])
def test_roles_that_hold_everywhere_cannot_be_invited_to_sites(mine: Site, client: Client, role: str) -> None:
    client.force_login(make_user("administrator"))
    confirm_it_is_them(client)
    sent = {"role": role, "email": "", "sites": [str(mine.pk)]}
    assert "can be narrowed to sites" in client.post(reverse("admin:accounts_invitation_add"), sent).text
    assert not Invitation.objects.exists()
