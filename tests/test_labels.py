"""The catalogue of words: every key once, both languages, the same placeholders on both sides."""

from __future__ import annotations

import string

import pytest

from settlement.labels import LABELS, label, merged


def test_a_key_given_twice_is_refused():
    with pytest.raises(ValueError, match=r"doc\.a"):
        merged({"doc.a": ("甲", "a"), "doc.b": ("乙", "b")}, {"doc.a": ("丙", "c")})


def test_every_key_has_words_in_both_languages():
    assert [key for key, (zh, en) in LABELS.items() if not (zh.strip() and en.strip())] == []
    assert (label("msg.total", "zh"), label("msg.total", "en")) == ("合计", "Total")


def test_an_english_message_asks_for_nothing_the_chinese_one_does_not_have():
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert [key for key, (zh, en) in LABELS.items() if names(en) - names(zh)] == []
