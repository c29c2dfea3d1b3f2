"""Signs and verifies webhooks with the official libraries of Stripe and Razorpay, for our tests.

Reads a JSON list of jobs from standard input and writes the list of their results:

    {"do": "sign", "secret": "...", "payload": "...", "at": 1780000000}
        -> "t=1780000000,v1=..."
    {"do": "verify", "secrets": ["..."], "payload": "...", "header": "...", "at": 1780000005,
     "tolerance": 300}
        -> "valid" or "invalid"
    {"do": "razorpay_sign", "secret": "...", "payload": "..."}
        -> the signature that the library compares with
    {"do": "razorpay_verify", "secret": "...", "payload": "...", "header": "..."}
        -> "valid" or "invalid"
"""

import hmac
import json
import sys
import time
from unittest import mock

import razorpay
import stripe

PINNED = "16.1.0"


def sign(job):
    return stripe.WebhookSignature.generate_signature_header(
        job["payload"], job["secret"], timestamp=job["at"]
    )


def verify(job):
    """One secret is enough: that is how a receiver uses the library while it rotates them."""
    with mock.patch.object(time, "time", return_value=float(job["at"])):
        for secret in job["secrets"]:
            try:
                stripe.WebhookSignature.verify_header(
                    job["payload"].encode("utf-8"), job["header"], secret, job["tolerance"]
                )
                return "valid"
            except stripe.SignatureVerificationError:
                continue
    return "invalid"


def razorpay_utility():
    return razorpay.Client(auth=("rzp_test_key", "not used for webhooks")).utility


def razorpay_sign(job):
    """The library only verifies: what it computes to compare with is its signature."""
    seen = []

    def compare(computed, given):
        seen.append(computed)
        return True

    with mock.patch.object(hmac, "compare_digest", compare):
        razorpay_utility().verify_webhook_signature(job["payload"], "", job["secret"])
    return seen[0]


def razorpay_verify(job):
    try:
        razorpay_utility().verify_webhook_signature(job["payload"], job["header"], job["secret"])
        return "valid"
    except razorpay.errors.SignatureVerificationError:
        return "invalid"


def main():
    if stripe.VERSION != PINNED:
        sys.exit(f"stripe {stripe.VERSION} is installed, {PINNED} is expected")
    actions = {
        "sign": sign,
        "verify": verify,
        "razorpay_sign": razorpay_sign,
        "razorpay_verify": razorpay_verify,
    }
    jobs = json.load(sys.stdin)
    json.dump([actions[job["do"]](job) for job in jobs], sys.stdout)


if __name__ == "__main__":
    main()
