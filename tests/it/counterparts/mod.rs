//! Counterparts that nobody here wrote: the official libraries of Stripe and Razorpay, and
//! localstripe.
//!
//! Both are Python, at the versions of `tests/python/requirements.txt`.

mod localstripe;
mod sdk;

use std::ffi::OsString;

/// The Python that has them.
pub fn python() -> OsString {
    std::env::var_os("MIZAN_TEST_PYTHON").unwrap_or_else(|| {
        panic!(
            "MIZAN_TEST_PYTHON names no Python with Stripe's library and localstripe: run \
             `make test`, or `export MIZAN_TEST_PYTHON=$(scripts/python-for-tests)` before \
             `cargo test`"
        )
    })
}
