"""Holds a message to its schema of ISO 20022, as the package sepaxml brings it.

Reads the message from the standard input; the argument is its name, such as pain.001.001.09.
Prints `valid`, or each violation on a line of its own.
"""

import importlib.util
import pathlib
import sys

from lxml import etree


def main():
    place = pathlib.Path(importlib.util.find_spec("sepaxml").origin).parent
    schema = etree.XMLSchema(etree.parse(place / "schemas" / f"{sys.argv[1]}.xsd"))
    message = etree.fromstring(sys.stdin.buffer.read())
    if schema.validate(message):
        print("valid")
        return
    for error in schema.error_log:
        print(f"line {error.line}: {error.message}")


main()
