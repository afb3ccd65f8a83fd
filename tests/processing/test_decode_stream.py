from hypothesis import given, settings
from hypothesis import strategies as st

many = settings(max_examples=300, deadline=None)


def pieces(tokenizer, ids, **kwargs):
    stream = tokenizer.decode_stream(**kwargs)
    return [*(stream.put(i) for i in ids), stream.end()]


@many
@given(ids=st.lists(st.integers(0, 151_859), max_size=40), skip=st.booleans())
def test_random_ids_join_to_the_decoded_text(qwen_tokenizer, ids, skip):
    """Random ids cut characters anywhere and make bytes that are no text at all."""
    assert "".join(pieces(qwen_tokenizer, ids, skip_special_tokens=skip)) == qwen_tokenizer.decode(
        ids, skip_special_tokens=skip
    )


@many
@given(data=st.lists(st.integers(0, 255), max_size=40))
def test_random_bytes_join_to_the_decoded_text(shared_tiny_tokenizer, data):
    from got_ocr2.processing.byte_level import CHARACTERS

    ids = [shared_tiny_tokenizer.convert_tokens_to_ids(CHARACTERS[b]) for b in data]
    assert "".join(pieces(shared_tiny_tokenizer, ids)) == shared_tiny_tokenizer.decode(
        ids, skip_special_tokens=True
    )


@many
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=20))
def test_half_a_character_is_never_shown(shared_tiny_tokenizer, text):
    """One byte is one token here, so each character comes in parts."""
    tokenizer = shared_tiny_tokenizer
    ids = tokenizer.encode(text, parse_special=False)
    shown = pieces(tokenizer, ids)
    assert "".join(shown) == text
    assert not any("\ufffd" in piece for piece in shown)
    assert shown[-1] == ""


def test_added_tokens_come_out_whole(tiny_tokenizer):
    ids = tiny_tokenizer.encode("<|im_start|>user\nOCR: the")
    assert pieces(tiny_tokenizer, ids) == ["", "user\n", "OCR: ", "the", ""]
    assert pieces(tiny_tokenizer, ids, skip_special_tokens=False)[0] == "<|im_start|>"


def test_an_unfinished_character_ends_as_a_replacement_and_the_stream_starts_afresh(tiny_tokenizer):
    first, *_ = tiny_tokenizer.encode("文")
    stream = tiny_tokenizer.decode_stream()
    assert stream.put(first) == ""
    assert stream.end() == "\ufffd" == tiny_tokenizer.decode(first)
    assert [stream.put(i) for i in tiny_tokenizer.encode("文")] == ["", "", "文"]


def test_ids_beyond_the_vocabulary_say_nothing(tiny_tokenizer):
    assert pieces(tiny_tokenizer, [257, 5000]) == ["the", "", ""]
