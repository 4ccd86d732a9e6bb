"""What a discussion as a whole says about the names in it."""

from __future__ import annotations

from archive.entities.extractor import ORG, PERSON, PLACE, Found
from archive.entities.propagation import MAX_NAMES, Evidence, Named, propagate


def find(text: str, **kinds: str) -> list[Found]:
    """The first place of each name in the text; underscores are spaces."""
    surfaces = {name.replace("_", " "): kind for name, kind in kinds.items()}
    found = [Found(text.index(name), text.index(name) + len(name), kind) for name, kind in surfaces.items()]
    return sorted(found)


def said(text: str, named: list[Named]) -> list[tuple[str, str, str]]:
    return [(text[one.found.start : one.found.end], one.identity.name, one.found.kind) for one in named]


def surfaces(text: str, named: list[Named]) -> list[str]:
    return [surface for surface, _, _ in said(text, named)]


def test_a_name_is_found_again_in_another_text() -> None:
    texts = ["The mayor, Lindqvist, resigned.", "About time. Lindqvist had it coming, and Lindqvist's party too."]
    named = propagate(texts, [find(texts[0], Lindqvist=PERSON), []])
    assert surfaces(texts[1], named[1]) == ["Lindqvist", "Lindqvist"]


def test_only_whole_words_in_the_same_case_are_found_again() -> None:
    texts = ["Off to Riga.", "Back from Riga.", "Rigatoni, riga, Riga2, @Riga, https://a.example/Riga and Riga-born"]
    named = propagate(texts, [find(texts[0], Riga=PLACE), find(texts[1], Riga=PLACE), []])
    assert [one.found.start for one in named[2]] == [texts[2].index("Riga-born")]


def test_short_names_are_not_sought_but_acronyms_are() -> None:
    texts = ["Al joined the EU today.", "Al, the EU!"]
    named = propagate(texts, [find(texts[0], Al=PERSON, EU=ORG), []])
    assert surfaces(texts[1], named[1]) == ["EU"]


def test_a_word_that_the_model_misread_once_is_not_sought() -> None:
    texts = ["Will you come?", "I will, they will. Will she?"]
    named = propagate(texts, [find(texts[0], Will=PERSON), []])
    assert named[1] == []


def test_an_acronym_stands_for_the_long_form_before_it() -> None:
    texts = ["The Union of Baltic Rowers (UBR) met.", "The UBR again."]
    named = propagate(texts, [find(texts[0], UBR=ORG), []])
    assert said(texts[1], named[1]) == [("UBR", "Union of Baltic Rowers", ORG)]


def test_a_long_form_replaces_the_pieces_the_model_found() -> None:
    text = "The Union of Baltic Rowers (UBR) met."
    (named,) = propagate([text], [find(text, Baltic=PLACE, UBR=ORG)])
    assert surfaces(text, named) == ["Union of Baltic Rowers", "UBR"]


def test_words_in_brackets_are_no_acronym_of_just_anything() -> None:
    text = "The old harbour of Riga (UBR) was closed, and the Board (XYZ) knew."
    (named,) = propagate([text], [find(text, Riga=PLACE, UBR=ORG)])
    assert said(text, named) == [("Riga", "Riga", PLACE), ("UBR", "UBR", ORG)]


def test_the_kind_is_what_most_mentions_say() -> None:
    texts = ["Ostwind sails.", "Ostwind won.", "Ostwind lost."]
    found = [find(texts[0], Ostwind=PERSON), find(texts[1], Ostwind=ORG), find(texts[2], Ostwind=ORG)]
    assert {one.found.kind for named in propagate(texts, found) for one in named} == {ORG}


def test_a_lone_surname_is_the_one_full_name_that_ends_with_it() -> None:
    text = "Vera Lindqvist spoke. Then Lindqvist left."
    (named,) = propagate([text], [[*find(text, Vera_Lindqvist=PERSON), Found(27, 36, PERSON)]])
    assert said(text, named)[1] == ("Lindqvist", "Vera Lindqvist", PERSON)


def test_a_surname_that_two_people_share_stays_alone() -> None:
    text = "Vera Lindqvist and Karl Lindqvist. Which Lindqvist?"
    found = [*find(text, Vera_Lindqvist=PERSON, Karl_Lindqvist=PERSON), Found(41, 50, PERSON)]
    (named,) = propagate([text], [found])
    assert said(text, named)[2] == ("Lindqvist", "Lindqvist", PERSON)


def test_a_country_has_its_own_name_and_is_a_place() -> None:
    text = "The U.S. said no. America did."
    (named,) = propagate([text], [[Found(4, 8, ORG), Found(18, 25, PLACE)]])
    assert said(text, named) == [("U.S.", "United States", PLACE), ("America", "United States", PLACE)]
    assert len({one.identity.key for one in named}) == 1


def test_us_is_not_us() -> None:
    texts = ["The US knows.", "Not one of us knows what the US knows."]
    named = propagate(texts, [find(texts[0], US=PLACE), []])
    assert surfaces(texts[1], named[1]) == ["US"]


def test_the_longer_of_two_overlapping_names_stays() -> None:
    texts = ["Riga Airport is closed.", "Back to Riga Airport, then."]
    named = propagate(texts, [find(texts[0], Riga_Airport=PLACE), find(texts[1], Riga=PLACE)])
    assert surfaces(texts[1], named[1]) == ["Riga Airport"]


def test_texts_may_be_added_in_any_number_of_calls() -> None:
    texts = ["Vera Lindqvist spoke.", "Lindqvist left."]
    found = [find(texts[0], Vera_Lindqvist=PERSON), find(texts[1], Lindqvist=PERSON)]
    evidence = Evidence()
    for text, names in zip(texts, found, strict=True):
        evidence.add([text], [names])
    known = evidence.conclude()
    assert [known.in_text(text, names) for text, names in zip(texts, found, strict=True)] == propagate(texts, found)


def test_a_hundred_thousand_names_are_named() -> None:
    words = [f"Al Name{number}" for number in range(100_000)]
    text = ", ".join(words)
    starts = [0]
    for word in words[:-1]:
        starts.append(starts[-1] + len(word) + 2)
    found = [Found(start, start + len(word), PERSON) for start, word in zip(starts, words, strict=True)]
    (named,) = propagate([text], [found])
    assert len(named) == 100_000 > MAX_NAMES
