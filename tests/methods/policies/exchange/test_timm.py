"""timm's strings: the policies that they can say, and a sentence for all others."""

from itertools import product

import pytest

from augbench.datasets.errors import UserError
from augbench.methods import Operation, Policy, Subpolicy
from augbench.methods.policies.exchange.convert import export_policy
from augbench.methods.policies.exchange.timm import STRONGEST


def policy_of(n: int, share: float, probability: float = 0.5, weight: float = 1.0) -> Policy:
    """All sequences of n of timm's operations, at a share of its strongest."""
    operations = [
        Operation(name, probability, None if most is None else share)
        for name, most in STRONGEST.items()
    ]
    chains = [Subpolicy(each) for each in product(operations, repeat=n)]
    chains[0] = Subpolicy(chains[0].operations, weight)
    ranges = {name: most for name, most in STRONGEST.items() if most is not None}
    return Policy(tuple(chains), ranges=ranges)


def test_a_random_draw_of_its_operations_is_a_string() -> None:
    text, report = export_policy(policy_of(2, 0.9), "timm")
    assert text == "rand-m9-n2-mstd101-inc1\n"
    assert any("SolarizeAdd" in each for each in report.lost)
    assert any(each.startswith("posterize keeps 4 to 0 bits there") for each in report.lost)
    assert export_policy(policy_of(1, 0.3), "timm")[0] == "rand-m3-n1-mstd101-inc1\n"


ONE = policy_of(1, 0.9)
OTHERS = {
    "another probability": policy_of(1, 0.9, probability=0.7),
    "between two levels": policy_of(1, 0.85),
    "weights": policy_of(1, 0.9, weight=2.0),
    "an operation is missing": Policy(ONE.subpolicies[1:], ranges=ONE.ranges),
    "no operation of timm's": Policy((Subpolicy((Operation("hue", 0.5, 1.0),)),)),
    "two lengths": Policy(ONE.subpolicies + policy_of(2, 0.9).subpolicies, ranges=ONE.ranges),
}


@pytest.mark.parametrize("case", OTHERS)
def test_all_others_are_one_sentence_with_a_way_out(case: str) -> None:
    with pytest.raises(UserError, match=r"timm's strings say only this: .* take --to torchvision"):
        export_policy(OTHERS[case], "timm")
