"""Constructor notation as data, ``K.RandomInvert(p=0.5)``: written and read, never executed."""

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError, listed, unknown

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


class NoPythonError(UserError):
    """A text that no policy can be read of, whatever the form."""


def parse(text: str) -> ast.Module:
    """The syntax of a Python file; a UserError if it is none."""
    try:
        return ast.parse(text)
    except SyntaxError as error:  # without Python's advice, which is for who writes a program
        line = f" (line {error.lineno})" if error.lineno else ""
        raise NoPythonError(f"it is neither JSON nor Python{line}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise NoPythonError(f"it is neither JSON nor Python ({error})") from None


def named_values(tree: ast.Module, wanted: Callable[[ast.AST], Any]) -> dict[str, Any]:
    """What ``wanted`` makes of the nodes of a file that a name is given to, None left out.

    The names are those of variables or functions; equal names are numbered from 2.
    """
    found: dict[str, Any] = {}

    def visit(node: ast.AST, function: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                visit(child, child.name)
                continue
            names = [function] if function else _targets(child)
            value = wanted(child) if names else None
            if value is None:
                visit(child, function)
            for name in names if value is not None else []:
                n_before = sum(key.partition(":")[0] == name for key in found)
                found[f"{name}:{n_before + 1}" if n_before else name] = value

    visit(tree, "")
    return found


def calls_in(
    tree: ast.Module, containers: Collection[str], is_operation: Callable[[str], bool]
) -> dict[str, ast.Call]:
    """The calls of containers that a file names; those of operations if there are none.

    A plain ``Sequential`` that holds other things, a network, is none. ``is_operation`` takes what
    is called, with the module.
    """

    def wanted(node: ast.AST) -> ast.Call | None:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr):
            value = node.value
            if isinstance(value, ast.Call) and (
                _last_name(value) in containers or is_operation(ast.unparse(value.func))
            ):
                return value
        return None

    found: dict[str, ast.Call] = named_values(tree, wanted)
    held = {name: call for name, call in found.items() if _last_name(call) in containers}
    policies = {name: call for name, call in held.items() if not _is_network(call, is_operation)}
    single = {name: call for name, call in found.items() if name not in held}
    return policies or single or held


def _is_network(call: ast.Call, is_operation: Callable[[str], bool]) -> bool:
    if _last_name(call) != "Sequential":
        return False
    inside = [ast.unparse(each.func) for each in call.args if isinstance(each, ast.Call)]
    return bool(inside) and not any(map(is_operation, inside))


def from_elsewhere(tree: ast.Module, package: str) -> set[str]:
    """The names that a file imports from other packages than that one, or defines as classes."""
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            for each in node.names:
                if (module or each.name).partition(".")[0] != package:
                    found.add(each.asname or each.name.partition(".")[0])
    return found


def choose(found: Mapping[str, Any], name: str | None) -> Any:
    """The one policy of a file, or that of a name; a UserError unless that is certain."""
    if name is not None and name not in found:
        raise unknown("policy of the file", name, found)
    if name is None and len({id(each) for each in found.values()}) > 1:
        raise UserError(f"it holds several policies: choose one with --name: {listed([*found])}")
    return found[name or next(iter(found))]


def _targets(node: ast.AST) -> list[str]:
    """The names that a statement gives a value to; "policy" for a value that has none."""
    match node:
        case ast.Assign():
            return [ast.unparse(target) for target in node.targets]
        case ast.AnnAssign():
            return [ast.unparse(node.target)]
        case ast.Expr() | ast.Return():
            return ["policy"]
    return []


def _last_name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def as_data(node: ast.AST) -> Any:
    """Calls, lists, tuples, tables, names and numbers; a UserError for anything else."""
    match node:
        case ast.Call():
            arguments = {each.arg or "**": as_data(each.value) for each in node.keywords}
            if node.args:
                arguments["*"] = [as_data(each) for each in node.args]
            return Call(ast.unparse(node.func), arguments)
        case ast.List():
            return [as_data(each) for each in node.elts]
        case ast.Tuple():
            return tuple(as_data(each) for each in node.elts)
        case ast.Name() | ast.Attribute():
            return Name(ast.unparse(node))
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise UserError(
            f"line {getattr(node, 'lineno', '?')} computes something ({type(node).__name__}); "
            "only calls, lists and numbers can be read, for nothing is executed"
        ) from None
