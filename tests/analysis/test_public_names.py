"""What can be imported from the package without knowing its files."""

import pytest

import augbench.analysis


@pytest.mark.parametrize("name", augbench.analysis.__all__)
def test_a_public_name_is_imported_from_the_package_itself(name: str) -> None:
    assert callable(getattr(augbench.analysis, name))
