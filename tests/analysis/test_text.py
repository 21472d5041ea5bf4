"""Names of the user in file names, Markdown and CSV."""

import io
import itertools

import pandas as pd
import pytest

from augbench.analysis.text import csv, file_stem, markdown

NAMES = [
    *(
        "a b",
        "a_b",
        "a.b",
        "a-b",
        "A_b",
        "a_B",
        "a__b",
        "a b ",
        " a b",
        "a/b",
        "a\\b",
        "a:b",
        "a\nb",
    ),
    *(
        "сон",
        "шум",
        "é",
        "e\u0301",
        "日本",
        "",
        ".",
        "..",
        "../..",
        "-",
        "--help",
        "_",
        "/",
        "~",
        "$x",
    ),
    *(
        "con",
        "CON",
        "nul.x",
        "com1",
        "aux.csv",
        "x" * 300,
        "x" * 301,
        "X" * 300,
        "\ud800",
        "a\x00b",
    ),
    *("a_b-0123456789", file_stem("a b"), file_stem("сон"), "table", "points", "digits", "a" * 60),
]


def test_stems_of_different_names_differ_where_case_does_not_count_too() -> None:
    assert len(set(NAMES)) == len(NAMES)
    stems = {name: file_stem(name).casefold() for name in NAMES}
    twice = [pair for pair in itertools.combinations(NAMES, 2) if stems[pair[0]] == stems[pair[1]]]
    assert not twice


@pytest.mark.parametrize("name", NAMES)
def test_a_stem_is_a_safe_file_name_on_every_system(name: str) -> None:
    stem = file_stem(name)
    assert stem == file_stem(name)
    assert stem.isascii()
    assert len(stem) <= 80
    assert stem[0].isalnum()
    assert not set(stem) & set('/\\:*?"<>|\0 ')
    first = stem.partition(".")[0].lower()
    assert first not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


def test_a_plain_name_stays_and_the_letters_of_others_can_be_read() -> None:
    assert [file_stem(name) for name in ("digits", "task_0", "v1.5", "a-b")] == [
        *("digits", "task_0", "v1.5", "a-b")
    ]
    assert file_stem("a b") == "a_b-c8687a08aa"
    assert file_stem("../a b").startswith("a_b-")
    assert file_stem("сон").startswith("task-")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("a\nb", r"a\\nb"),
        ("*x*", r"\*x\*"),
        ("_x_", r"\_x\_"),
        ("random_policy", "random_policy"),
        ("__init__", r"\_\_init\_\_"),
        ("[a](b)", r"\[a\](b)"),
        ("<script>", r"\<script\>"),
        ("&lt;", r"\&lt;"),
        ("a & b", "a & b"),
        ("$x$ ~~y~~ `z`", r"\$x\$ \~\~y\~\~ \`z\`"),
        ("# x", r"\# x"),
        ("#x", "#x"),
        ("- x", r"\- x"),
        ("1. x", r"1\. x"),
        ("x 0.1 (y), 100%", "x 0.1 (y), 100%"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str, written: str) -> None:
    assert markdown(text) == written


def test_no_cell_of_a_table_is_a_formula_and_numbers_stay_numbers() -> None:
    labels = ["=1+1", "+x", "-x", "@x", "\tx", "x=1", "a,b", 'a"b', "a\nb", ""]
    table = pd.DataFrame({"method": labels, "gain": [-0.5] * len(labels), "=x": 1})
    again = pd.read_csv(io.BytesIO(csv(table)), keep_default_na=False)
    assert list(again["method"][:5]) == ["'=1+1", "'+x", "'-x", "'@x", "'\tx"]
    assert list(again["method"][5:]) == labels[5:]
    assert list(again["gain"]) == [-0.5] * len(labels)
    assert list(again.columns) == ["method", "gain", "'=x"]
    assert csv(pd.DataFrame({"method": ["日"]})) == "method\n日\n".encode()
