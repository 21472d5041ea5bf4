"""Constructor notation as data, ``K.RandomInvert(p=0.5)``: written and read, never executed."""

import ast
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError

N_DIGITS = 12  # of the numbers in files


class Call(NamedTuple):
    """A class that is called with named arguments; what has no name is under ``"*"``, as a list."""

    name: str
    arguments: Mapping[str, Any]

    @property
    def short(self) -> str:
        """The name without the module."""
        return self.name.rpartition(".")[2]


class Name(str):
    """A name that stands in a file without quotes: a variable, or a constant of a library."""


def rounded(number: float) -> float:
    """A number with as many digits as a file shows: 1 - 0.9 is 0.1."""
    return float(f"{number:.{N_DIGITS}g}")


def to_python(value: Any, indent: str = "") -> str:
    """Source text; lists of calls have a line for each call."""
    if isinstance(value, Call):
        inner = ", ".join(f"{key}={to_python(v, indent)}" for key, v in value.arguments.items())
        return f"{value.name}({inner})"
    if isinstance(value, list) and any(isinstance(each, Call | list) for each in value):
        deeper = indent + "    "
        lines = [f"{deeper}{to_python(each, deeper)},\n" for each in value]
        return f"[\n{''.join(lines)}{indent}]"
    if isinstance(value, list):
        return f"[{', '.join(to_python(each) for each in value)}]"
    if isinstance(value, tuple):
        return f"({', '.join(to_python(each) for each in value)})"
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, float):
        return repr(rounded(value))
    return repr(value)


def parse(text: str) -> ast.Module:
    """The syntax of a Python file; a UserError if it is none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"it is neither JSON nor Python ({error})") from None


def first_call(tree: ast.Module, names: Collection[str]) -> Call | None:
    """The first call of one of the names that a file assigns or returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr):
            value = node.value
            if isinstance(value, ast.Call) and _last_name(value) in names:
                found: Call = _data(value)
                return found
    return None


def _last_name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _data(node: ast.AST) -> Any:
    """Calls, lists, tuples, tables, names and numbers; a UserError for anything else."""
    match node:
        case ast.Call():
            arguments = {each.arg or "**": _data(each.value) for each in node.keywords}
            if node.args:
                arguments["*"] = [_data(each) for each in node.args]
            return Call(ast.unparse(node.func), arguments)
        case ast.List():
            return [_data(each) for each in node.elts]
        case ast.Tuple():
            return tuple(_data(each) for each in node.elts)
        case ast.Name() | ast.Attribute():
            return Name(ast.unparse(node))
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise UserError(
            f"line {getattr(node, 'lineno', '?')} computes something ({type(node).__name__}); "
            "only calls, lists and numbers can be read, for nothing is executed"
        ) from None
