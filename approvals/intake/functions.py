"""For which functions a source may speak (confused deputy)."""

from __future__ import annotations

from collections.abc import Collection

from approvals.intake.fields import is_local_execution


def may_speak_for(
    execution_arn: str, *, function_arns: Collection[str], allow_local_runner: bool
) -> bool:
    """Whether a source bound to FUNCTION_ARNS may name EXECUTION_ARN.

    A function ARN without a version, or ending in `:*`, stands for all its versions; one
    with a version for that version. Without any, the source is not bound. The local
    runner's executions name no function: they are taken only where that is allowed.

    The claim is only a claim. The wall is the source's own role at AWS.
    """
    if is_local_execution(execution_arn):
        return allow_local_runner
    if not function_arns:
        return True
    version, _, _ = execution_arn.partition("/durable-execution/")
    function, _, _ = version.rpartition(":")
    return any(named.removesuffix(":*") in {function, version} for named in function_arns)
