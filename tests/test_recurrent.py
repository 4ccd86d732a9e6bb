"""The networks that read a page's lines in order, and how they are fitted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.ingest.structure import recurrent_fitting as fitting
from archive.ingest.structure.recurrent import CHUNK, Networks, Scale
from archive.ingest.structure.recurrent_fitting import Example, Fitting, Shown, fit_networks, nothing_read

INPUTS = 6
SMALL = Fitting(networks=2, entered=5, cells=4, epochs=30, batch=4)
AS_IS = Scale(np.zeros(INPUTS, np.float32), np.ones(INPUTS, np.float32))


def lines(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, INPUTS)).astype(np.float32)


def shown(count: int, article: int, *starts: int) -> Shown:
    return Shown(lines(count, count), article, np.array(starts, np.int64), 1.5)


PAGES = [shown(7, 3, 3, 5), shown(4, 4), shown(9, 2, 2, 4, 7)]


def weights() -> fitting.Weights:
    return fitting._first_weights(INPUTS, SMALL, np.random.default_rng(3))


def networks(w: fitting.Weights) -> Networks:
    return Networks(*AS_IS, **w)


@pytest.mark.parametrize("name", sorted(weights()))
def test_the_slope_of_each_weight_is_that_of_the_loss(name: str) -> None:
    batch, w = fitting._batch(PAGES, SMALL), {key: value.astype(np.float64) for key, value in weights().items()}
    slope = fitting.slopes(w, batch, SMALL, None)[name]  # type: ignore[arg-type]
    random = np.random.default_rng(1)
    for _ in range(4):
        at = tuple(random.integers(0, size) for size in w[name].shape)
        was, step, found = w[name][at], 1e-4, []
        for w[name][at] in (was + step, was - step):
            found.append(fitting.loss(w, batch, SMALL))  # type: ignore[arg-type]
        w[name][at] = was
        assert slope[at] == pytest.approx((found[0] - found[1]) / 2 / step, rel=1e-2, abs=1e-3)


def test_a_page_is_read_as_it_was_learned_from() -> None:
    w = weights()
    split, begins = networks(w).read(PAGES[2].lines)
    made = fitting._forward(w, fitting._batch(PAGES[2:], SMALL), SMALL, None)
    scores = made.split[:, 0] - np.log(np.exp(made.split[:, 0]).sum(axis=1, keepdims=True))
    assert np.allclose(split, scores.mean(axis=0), atol=1e-5)
    assert np.allclose(begins, made.begins[:, 0].mean(axis=0), atol=1e-5)


def test_a_page_longer_than_a_chunk_is_read_in_one_piece() -> None:
    w, page = weights(), lines(CHUNK + 40)
    made = fitting._forward(w, fitting._batch([Shown(page, 5, np.array([5]), 1.0)], SMALL), SMALL, None)
    assert np.allclose(networks(w).read(page)[1], made.begins[:, 0].mean(axis=0), atol=1e-4)


def test_the_places_where_an_article_may_end_share_one_chance() -> None:
    split, _ = nothing_read(INPUTS).read(lines(5))
    assert np.exp(split).sum() == pytest.approx(1, rel=1e-5)


def test_a_page_of_one_line_has_no_comments() -> None:
    split, begins = networks(weights()).read(lines(1))
    assert split.tolist() == [0.0]
    assert len(begins) == 1


def test_an_odd_input_counts_for_no_more_than_a_far_one() -> None:
    odd, far = np.full((3, INPUTS), 1e30, np.float32), np.full((3, INPUTS), 6, np.float32)
    assert np.array_equal(networks(weights()).read(odd)[1], networks(weights()).read(far)[1])


def example(article: int, comments: int, seed: int) -> Example:
    """A page whose comments have two lines each; its article and the first lines of comments are told by an input."""
    page = lines(article + 2 * comments, seed) * 0.3
    starts = list(range(article, len(page), 2))
    page[:article, 0] += 2
    page[starts, 1] += 2
    return Example(page, page[:article], article, starts, 1.0)


LEARNED = [example(2 + seed % 5, 1 + seed % 4, seed) for seed in range(60)]


def test_what_is_plain_is_learned() -> None:
    found, unseen = fit_networks(LEARNED, AS_IS, SMALL), example(6, 3, 99)
    split, begins = found.read(unseen.lines)
    assert split.argmax() + 1 == 6
    assert np.flatnonzero(begins[7:] > 0).tolist() == [1, 3]
    assert found.read(unseen.alone)[0].argmax() + 1 == 6


def test_learning_twice_gives_the_same_weights() -> None:
    how = SMALL._replace(epochs=2)
    once, twice = (fit_networks(LEARNED, AS_IS, how) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(vars(once).values(), vars(twice).values(), strict=True))


def test_what_is_shown_keeps_each_start_on_its_line() -> None:
    marked = example(8, 6, 1)
    random = np.random.default_rng(0)
    for page in [page for _ in range(50) for page in fitting._shown(marked, SMALL, random)]:
        begins = page.lines[page.article :, 1] > 1
        assert (np.flatnonzero(begins) + page.article).tolist() == page.starts.tolist() or not len(page.starts)
