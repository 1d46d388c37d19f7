"""What other people call themselves cannot break what we write around it."""

# ruff: noqa: RUF001 - names in several scripts are the point

from __future__ import annotations

import pytest

from attendance.domain.display_names import NAMELESS, markdown_name, plain_name, visible_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna-Lena O'Hara", "Anna-Lena O'Hara"),
        ("  two \n\t lines\u2028three ", "two lines three"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("\u202egnp.exe", "gnp.exe"),
        ("soft\u00adhyphen", "softhyphen"),
        ("a\u200db", "ab"),  # a joiner between ASCII letters only hides
        ("\u200d\u200d", NAMELESS),
        ("\u3164\u2800\u115f", NAMELESS),  # blank "letters"
        ("", NAMELESS),
        ("\0\x1b[31mred\x7f", "[31mred"),
        ("e" + "\u0301" * 50, "é" + "\u0301" * 4),
        ("\u0301\u0301", NAMELESS),  # marks that stand on nothing
        ("\ud800half", "half"),
        ("👩\u200d🔧 Ada", "👩\u200d🔧 Ada"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("名前", "名前"),
        ("tag\U000e0041\U000e0042", "tag"),
    ],
)
def test_a_name_stands_alone_in_one_visible_line(name: str, shown: str) -> None:
    assert visible_name(name) == shown


def test_a_long_name_is_cut_and_says_so() -> None:
    assert visible_name("x" * 100, limit=10) == "x" * 9 + "…"
    assert visible_name("x" * 10, limit=10) == "x" * 10
    assert visible_name("y", limit=1) == "y"
    assert visible_name("yy", limit=1) == "…"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("**bold** __u__ ~~s~~ ||spoiler||", r"\*\*bold\*\* \_\_u\_\_ \~\~s\~\~ \|\|spoiler\|\|"),
        ("@everyone", r"\@everyone"),
        ("<@123> <@&1> <#2> </a:3> <t:0> <:e:1>", r"\<\@123\> \<\@&1\> \<\#2\> \</a\:3\> \<t\:0\> \<\:e\:1\>"),
        ("[free](https://x.example)", r"\[free\]\(https\://x.example\)"),
        ("`code` ```x", r"\`code\` \`\`\`x"),
        ("# head", r"\# head"),
        ("1. list", r"1\. list"),
        ("> quote", r"\> quote"),
        ("-# small", r"\-\# small"),
        (r"\*", r"\\\*"),
        ("plain Name 7", "plain Name 7"),
    ],
)
def test_discord_shows_the_markup_in_a_name_as_it_is(name: str, shown: str) -> None:
    assert markdown_name(name) == shown


def test_a_name_written_from_right_to_left_keeps_its_direction_to_itself() -> None:
    assert plain_name("שלום") == "\u2068שלום\u2069"
    assert markdown_name("*مرحبا*") == "\u2068\\*مرحبا\\*\u2069"
    assert plain_name("left") == "left"


def test_the_fallback_is_the_callers() -> None:
    assert visible_name("\u200b", fallback="member 7") == "member 7"
    assert markdown_name("\u200b", fallback="member_7") == "member\\_7"
