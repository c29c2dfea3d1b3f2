//! The circuit of a connection: open after failures in a row, tried again after a while.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use mizan_money::Timestamp;
use mizan_providers::{Outcome, RejectionReason, UnknownReason};
use serde::Serialize;

/// How many failures in a row open it.
pub const OPEN_AFTER: u32 = 5;

/// How long it stays open before it is tried again.
pub const OPEN_FOR: Duration = Duration::seconds(30);

/// Whether a connection works, as this process has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// It works.
    Closed,
    /// It failed; the next call tries whether it works again.
    HalfOpen,
    /// It fails: others are preferred.
    Open,
}

impl Circuit {
    /// The word for answers and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }

    /// The figure for metrics: 0 closed, 1 half open, 2 open.
    pub const fn figure(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    failures: u32,
    failed_at: Option<Timestamp>,
}

/// What was seen of one connection. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    seen: Arc<Mutex<Seen>>,
}

impl Breaker {
    /// How it stands.
    pub fn circuit(&self, now: Timestamp) -> Circuit {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.failed_at {
            Some(at) if seen.failures >= OPEN_AFTER && now - at < OPEN_FOR => Circuit::Open,
            Some(_) if seen.failures >= OPEN_AFTER => Circuit::HalfOpen,
            _ => Circuit::Closed,
        }
    }

    /// Learns from what a call came to. A refusal is a sign of life.
    pub fn learn(&self, outcome: &Outcome, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match sign(outcome) {
            Sign::Alive => *seen = Seen::default(),
            Sign::Failing => {
                seen.failures = seen.failures.saturating_add(1);
                seen.failed_at = Some(now);
            }
            Sign::Neither => {}
        }
    }
}

enum Sign {
    Alive,
    Failing,
    Neither,
}

fn sign(outcome: &Outcome) -> Sign {
    match outcome {
        Outcome::Done(_) | Outcome::Pending(_) | Outcome::Declined(_) | Outcome::Mismatch(_) => {
            Sign::Alive
        }
        Outcome::Rejected(rejection) => match rejection.reason {
            RejectionReason::NotSent => Sign::Failing,
            RejectionReason::Unsupported | RejectionReason::RateLimited => Sign::Neither,
            _ => Sign::Alive,
        },
        Outcome::Unknown(unknown) => match &unknown.why {
            UnknownReason::NoAnswer(_)
            | UnknownReason::ServerError { .. }
            | UnknownReason::Redirect { .. }
            | UnknownReason::Unreadable { .. }
            | UnknownReason::ErrorInside { .. } => Sign::Failing,
            UnknownReason::NotFound { .. } => Sign::Alive,
            _ => Sign::Neither,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing() -> Outcome {
        Outcome::Unknown(UnknownReason::ServerError { status: 503 }.into())
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_a_sign_of_life_closes_it() {
        let (breaker, now) = (Breaker::default(), Timestamp::UNIX_EPOCH);
        for _ in 1..OPEN_AFTER {
            breaker.learn(&failing(), now);
            assert_eq!(breaker.circuit(now), Circuit::Closed);
        }
        breaker.learn(&failing(), now);
        assert_eq!(breaker.circuit(now), Circuit::Open);
        let later = now + OPEN_FOR;
        assert_eq!(breaker.circuit(later), Circuit::HalfOpen);
        breaker.learn(&failing(), later);
        assert_eq!(breaker.circuit(later), Circuit::Open, "one failed trial opens it again");
        let alive = Outcome::Unknown(UnknownReason::NotFound { code: "none".into() }.into());
        breaker.learn(&alive, later);
        assert_eq!(breaker.circuit(later), Circuit::Closed);
    }
}
