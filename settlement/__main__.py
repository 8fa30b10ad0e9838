"""Run the command line as `python -m settlement`."""

import runpy

# By name and not by import: nothing in this package knows the package that runs it.
runpy.run_module("jobs", run_name="__main__")
