"""The few lines with which a file draws subpolicies where a library has nothing for that."""

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.call_form import Calls
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.number import shown

ONE_OF = '''
class OneOf(nn.Module):
    """Each example of a batch draws one of the subpolicies, by weight; none after `eval()`."""

    def __init__(self, weights, subpolicies):
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))
        self.subpolicies = nn.ModuleList(nn.Sequential(*steps) for steps in subpolicies)

    def forward(self, x, y=None):
        drawn = self.weights.multinomial(len(x), replacement=True).to(x.device)
        out = x.clone()
        for place, subpolicy in enumerate(self.subpolicies):
            rows = drawn == place
            if self.training and rows.any():
                out[rows] = subpolicy(x[rows])
        return out if y is None else (out, y)
'''


def wrap(calls: Calls, probability: str) -> Call:
    """``OneOf(weights=[...], subpolicies=[[...], ...])``; each call has its probability."""
    return Call(
        "OneOf",
        {
            "weights": [weight for weight, _ in calls],
            "subpolicies": [
                [Call(each.name, {**each.arguments, probability: p}) for p, each in steps]
                for _, steps in calls
            ],
        },
    )


def unwrap(call: Call, lost: list[str], probability: str) -> Calls:
    """The inverse of `wrap`; a sequence is one subpolicy, and so is one operation."""
    if call.short == "OneOf":
        weights = call.arguments.get("weights")
        subpolicies = call.arguments.get("subpolicies")
        if not isinstance(weights, list) or not isinstance(subpolicies, list):
            raise UserError("OneOf has to hold `weights` and `subpolicies`, two lists")
        if len(weights) != len(subpolicies):
            raise UserError(f"it has {len(weights)} weights for {len(subpolicies)} subpolicies")
        say_what_else(call, {"weights", "subpolicies"}, lost)
        return [
            (weight, [_operation(each, probability) for each in _steps(steps)])
            for weight, steps in zip(weights, subpolicies, strict=True)
        ]
    if not call.short.endswith("Sequential"):
        return [(1.0, [with_probability(call, probability)])]
    steps = call.arguments.get("*")
    if not steps:
        raise UserError(f"{call.short} holds no operation")
    some = call.arguments.get("random_apply")
    if some is not None and some is not False:
        raise UserError(
            f"{call.short} draws some of its operations (random_apply={shown(some)}); here all act "
            "in a row: leave that out"
        )
    say_what_else(call, {"*"}, lost)
    return [(1.0, [_operation(each, probability) for each in steps])]


def say_what_else(call: Call, known: set[str], lost: list[str]) -> None:
    """Adds the arguments of a container that are not read; those that ask for nothing are not."""
    rest = [key for key, value in call.arguments.items() if key not in known and value]
    if rest:
        lost.append(f"{call.short}: here without its {', '.join(rest)}")


def _operation(call: object, probability: str) -> tuple[float, Call]:
    if isinstance(call, Call) and call.short.endswith("Sequential"):
        raise UserError(
            f"{call.short} inside another cannot be read; write its operations in its place"
        )
    return with_probability(call, probability)


def _steps(given: object) -> list[object]:
    if not isinstance(given, list | tuple):
        raise UserError(f"a subpolicy holds {shown(given)} where a list has to be")
    return list(given)


def with_probability(call: object, name: str) -> tuple[float, Call]:
    """The probability that a call has, and the call; a UserError if it is no call, or has none."""
    if not isinstance(call, Call):
        raise UserError(
            f"a subpolicy holds {shown(call)} where an operation has to be; write the operation "
            "itself there"
        )
    if name not in call.arguments:
        raise UserError(f"{call.short} has no `{name}`; write it, for defaults differ")
    return call.arguments[name], call
