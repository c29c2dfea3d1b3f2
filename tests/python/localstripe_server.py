"""localstripe on a loopback port, for tests of our own.

    python localstripe_server.py 1772442000

The argument is the time by its clock, in seconds since 1970. Prints its port and serves until its
standard input ends. What it holds stays in memory.

Stripe documents some parameters that localstripe answers with a refusal. None of them decides
about money, so they are taken out of the requests, each by its name and in its place; any other
parameter that localstripe does not know is refused as ever.
"""

import importlib.metadata
import os
import re
import socket
import sys
import threading
import types

from aiohttp import web
from localstripe import resources, server

PINNED = "1.15.10"

NOT_KNOWN = {
    r"/v1/payment_intents": {"automatic_payment_methods", "description", "return_url"},
    r"/v1/payment_intents/\w+/cancel": {"cancellation_reason"},
    r"/v1/refunds": {"reason"},
}


def without_the_unknown(read):
    """Wraps localstripe's reader of request bodies."""

    async def reader(request, **options):
        data = await read(request, **options)
        for path, names in NOT_KNOWN.items():
            if data and re.fullmatch(path, request.path):
                data = {name: value for name, value in data.items() if name not in names}
        return data

    return reader


def end_with_parent():
    """The parent holds the other end of the pipe, and lets go of it however it ends."""
    sys.stdin.read()
    os._exit(0)


def main():
    installed = importlib.metadata.version("localstripe")
    if installed != PINNED:
        sys.exit(f"localstripe {installed} is installed, {PINNED} is expected")
    now = int(sys.argv[1])
    resources.time = types.SimpleNamespace(time=lambda: now)
    resources.Store.dump_to_disk = lambda store: None
    server.get_post_data = without_the_unknown(server.get_post_data)
    threading.Thread(target=end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    web.run_app(server.app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
