"""For which functions a source may speak (confused deputy).

A source that names no function speaks for none. Only one that is meant for AWS's local
runner, whose executions name no function, stands open until it names some.
"""

from __future__ import annotations

from collections.abc import Collection

from approvals.errors import ForeignFunction, InvalidFields
from approvals.intake.fields import is_local_execution
from approvals.models import CallbackSource

NO_EXECUTION_ARN = (
    "Add the ARN of the execution that waits: this source speaks only for the functions it "
    "names, and this says whose callback it is."
)


def check_function(source: CallbackSource, execution_arn: str) -> None:
    """Return if SOURCE may open a request of EXECUTION_ARN (empty: none was sent).

    Raises:
        InvalidFields: a source that is bound to functions sent no execution_arn.
        ForeignFunction: the source names no function, or not this one.
    """
    bound, local = source.function_arns, source.allow_local_runner
    if not bound and not local:
        raise ForeignFunction(
            "This source names no functions yet: add them with "
            f"manage.py add_functions {source.slug} ARN."
        )
    if bound and not execution_arn:
        raise InvalidFields({"execution_arn": NO_EXECUTION_ARN})
    if execution_arn and not may_speak_for(
        execution_arn, function_arns=bound, allow_local_runner=local
    ):
        raise ForeignFunction(
            f"The source {source.slug} may not speak for the function of this execution_arn. "
            f"Add it with manage.py add_functions {source.slug} ARN, or send from the right source."
        )


def may_speak_for(
    execution_arn: str, *, function_arns: Collection[str], allow_local_runner: bool
) -> bool:
    """Whether a source bound to FUNCTION_ARNS may name EXECUTION_ARN.

    A function ARN without a version, or ending in `:*`, stands for all its versions; one
    with a version for that version. The local runner's executions name no function: they
    are taken only where that is allowed, and there, without any function, all are.

    The claim is only a claim. The wall is the source's own role at AWS.
    """
    if is_local_execution(execution_arn):
        return allow_local_runner
    if not function_arns:
        return allow_local_runner
    version, _, _ = execution_arn.partition("/durable-execution/")
    function, _, _ = version.rpartition(":")
    return any(named.removesuffix(":*") in {function, version} for named in function_arns)
