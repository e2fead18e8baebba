"""The whole portal on one machine, with AWS's local runner in Lambda's place.

`python -m portal.demo` starts it (`make demo`), `python -m portal.demo.order` adds an
order to it (`make order`). Everything lives in DATA_DIR and ends with the demo.
"""
