"""Suites that are damaged at random: each is read, or refused in one sentence."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from augbench.bench.plan.suite import load_suite, shipped_suites
from augbench.datasets.errors import UserError

N_DAMAGES = 200
ODD = [
    "nan", "inf", "-1", "0", "1e400", "9" * 4300, "true", '""', '"\\u0000"', "[]", "[[[]]]", "{}",
    "1979-05-27", "0x7fffffffffffffffffff", "[" * 3000 + "]" * 3000, '"é日[/x]"', "-0.0", "''",
]  # fmt: skip

Damage = Callable[[bytes, random.Random], bytes]


def change_a_byte(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]


def cut_off(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def drop_a_line(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[draw.randrange(len(lines))]
    return b"".join(lines)


def repeat_a_line(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    return b"".join([*lines[:at], lines[at], *lines[at:]])


def give_an_odd_value(content: bytes, draw: random.Random) -> bytes:
    lines = content.decode().splitlines()
    keys = [number for number, line in enumerate(lines) if " = " in line]
    if not keys:
        return content
    at = draw.choice(keys)
    lines[at] = f"{lines[at].partition(' = ')[0]} = {draw.choice(ODD)}"
    return "\n".join(lines).encode()


def insert_noise(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + draw.randbytes(draw.randrange(1, 40)) + content[at:]


def in_another_encoding(content: bytes, draw: random.Random) -> bytes:
    return content.decode().encode(draw.choice(["utf-16", "utf-32", "utf-8-sig"]))


DAMAGES: list[Damage] = [
    change_a_byte,
    cut_off,
    drop_a_line,
    repeat_a_line,
    give_an_odd_value,
    give_an_odd_value,
    insert_noise,
    in_another_encoding,
]


@pytest.mark.parametrize("seed", range(N_DAMAGES))
def test_a_damaged_suite_is_read_or_refused_in_one_sentence(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    content = draw.choice(list(shipped_suites().values())).read_bytes()
    for _ in range(draw.choice([1, 1, 2, 3])):
        damaged = draw.choice(DAMAGES)(content, draw)
        try:
            damaged.decode()
        except UnicodeDecodeError:
            content = damaged
            break
        content = damaged or b" "
    file = tmp_path / "suite.toml"
    file.write_bytes(content)
    try:
        assert load_suite(file).plan
    except UserError as error:
        message = str(error)
        assert "\n" not in message.strip()
        assert len(message) < 2000, message[:200]


@pytest.mark.parametrize("place", ["a folder", "no file", "an empty file"])
def test_what_is_not_a_suite_is_refused_in_one_sentence(place: str, tmp_path: Path) -> None:
    file = tmp_path / "suite.toml"
    if place == "a folder":
        file.mkdir()
    elif place == "an empty file":
        file.touch()
    with pytest.raises(UserError, match=r"suite\.toml"):
        load_suite(file)


def test_a_suite_is_utf_8_with_or_without_a_mark_whatever_the_locale(tmp_path: Path) -> None:
    text = 'name = "s"\nfolds = 1\n[tasks."Schlaf-Übung"]\ntask = "digits"\n[methods.none]\n'
    for encoding in ("utf-8", "utf-8-sig"):
        file = tmp_path / f"{encoding}.toml"
        file.write_bytes(text.encode(encoding))
        assert load_suite(file).plan[0].task == "Schlaf-Übung"
