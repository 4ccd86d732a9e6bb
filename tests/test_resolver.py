"""Names in texts to rows: what a run stores, what it leaves alone, and that people's word stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from archive.entities.extractor import Found, load
from archive.entities.names import key
from archive.entities.resolver import _make_entities, extract_article, judge
from archive.models import Alias, Article, Comment, Entity, Judgement, Mention
from tests.makers import comments_of, make_article

pytestmark = pytest.mark.django_db


class Dictionary:
    """An extractor that knows a few names."""

    name = "dictionary"

    def __init__(self, version: str = "1", **kinds: str) -> None:
        self.version = version
        self.kinds = {name.replace("_", " "): kind for name, kind in kinds.items()}
        self.pattern = re.compile("|".join(sorted(map(re.escape, self.kinds), key=len, reverse=True)) or "(?!)")

    def extract(self, texts: Sequence[str]) -> list[list[Found]]:
        return [[Found(*hit.span(), self.kinds[hit[0]]) for hit in self.pattern.finditer(text)] for text in texts]


NAMES = Dictionary(Vera_Lindqvist="person", Ostwind="org", Riga="place")


def surfaces(article: Article, **fields: object) -> list[str]:
    rows = Mention.objects.filter(article=article, **fields).order_by("comment_id", "start")
    return list(rows.values_list("surface", flat=True))


def rows_of(article: Article) -> list[Mapping[str, object]]:
    return list(Mention.objects.filter(article=article).order_by("pk").values())


def version(article: Article) -> int:
    return Article.objects.get(pk=article.pk).version


def a_mention(article: Article, surface: str) -> Mention:
    return Mention.objects.filter(article=article, surface=surface).order_by("pk")[0]


@pytest.fixture
def person() -> User:
    return User.objects.create(username="archivist")


@pytest.fixture
def article() -> Article:
    """Riga twice, in the article's text and in a comment; each other name once."""
    return make_article(body="Vera Lindqvist came to Riga.", comments=["Riga again!", "Ostwind won.", "Nobody."])


def test_names_in_the_article_and_its_comments_become_mentions(article: Article) -> None:
    assert extract_article(article.pk, extractor=NAMES) == 4
    assert surfaces(article, comment=None) == ["Vera Lindqvist", "Riga"]
    assert surfaces(article, comment__isnull=False) == ["Riga", "Ostwind"]


def test_two_mentions_of_one_name_are_one_entity(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    riga = Entity.objects.get(name="Riga")
    assert (riga.kind, riga.mention_count) == ("place", 2)
    assert list(Alias.objects.filter(entity=riga).values_list("kind", "key")) == [("place", "riga")]


def test_mentions_are_linked_in_the_html(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    riga = Entity.objects.get(name="Riga")
    comment = comments_of(article)[0]
    assert comment.html == f'<p><a class="kind-place" href="{riga.get_absolute_url()}">Riga</a> again!</p>'


def test_texts_without_mentions_keep_their_html(article: Article) -> None:
    Comment.objects.filter(pk=comments_of(article)[2].pk).update(html="<p>As it was.</p>")
    extract_article(article.pk, extractor=NAMES)
    assert comments_of(article)[2].html == "<p>As it was.</p>"


def test_html_that_was_made_from_html_stays() -> None:
    html = '<p><strong>Riga</strong> <a href="https://example.org/">again</a></p>'
    article = make_article(body="Riga again", html=html)
    assert extract_article(article.pk, extractor=NAMES) == 1
    assert Article.objects.get(pk=article.pk).html == html


def test_running_it_twice_changes_nothing(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    before = rows_of(article), version(article), list(Comment.objects.values())
    assert extract_article(article.pk, extractor=NAMES) == 4
    assert (rows_of(article), version(article), list(Comment.objects.values())) == before


def test_a_run_that_finds_something_increases_the_version_by_one(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    assert version(article) == article.version + 1


def test_an_article_without_names_keeps_its_version(article: Article) -> None:
    assert extract_article(article.pk, extractor=Dictionary()) == 0
    assert version(article) == article.version


def test_an_article_that_does_not_exist_has_no_mentions() -> None:
    assert extract_article(12345, extractor=NAMES) == 0


def test_a_new_version_of_the_extractor_keeps_the_rows(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    before = {row["id"] for row in rows_of(article)}, version(article)
    newer = Dictionary(version="2", **{name.replace(" ", "_"): kind for name, kind in NAMES.kinds.items()})
    extract_article(article.pk, extractor=newer)
    assert ({row["id"] for row in rows_of(article)}, version(article)) == before
    assert {row["extractor_version"] for row in rows_of(article)} == {"2"}


def test_what_is_not_found_any_more_goes_with_its_link_and_count(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    extract_article(article.pk, extractor=Dictionary(Riga="place"))
    assert surfaces(article, comment__isnull=False) == ["Riga"]
    assert comments_of(article)[1].html == "<p>Ostwind won.</p>"
    assert Entity.objects.get(name="Ostwind").mention_count == 0


def test_mentions_in_hidden_comments_exist_and_are_not_counted(article: Article) -> None:
    Comment.objects.filter(pk=comments_of(article)[1].pk).update(status=Comment.Status.HIDDEN)
    extract_article(article.pk, extractor=NAMES)
    assert surfaces(article, comment=comments_of(article)[1]) == ["Ostwind"]
    assert Entity.objects.get(name="Ostwind").mention_count == 0


def test_another_extractors_mentions_stay(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    Mention.objects.filter(article=article).update(extractor="another")
    extract_article(article.pk, extractor=Dictionary())
    assert len(surfaces(article)) == 4


def test_a_country_is_named_as_the_gazetteer_does() -> None:
    article = make_article(body="The U.S. and America.")
    extract_article(article.pk, extractor=Dictionary(**{"U.S.": "place", "America": "org"}))
    assert list(Entity.objects.values_list("name", "kind", "mention_count")) == [("United States", "place", 2)]


def test_one_name_in_two_articles_is_one_entity(article: Article) -> None:
    other = make_article(body="Riga.")
    for each in (article, other):
        extract_article(each.pk, extractor=NAMES)
    assert Entity.objects.get(name="Riga").mention_count == 3


def test_a_taught_alias_leads_to_its_entity(article: Article) -> None:
    capital = Entity.objects.create(kind="place", name="Capital of Latvia")
    Alias.objects.create(entity=capital, kind="place", key=key("Riga"), taught=True)
    extract_article(article.pk, extractor=NAMES)
    assert surfaces(article, entity=capital) == ["Riga", "Riga"]


def test_what_was_taught_of_an_acronym_beats_what_the_article_spells_out() -> None:
    rowers = Entity.objects.create(kind="org", name="Rowers")
    Alias.objects.create(entity=rowers, kind="org", key="UBR", taught=True)
    article = make_article(body="The Union of Baltic Rowers (UBR) met.")
    extract_article(article.pk, extractor=Dictionary(UBR="org"))
    assert surfaces(article, entity=rowers) == ["UBR"]


def test_a_merged_entity_leads_to_the_one_it_became(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    latvia = Entity.objects.create(kind="place", name="Latvia")
    Entity.objects.filter(name="Riga").update(merged_into=latvia)
    extract_article(article.pk, extractor=NAMES)
    assert Mention.objects.filter(entity=latvia).count() == 2
    assert latvia.get_absolute_url() in comments_of(article)[0].html
    assert Entity.objects.get(name="Riga").mention_count == 0


def test_entities_merged_in_a_circle_do_not_hang_a_run(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    riga, ostwind = Entity.objects.get(name="Riga"), Entity.objects.get(name="Ostwind")
    Entity.objects.filter(pk=riga.pk).update(merged_into=ostwind)
    Entity.objects.filter(pk=ostwind.pk).update(merged_into=riga)
    assert extract_article(article.pk, extractor=NAMES) == 4


def test_mentions_of_a_text_that_was_replaced_follow_it(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    comment = comments_of(article)[0]
    Comment.objects.filter(pk=comment.pk).update(body="Well, Riga.", html="<p>Well, Riga.</p>", version=2)
    extract_article(article.pk, extractor=NAMES)
    (mention,) = Mention.objects.filter(comment=comment)
    assert (mention.start, mention.end, mention.revision) == (6, 10, 2)
    assert "</a>" in comments_of(article)[0].html


def test_a_text_that_kept_its_mentions_but_lost_its_links_gets_them_back(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    comment = comments_of(article)[0]
    Comment.objects.filter(pk=comment.pk).update(html="<p>Riga again!</p>")
    extract_article(article.pk, extractor=NAMES)
    assert comments_of(article)[0].html == comment.html


def test_a_text_that_changes_during_a_run_is_left_to_the_next() -> None:
    article = make_article(comments=["Riga."])

    class Slow(Dictionary):
        def extract(self, texts: Sequence[str]) -> list[list[Found]]:
            if "Riga." in texts:
                Comment.objects.filter(article=article).update(body="Not Riga.", html="<p>Not Riga.</p>")
            return super().extract(texts)

    assert extract_article(article.pk, extractor=Slow(Riga="place")) == 0
    assert extract_article(article.pk, extractor=NAMES) == 1


@pytest.mark.parametrize("scope", Judgement.Scope.values)
def test_a_rejected_mention_does_not_come_back(article: Article, person: User, scope: str) -> None:
    extract_article(article.pk, extractor=NAMES)
    judge(a_mention(article, "Ostwind"), verdict="reject", scope=scope, by=person)
    before = version(article)
    extract_article(article.pk, extractor=NAMES)
    assert surfaces(article, review="rejected") == ["Ostwind"]
    assert comments_of(article)[1].html == "<p>Ostwind won.</p>"
    assert (Entity.objects.get(name="Ostwind").mention_count, version(article)) == (0, before)


def test_rejecting_here_leaves_the_other_mentions(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    judge(a_mention(article, "Riga"), verdict="reject", by=person)
    assert sorted(surfaces(article, review="suggested")) == ["Ostwind", "Riga", "Vera Lindqvist"]
    assert Entity.objects.get(name="Riga").mention_count == 1


def test_rejecting_in_the_article_leaves_other_articles(article: Article, person: User) -> None:
    other = make_article(body="Riga.")
    for each in (article, other):
        extract_article(each.pk, extractor=NAMES)
    judge(a_mention(article, "Riga"), verdict="reject", scope="article", by=person)
    assert surfaces(article, review="rejected") == ["Riga", "Riga"]
    assert surfaces(other, review="suggested") == ["Riga"]


def test_rejecting_everywhere_reaches_articles_that_come_later(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    judge(a_mention(article, "Riga"), verdict="reject", scope="everywhere", by=person)
    later = make_article(body="Riga, by Ostwind.")
    assert extract_article(later.pk, extractor=NAMES) == 1
    assert surfaces(later) == ["Ostwind"]


def test_confirming_everywhere_confirms_what_is_found_later(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    judge(a_mention(article, "Riga"), verdict="confirm", scope="everywhere", by=person)
    later = make_article(body="Riga.")
    extract_article(later.pk, extractor=NAMES)
    assert surfaces(later, review="confirmed") == ["Riga"]


def test_a_confirmed_mention_stays_when_no_machine_finds_it(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    judge(a_mention(article, "Ostwind"), verdict="confirm", by=person)
    assert extract_article(article.pk, extractor=Dictionary()) == 1
    assert surfaces(article) == ["Ostwind"]
    assert "</a>" in comments_of(article)[1].html


def test_a_narrower_judgement_stands_against_a_later_wider_one(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    first, second = Mention.objects.filter(article=article, surface="Riga").order_by("pk")
    judge(first, verdict="confirm", by=person)
    judge(second, verdict="reject", scope="everywhere", by=person)
    first.refresh_from_db()
    assert (first.review, second.review) == ("confirmed", "rejected")


def test_the_later_of_two_judgements_counts(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    mention = a_mention(article, "Ostwind")
    judge(mention, verdict="reject", by=person)
    judge(mention, verdict="confirm", by=person)
    assert mention.review == "confirmed"
    assert "</a>" in comments_of(article)[1].html


def test_a_judgement_changes_the_page(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    before = version(article)
    judge(a_mention(article, "Ostwind"), verdict="reject", by=person)
    assert comments_of(article)[1].html == "<p>Ostwind won.</p>"
    assert version(article) == before + 1


def test_a_judgement_outlives_a_merge(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    judge(a_mention(article, "Riga"), verdict="reject", scope="everywhere", by=person)
    Entity.objects.filter(name="Riga").update(merged_into=Entity.objects.create(kind="place", name="Latvia"))
    later = make_article(body="Riga.")
    assert extract_article(later.pk, extractor=NAMES) == 0


def test_a_judgement_of_a_mention_that_a_run_replaced_is_kept(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    mention = a_mention(article, "Ostwind")
    Mention.objects.filter(pk=mention.pk).delete()
    judge(mention, verdict="reject", by=person)
    extract_article(article.pk, extractor=NAMES)
    assert "Ostwind" not in surfaces(article)


def test_only_confirm_and_reject_judge_a_mention(article: Article, person: User) -> None:
    extract_article(article.pk, extractor=NAMES)
    with pytest.raises(ValueError, match="merge"):
        judge(a_mention(article, "Riga"), verdict="merge", by=person)
    assert not Judgement.objects.exists()


def test_queries_do_not_grow_with_the_mentions() -> None:
    extract_article(make_article(body="Riga and Ostwind.").pk, extractor=NAMES)
    counts = []
    for times in (3, 300):
        article = make_article(comments=["Riga and Ostwind."] * times)
        with CaptureQueriesContext(connection) as captured:
            assert extract_article(article.pk, extractor=NAMES) == 2 * times
        # One UPDATE for each hundred texts, because HTML is long.
        counts.append(sum('SET "html"' not in query["sql"] for query in captured))
    assert counts[0] == counts[1]


def test_an_entity_that_another_worker_made_first_is_shared(article: Article) -> None:
    extract_article(article.pk, extractor=NAMES)
    riga = Entity.objects.get(name="Riga")
    assert _make_entities({("place", "riga"): "Riga", ("org", "riga"): "Riga"})["place", "riga"] == riga.pk
    assert Entity.objects.filter(name="Riga").count() == 2


def test_any_alphabet_makes_an_address(article: Article) -> None:
    made = make_article(body="مكة and Київ.")
    assert extract_article(made.pk, extractor=Dictionary(مكة="place", Київ="place")) == 2
    assert all(entity.get_absolute_url() for entity in Entity.objects.all())


def test_the_model_of_the_settings_is_used_where_none_is_given() -> None:
    article = make_article(body="Angela Merkel flew to Lisbon.")
    assert extract_article(article.pk) == 2
    assert set(Mention.objects.values_list("extractor", "extractor_version")) == {
        (load("en_core_web_sm").name, load("en_core_web_sm").version)
    }


@pytest.mark.django_db
def test_the_command_extracts_the_articles_it_is_given() -> None:
    wanted, other = make_article(body="The mayor of Rotterdam spoke."), make_article(body="The mayor of Utrecht spoke.")
    call_command("extract_entities", wanted.pk, stdout=StringIO())
    assert Mention.objects.filter(article=wanted).exists()
    assert not Mention.objects.filter(article=other).exists()
