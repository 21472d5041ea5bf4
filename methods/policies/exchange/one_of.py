"""The few lines with which a file draws subpolicies where a library has nothing for that."""

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.call_form import Calls
from augbench.methods.policies.exchange.calls import Call

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


def unwrap(call: Call, probability: str) -> Calls:
    """The inverse of `wrap`; a sequence is one subpolicy, and so is one operation."""
    if call.short == "OneOf":
        weights = call.arguments.get("weights")
        subpolicies = call.arguments.get("subpolicies")
        if not isinstance(weights, list) or not isinstance(subpolicies, list):
            raise UserError("OneOf has to hold `weights` and `subpolicies`, two lists")
        if len(weights) != len(subpolicies):
            raise UserError(f"it has {len(weights)} weights for {len(subpolicies)} subpolicies")
        return [
            (weight, [with_probability(each, probability) for each in _steps(steps)])
            for weight, steps in zip(weights, subpolicies, strict=True)
        ]
    steps = call.arguments.get("*") if call.short.endswith("Sequential") else [call]
    if not steps:
        raise UserError(f"{call.short} holds no operation")
    return [(1.0, [with_probability(each, probability) for each in steps])]


def _steps(given: object) -> list[object]:
    if not isinstance(given, list | tuple):
        raise UserError(f"a subpolicy holds {given!r} where a list has to be")
    return list(given)


def with_probability(call: object, name: str) -> tuple[float, Call]:
    """The probability that a call has, and the call; a UserError if it is no call, or has none."""
    if not isinstance(call, Call):
        raise UserError(f"a subpolicy holds {call!r} where an operation has to be")
    if name not in call.arguments:
        raise UserError(f"{call.short} has no `{name}`; write it, for defaults differ")
    return call.arguments[name], call
