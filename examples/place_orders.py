"""Start order workflows at the local runner: `examples.start order-workflow`, in short.

python -m examples.place_orders --runner http://127.0.0.1:9014
python -m examples.place_orders --runner http://127.0.0.1:9014 --shape small --count 5
"""

from __future__ import annotations

import sys

from examples.start import main, start_execution

__all__ = ["start_execution"]

if __name__ == "__main__":
    main(["order-workflow", *sys.argv[1:]])
