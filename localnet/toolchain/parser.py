"""interim"""

import sys

sys.path.insert(0, "/tmp/dev/mv")
from movebin import parse, Module


def module_name(b):
    return parse(b).name
