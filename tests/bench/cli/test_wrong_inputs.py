"""What people get wrong, and the one sentence that each of it ends in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Answer = tuple[int, str, str]

GOOD = 'name = "good"\nfolds = 1\n[tasks.digits]\n[methods.none]\n'
ARRAYS = 'name = "a"\nfolds = 1\n[tasks.mine]\ntask = "arrays"\npath = "P"\n[methods.none]\n'


def policy(weight: float = 1.0, **parts: Any) -> str:
    """The text of a policy's file that turns images."""
    table = {"rotate": {"strongest": 30.0, "unit": "degrees"}}
    held = {"weight": weight, "operations": [["rotate", 0.5, 0.5]]}
    record = {"schema": 2, "transforms": table, "subpolicies": [held], "by_class": [], **parts}
    return json.dumps(record)


LONG = 10**400
INVERT = "v2.RandomInvert(p=1.0)"
POLICIES = {
    "policy.json": policy(),
    "by-class.json": policy(by_class=3),
    "range.json": policy(transforms={"rotate": {"strongest": LONG, "unit": "degrees"}}),
    "weight.json": policy(weight=LONG),
    "c.py": "p = K.RandomInvert(p=0.5)",
    "2j.py": "p = [[('Invert', 0.9, 2j)]]",
    "1e999.py": "p = [[('Invert', 0.9, 1e999)]]",
    "long.py": f"p = K.RandomRotation(degrees={LONG}, p=0.5)",
    "choice.py": f"p = v2.Compose([v2.RandomChoice(transforms=[{INVERT}, {INVERT}])])",
    "none.py": "p = OneOf(weights=[], subpolicies=[])",
    "two.py": "p = K.ImageSequential(K.RandomInvert(p=0.5))\nq = OneOf(weights=[], subpolicies=[])",
    "levels.py": "p = v2.RandomSolarize(threshold=192.0, p=0.5)",
}

BLUR = 'tasks.digits.imported."kornia.RandomGaussianBlur"'

# The words of a command, and what its sentence says: what is wrong, and what to do.
WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    # suites that cannot be read
    "no such suite": ("run nope.toml", ("cannot read suite nope.toml", "`augbench suites`")),
    "a misspelt suite": ("run quickstat", ("did you mean 'quickstart'?",)),
    "a folder as a suite": ("run empty", ("empty is a folder", "the suite that began it")),
    "a torn suite": ("run torn.toml", ("is not a TOML file", "at line 1")),
    "bytes as a suite": ("plan bytes.toml", ("is not a TOML file",)),
    "an empty suite": ("plan empty.toml", ("name is missing",)),
    "no task": ("plan no-task.toml", ("tasks is missing",)),
    "no method": ("plan no-method.toml", ("methods is missing",)),
    "a key twice": ("plan twice.toml", ("is not a TOML file", "at line 2")),
    "a name that leads elsewhere": ("plan elsewhere.toml", ("name is '../x'", "letters, digits")),
    "no such fragment": ("run good.toml --with nope.toml", ("the tables of nope.toml", "--with")),
    # transforms of other libraries
    "a misspelt augmentation": (
        "run good.toml --engine inline --set tasks.digits.transforms=['kornia.RandomRotaton']",
        ("unknown transform", "did you mean 'kornia.RandomRotation'?"),
    ),
    "an augmentation that mixes labels": (
        "run good.toml --engine inline --set tasks.digits.transforms=['kornia.RandomMixUpV2']",
        ("'kornia.RandomMixUpV2' cannot be used", "changes labels", "such as"),
    ),
    "an augmentation of EEG for images": (
        "plan good.toml --set tasks.digits.transforms=['braindecode.TimeReverse']",
        ("is for EEG", "kind 'image'", "kornia.NAME"),
    ),
    "an augmentation of images for EEG": (
        "plan good.toml --set tasks.sinusoids.transforms=['kornia.RandomRotation']",
        ("is for images", "kind 'eeg'", "braindecode.NAME"),
    ),
    "an augmentation that needs to be described": (
        "run good.toml --engine inline --set tasks.digits.transforms=['kornia.RandomShear']",
        ("needs shear", '[tasks.NAME.imported."kornia.RandomShear"]'),
    ),
    "a parameter that does not exist": (
        f"run blur.toml --engine inline --set {BLUR}.parameter=sigmaa --set {BLUR}.range=[0.1,3]",
        ("'sigmaa'", "did you mean 'sigma'?"),
    ),
    "a missing option": (
        f"run blur.toml --engine inline --set {BLUR}.parameter=sigma --set {BLUR}.range=[0.1,3]",
        ("needs kernel_size", "in options"),
    ),
    "an option that the library refuses": (
        f"run blur.toml --engine inline --set {BLUR}.options={{kernel_size=4,sigma=[1.0,2.0]}}",
        ("does not work on images of 1 x 8 x 8", "Kernel size must be", "leave it out"),
    ),
    "an option that is ours": (
        f"run blur.toml --engine inline --set {BLUR}.options={{kernel_size=5,sigma=[1.0,2],p=1.0}}",
        ("is given p", "leave it out"),
    ),
    "a parameter without a range": (
        f"plan blur.toml --set {BLUR}.parameter=sigma",
        ("parameter is given without range", "give both, or neither"),
    ),
    "a range that is a point": (
        f"plan blur.toml --set {BLUR}.parameter=sigma --set {BLUR}.range=[3,3]",
        ("range is [3.0, 3.0]", "two different numbers"),
    ),
    "a range without an end": (
        f"plan blur.toml --set {BLUR}.parameter=sigma --set {BLUR}.range=[0,inf]",
        ("range is [0.0, inf]", "two different numbers"),
    ),
    "a range of words": (
        f"plan blur.toml --set {BLUR}.parameter=sigma --set {BLUR}.range=wide",
        ("range is 'wide'", "it has to be a list"),
    ),
    "a misspelt word of a description": (
        f"plan blur.toml --set {BLUR}.parametr=sigma",
        ("'parametr'", "did you mean 'parameter'?"),
    ),
    "a description of our own": (
        "plan good.toml --set tasks.digits.imported.rotate.parameter=degrees",
        ("imported holds 'rotate'", "kornia or braindecode"),
    ),
    "a description of what is not used": (
        f"plan good.toml --set {BLUR}.options={{kernel_size=5}}",
        ("which the task does not use", "add it to its transforms"),
    ),
    "quotes that do not match": (
        'plan good.toml --set tasks.digits.imported."kornia.RandomShear=3',
        ("quotes do not match",),
    ),
    "colours of grey images": (
        "run good.toml --engine inline --set tasks.digits.transforms=['kornia.ColorJitter']",
        ("does not work on images of 1 x 8 x 8", "leave it out"),
    ),
    "another size": (
        "run good.toml --engine inline --set tasks.digits.transforms=['kornia.Resize'] "
        '--set tasks.digits.imported."kornia.Resize".options={size=4}',
        ("makes (1, 4, 4) of (1, 8, 8)", "keeps the shape"),
    ),
    "a magnitude without a gradient": (
        "run good.toml --engine inline --set tasks.digits.transforms=['kornia.RandomErasing'] "
        "--set methods.augnet={layers=[['kornia.RandomErasing']]}",
        ("passes no gradient", "describe it in `imported` without a parameter"),
    ),
    "a check of a misspelt augmentation": (
        "check kornia.RandomShea",
        ("did you mean 'kornia.RandomShear'?",),
    ),
    "a check of what needs to be described": ("check kornia.RandomShear", ("needs shear",)),
    # values
    "no value": ("plan good.toml --set folds", ("write key=value",)),
    "no fold": ("plan good.toml --set folds=0", ("folds is 0", "from 1 to 10000")),
    "a fold twice": ("plan good.toml --set folds=[1,1]", ("folds is [1, 1]", "different numbers")),
    "words for folds": ("plan good.toml --set folds=all", ("folds is 'all'", "a whole number")),
    "a negative seed": ("plan good.toml --set seeds=[-1]", ("seeds is [-1]", "from 0 on")),
    "a misspelt key": ("plan good.toml --set fold=1", ("did you mean 'folds'",)),
    "an option of others": ("plan good.toml --set methods.none.epochs=3", ("'epochs'", "known:")),
    "no epoch": ("plan good.toml --set tasks.digits.training.epochs=0", ("epochs is 0", "above 0")),
    "a rate that is no number": (
        "plan good.toml --set tasks.digits.training.learning_rate=nan",
        ("learning_rate is nan", "above 0"),
    ),
    "half a sample": (
        "plan good.toml --set tasks.digits.training.batch_size=1.5",
        ("batch_size is 1.5", "a whole number"),
    ),
    "a misspelt method": ("plan good.toml --set methods.augnt={}", ("did you mean 'augnet'",)),
    "a misspelt task": ("plan good.toml --set tasks.digitz={}", ("did you mean 'digits'",)),
    "a transform for others": (
        "run good.toml --engine inline --set tasks.digits.transforms=['time_mask']",
        ("time_mask", "EEG"),
    ),
    "no worker": ("plan good.toml --set resources.workers=0", ("workers is 0", "1 or more")),
    "a GPU and a half": ("plan good.toml --set resources.gpus=1.5", ("gpus is 1.5", "a share of")),
    "hours below 0": ("plan good.toml --set budget.device_hours=-1", ("device_hours is -1",)),
    "hours in the past": ("run good.toml --stop-after -1", ("--stop-after is -1", "above 0")),
    "a cluster without Ray": (
        "run good.toml --engine inline --address auto",
        ("--address is for --engine ray", "leave out"),
    ),
    "workers without Ray": (
        "run good.toml --engine inline --workers 4",
        ("--workers 4 is for --engine ray", "leave out"),
    ),
    "a GPU that is not there": ("plan good.toml --hours --device tpu", ("known: cpu, cuda",)),
    # places
    "a file as a run": ("run good.toml --out note.txt", ("cannot write to", "another with --out")),
    "a folder of other things": (
        "run good.toml --engine inline --out full",
        ("holds files but no run.json", "an empty folder"),
    ),
    "data elsewhere": (
        "run ssvep --engine inline --data empty --out r",
        ("files are missing under", "--data", "augbench fetch ssvep"),
    ),
    "arrays elsewhere": (
        "run elsewhere-arrays.toml --engine inline --data . --out r",
        ("there is no file mine.npz", "--data"),
    ),
    "the status of nothing": ("status nothing", ("nothing is no run directory", "no such folder")),
    "the report of a folder": ("report empty", ("empty is no run directory", "no run.json")),
    "a file to watch": ("watch note.txt", ("note.txt is no run directory",)),
    "a comparison with nothing": ("compare empty empty", ("is no run directory",)),
    "one run to merge": ("merge empty -o m", ("two run directories or more",)),
    # names
    "a report as a document": ("report empty --format doc", ("unknown format 'doc'", "known: csv")),
    "a band of deviations": ("report empty --band sd", ("unknown band 'sd'", "quartiles")),
    "a figure too many": ("reproduce fig9", ("unknown figure 'fig9'", "known: all")),
    "nothing to fetch": ("fetch digits", ("needs no download",)),
    "a task that nobody fetches": ("fetch mas", ("did you mean 'mass'?",)),
    "a parameter without a space": (
        "search good.toml --method augnet --param penalty",
        ("each parameter needs one space", "--space"),
    ),
    # policies for other software, and from it
    "no such policy": ("export nope.json", ("cannot read the policy nope.json", "give a file")),
    "a text as a policy": ("export note.txt", ("note.txt holds no policy", "not JSON")),
    "classes that are no list": ("export by-class.json", ("3 as `by_class`", "has to be a list")),
    "a range of 400 digits": ("export range.json", ("'rotate' means", "a number above 0")),
    "a weight of 400 digits": (
        "export weight.json --to dada",
        ("a weight of 1000", "a number above 0"),
    ),
    "no folder for a policy": ("export policy.json -o no/x.json", ("no folder no for", "make it")),
    "a folder as a new policy": ("export policy.json -o empty", ("empty is a folder", "with -o")),
    "a policy that is there": (
        "export policy.json -o note.txt",
        ("note.txt is there already", "-o"),
    ),
    "a link to nothing": ("export policy.json -o link", ("link is there already", "-o")),
    "no folder for an import": ("import c.py --from kornia -o no/x", ("no folder no for x", "-o")),
    "a folder as calls": ("import empty --from kornia", ("cannot read empty (Is a directory)",)),
    "a file without an end": ("import /dev/zero --from dada", ("has more than 8 MB",)),
    "an imaginary level": ("import 2j.py --from dada", ("Invert has 2j", "a number has to be")),
    "an infinite level": ("import 1e999.py --from dada", ("Invert has inf", "a number has to be")),
    "an angle of 400 digits": (
        "import long.py --from kornia",
        ("degrees=1000", "where a number has to be"),
    ),
    "a choice of one operation": (
        "import choice.py --from torchvision",
        ("has to be one of strengths", "write other choices as subpolicies"),
    ),
    "an empty policy": ("import none.py --from kornia", ("none.py: it holds no operation",)),
    "two policies": ("import two.py --from kornia", ("choose one with --name: p, q",)),
    "a threshold of 256 levels": (
        "import levels.py --from torchvision",
        ("from 0 to 1", "divide a level by 255"),
    ),
    # data of one's own
    "no such arrays": ("data check nope.npz", ("there is no nope.npz", "give an .npz file")),
    "arrays without x": ("data check no-x.npz", ("lacks 'x'", "it holds y")),
    "one class": ("data check one-class.npz", ("one class only",)),
    "a label too few": ("data check short.npz", ("has shape (11,)", "give 12 labels")),
    "a text as arrays": ("data check text.npz", ("is no .npz file", "numpy.savez")),
    "a folder without data": ("data check empty", ("no recording in", "no image", ".edf", ".png")),
    "a test without labels": ("data check no-y-test.npz", ("holds x_test but no y_test",)),
    "two splits": ("data check two-splits.npz", ("holds split", "x_test", "give one of them")),
    "a class that is tested alone": (
        "data check unknown.npz",
        ("y_test in unknown.npz has 6, 7", "lacks", "add some"),
    ),
    "a test of other channels": ("data check narrow.npz", ("(4, 1, 32)", "must be equal")),
    "no such test": ("data check short.npz --test gone.npz", ("there is no gone.npz",)),
    "a text as series": ("data check text.ts", ("no @data before line 1", "UEA")),
    "one picture": ("data check flat/a.png", ("a.png is one recording or image", "the folder")),
    "a folder of one picture": ("data check flat", ("in no folders by class", "option labels")),
    "parts without a test": ("data check half", ("holds train, val", "no folder test")),
    "a test beside recordings": ("data check nights --test flat", ("--test is for arrays",)),
    "hours of nothing": ("data check short.npz --hours", ("name its file with -o",)),
    "a suite in a folder that is not there": (
        "data check two.npz -o no/x.toml",
        ("cannot write no/x.toml", "another with -o"),
    ),
    "images without a path": (
        "run good.toml --engine inline --set tasks.images={} --out r",
        ("needs the option path",),
    ),
    "a size in words": (
        "plan good.toml --set tasks.images={path='p',size='large'}",
        ("size is 'large'", "a whole number"),
    ),
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder with the files that the table names."""
    monkeypatch.chdir(tmp_path)
    texts = {
        "good.toml": GOOD,
        "blur.toml": GOOD.replace(
            "[tasks.digits]\n", '[tasks.digits]\ntransforms = ["kornia.RandomGaussianBlur"]\n'
        ),
        "torn.toml": 'name = "to\n',
        "empty.toml": "",
        "no-task.toml": 'name = "x"\nfolds = 1\n[methods.none]\n',
        "no-method.toml": 'name = "x"\nfolds = 1\n[tasks.digits]\n',
        "twice.toml": 'name = "x"\nname = "y"\n',
        "elsewhere.toml": GOOD.replace("good", "../x"),
        "elsewhere-arrays.toml": ARRAYS.replace("P", "mine.npz"),
        "note.txt": "buy milk",
        "text.npz": "buy milk",
        "text.ts": "buy milk",
        **POLICIES,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    x, y = np.random.default_rng(0).normal(size=(12, 2, 32)), np.arange(12) % 2
    for place in ("flat", "half/train/a", "half/val/a"):
        (tmp_path / place).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / place / "a.png")
    (tmp_path / "nights").mkdir()
    (tmp_path / "nights" / "a.edf").touch()
    test = {"x_test": x[:4], "y_test": y[:4]}
    np.savez(tmp_path / "two.npz", x=x, y=y, **test)
    np.savez(tmp_path / "no-y-test.npz", x=x, y=y, x_test=x[:4])
    np.savez(tmp_path / "two-splits.npz", x=x, y=y, split=y, **test)
    np.savez(tmp_path / "unknown.npz", x=x, y=y, x_test=x[:4], y_test=y[:4] + 6)
    np.savez(tmp_path / "narrow.npz", x=x, y=y, x_test=x[:4, :1], y_test=y[:4])
    np.savez(tmp_path / "no-x.npz", y=y)
    np.savez(tmp_path / "one-class.npz", x=x, y=0 * y)
    np.savez(tmp_path / "short.npz", x=x, y=y[1:])


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("words", "parts"), WRONG.values(), ids=WRONG)
def test_it_ends_in_one_sentence(
    words: str, parts: tuple[str, ...], ask: Callable[..., Answer]
) -> None:
    code, _, complaint = ask(*words.split())
    assert code == 2
    assert complaint.startswith("augbench: ")
    assert complaint.count("\n") == 1, complaint
    for part in parts:
        assert part in complaint


WRONG_WORDS = {
    "rnu good.toml": "Did you mean 'run'?",
    "run": "Missing argument 'suite'",
    "run good.toml --adress x": "Possible options: --address",
    "run good.toml --workers many": "valid integer",
    "run good.toml --engine slurm": "'inline', 'ray'",
    "data chekc x": "Did you mean 'check'?",
    "--verson": "Possible options: --version",
}


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("words", "part"), WRONG_WORDS.items())
def test_wrong_words_end_in_an_error_that_names_the_help(
    words: str, part: str, ask: Callable[..., Answer]
) -> None:
    code, _, complaint = ask(*words.split())
    assert code == 2
    assert part in complaint.splitlines()[-1]
    assert "--help" in complaint
    assert "Traceback" not in complaint
