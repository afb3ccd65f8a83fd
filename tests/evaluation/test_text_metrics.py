"""The paper's text metrics, as its released script computes them."""

import builtins
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.errors import MissingDependencyError
from got_ocr2.evaluation.metrics import text as metrics
from got_ocr2.evaluation.metrics.wordnet import _FOLDERS, _from_files, wordnet
from lazy_modules import lazy_module

nltk = lazy_module("nltk")
HAS_WORDNET = any((Path(folder) / "data.noun").is_file() for folder in _FOLDERS)

TRUTH = "the cat sat on the mat and the dog sat too"
READ = "the cat sat at the mat and a dog sat"


def test_sets_of_words_count_each_once():
    tokens = metrics.tokenize(READ, TRUTH)
    assert tokens.prediction == READ.split()
    scores = metrics.set_scores(*tokens)
    # Read: the cat sat at mat and a dog (8); true: the cat sat on mat and dog too (8); common: 6.
    assert scores == pytest.approx((6 / 8, 6 / 8, 6 / 8))
    # Read: 3 different words, true: 2, common: 2.
    assert metrics.set_scores(["a", "a", "b", "c"], ["a", "b"]) == pytest.approx((0.8, 2 / 3, 1.0))


@given(st.text("ab ", max_size=20), st.text("abc ", max_size=20))
def test_sets_agree_with_nltk_and_the_swap_changes_sides(read, truth):
    tokens = metrics.tokenize(read, truth)
    found, right = set(tokens.prediction), set(tokens.truth)
    ours = metrics.set_metrics(read, truth)
    swapped = metrics.set_metrics(read, truth, swap=True)
    assert (swapped["precision"], swapped["recall"]) == (ours["recall"], ours["precision"])
    assert swapped["f1"] == ours["f1"]
    assert swapped["edit_distance"] == ours["edit_distance"]
    if found and right:
        assert ours["precision"] == pytest.approx(nltk.precision(right, found))
        assert ours["recall"] == pytest.approx(nltk.recall(right, found))
        assert ours["f1"] == pytest.approx(nltk.f_measure(right, found))


def test_edit_distance_is_over_raw_characters():
    assert metrics.edit_distance("Abc\n d", "abc d") == pytest.approx(2 / 6)


def test_empty_sides():
    assert metrics.set_scores([], []) == (1, 1, 1)
    assert metrics.set_scores(["a"], []) == (0, 0, 0)
    assert metrics.bleu([], ["a"]) == metrics.meteor(["a"], []) == 0
    assert metrics.bleu([], []) == metrics.meteor([], []) == 1
    assert metrics.edit_distance("", "abc") == 1


def test_chinese_is_cut_by_jieba_if_either_side_has_some():
    assert metrics.tokenize("我来到北京", "no").prediction == ["我", "来到", "北京"]
    assert metrics.tokenize("no way", "北京").prediction == ["no", " ", "way"]
    assert metrics.tokenize("no way", "北京", "character").prediction == list("no way")


def test_bleu_is_nltk_s_and_the_swap_takes_the_prediction_for_the_reference():
    read, truth = ["a", "b", "c", "d", "e", "f"], ["a", "b", "c", "d", "x", "f", "g", "h"]
    assert metrics.bleu(read, truth) == pytest.approx(nltk.translate.bleu([truth], read))
    assert metrics.bleu(read, truth) != pytest.approx(metrics.bleu(truth, read))


@pytest.fixture
def small_wordnet(tmp_path, monkeypatch):
    """WordNet's files with one synset, car = auto, and without the files that Debian leaves out."""
    for part in ("noun", "verb", "adj", "adv"):
        for name in (f"data.{part}", f"index.{part}", f"{part}.exc"):
            (tmp_path / name).write_text("", encoding="ascii")
    (tmp_path / "data.noun").write_text("00000000 06 n 02 car 0 auto 0 000 | a vehicle  \n", encoding="ascii")
    index = "".join(f"{word} n 1 0 1 0 00000000  \n" for word in ("auto", "car"))
    (tmp_path / "index.noun").write_text(index, encoding="ascii")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    reader = _from_files(tmp_path)
    monkeypatch.setattr("got_ocr2.evaluation.metrics.wordnet.wordnet", lambda: reader)
    yield reader
    for file in reader._data_file_map.values():
        file.close()


def test_meteor_knows_stems_and_synonyms(small_wordnet):
    truth = ["the", "auto", "quickly", "stopped"]
    perfect = 1 - 0.5 * (1 / 4) ** 3  # one chunk of four words
    for read in ("the auto quickly stopped", "the car quickly stopped", "The auto quickly stop"):
        assert metrics.meteor(read.split(), truth) == pytest.approx(perfect)
    assert metrics.meteor(["the", "tree", "quickly", "stopped"], truth) < 0.8


def test_all_six_columns(small_wordnet):
    found = metrics.paper_metrics(READ, TRUTH)
    assert list(found) == ["edit_distance", "f1", "precision", "recall", "bleu", "meteor"]
    perfect = metrics.paper_metrics(READ, READ)
    assert perfect.pop("edit_distance") == 0
    assert perfect.pop("meteor") == pytest.approx(1 - 0.5 * (1 / 10) ** 3)  # one chunk of ten words
    assert set(perfect.values()) == {1.0}
    swapped = metrics.paper_metrics(READ, TRUTH, swap=True)
    assert swapped["bleu"] == pytest.approx(metrics.bleu(TRUTH.split(), READ.split()))


@pytest.mark.slow
@pytest.mark.skipif(not HAS_WORDNET, reason="Debian's wordnet-base is not installed")
def test_debian_s_wordnet_is_read_whole():
    found = wordnet()
    assert found.synsets("geese")[0].name() == "goose.n.01"
    assert {lemma.name() for lemma in found.synsets("happily")[0].lemmas()} >= {"happily", "merrily"}
    assert metrics.meteor(["a", "car"], ["an", "auto"]) > 0


def test_error_rates():
    assert metrics.character_errors("kitten", "sitting") == (3, 7)
    assert metrics.word_errors("a b x d e", "a b c d") == (2, 4)
    assert metrics.word_errors("", "") == (0, 0)


def test_fold_keeps_letters_case_and_punctuation():
    assert metrics.fold("“It’s”\n  a ﬁne — “test”") == '"It\'s" a fine - "test"'
    assert metrics.fold("A, b.") == "A, b."
    assert metrics.fold(" \n") == ""


def test_without_the_extra_the_error_names_it_and_cer_still_works(monkeypatch):
    real = builtins.__import__

    def refuse(name):
        if name.partition(".")[0] in ("nltk", "jieba"):
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr("got_ocr2.extras.import_module", refuse)
    with pytest.raises(MissingDependencyError, match=r"BLEU needs the package nltk.*got-ocr2\[eval\]"):
        metrics.bleu(["a"], ["a"])
    with pytest.raises(MissingDependencyError, match="jieba"):
        metrics.tokenize("北京", "")
    assert metrics.set_metrics("a b", "a c")["f1"] == 0.5
    assert metrics.character_errors("a", "b") == (1, 1)


def test_without_wordnet_the_error_says_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr("got_ocr2.evaluation.metrics.wordnet._FOLDERS", (str(tmp_path),))
    monkeypatch.setattr("got_ocr2.evaluation.metrics.wordnet._has", lambda *_: False)
    monkeypatch.delenv("WNSEARCHDIR", raising=False)
    with pytest.raises(MissingDependencyError, match="wordnet-base"):
        wordnet.__wrapped__()
