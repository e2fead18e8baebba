from __future__ import annotations

import pytest

from approvals.intake.functions import may_speak_for

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
EXECUTION = f"{FUNCTION}:7/durable-execution/order-1/9f7d84c9-ea3d-3ffc-b3e5-5ec51c34ffc9"
LOCAL = "0b0d7a2e-5f0e-4c39-a1a5-1c9f5f8a3d11/5f1b9c1e-5f0e-4c39-a1a5-1c9f5f8a3d12"


@pytest.mark.parametrize(
    "bound", [[FUNCTION], [f"{FUNCTION}:7"], [f"{FUNCTION}:*"], [FUNCTION + "x", FUNCTION]]
)
def test_a_source_speaks_for_the_functions_it_is_bound_to(bound: list[str]) -> None:
    assert may_speak_for(EXECUTION, function_arns=bound, allow_local_runner=False)


@pytest.mark.parametrize(
    "bound",
    [
        [f"{FUNCTION}:8"],
        [f"{FUNCTION}:$LATEST"],
        [f"{FUNCTION}s"],
        [FUNCTION[:-1]],
        ["*"],
        ["arn:aws:lambda:eu-west-1:123456789012:function:*"],
        [FUNCTION.replace("eu-west-1", "us-east-1")],
        [FUNCTION.replace("123456789012", "210987654321")],
        [FUNCTION.replace("arn:aws:", "arn:aws-cn:")],
        [""],
    ],
)
def test_a_source_speaks_for_no_other_function(bound: list[str]) -> None:
    assert not may_speak_for(EXECUTION, function_arns=bound, allow_local_runner=True)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_source_without_functions_speaks_for_all_only_at_the_local_runner(allowed: bool) -> None:
    assert may_speak_for(EXECUTION, function_arns=[], allow_local_runner=allowed) is allowed


@pytest.mark.parametrize("bound", [[], [FUNCTION]])
@pytest.mark.parametrize("allowed", [True, False])
def test_the_local_runner_is_taken_only_where_allowed(bound: list[str], allowed: bool) -> None:
    assert may_speak_for(LOCAL, function_arns=bound, allow_local_runner=allowed) is allowed
