//! Where a delivery stands, what can become of it, and when it is tried again. Pure.

use std::fmt;
use std::str::FromStr;

use chrono::Duration;
use mizan_money::Timestamp;
use mizan_providers::redact;

use crate::error::UnknownState;

/// Longest reason, in characters.
pub const REASON_MAX: usize = 500;

/// Where a delivery stands, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Stored; nobody said yet what becomes of it.
    Received,
    /// It had its effect.
    Applied,
    /// Of no interest.
    Ignored,
    /// Older than what is known.
    Stale,
    /// To be tried again.
    Parked,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Received, Self::Applied, Self::Ignored, Self::Stale, Self::Parked];

    /// The word in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Stale => "stale",
            Self::Parked => "parked",
        }
    }

    /// Whether it is still to be applied.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::Parked)
    }

    /// Whether a delivery in this state says why.
    pub const fn has_reason(self) -> bool {
        matches!(self, Self::Ignored | Self::Stale | Self::Parked)
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

/// Where a delivery stands, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Stored; nobody said yet what becomes of it. Never seen outside of its transaction.
    Received,
    /// It had its effect.
    Applied {
        /// When.
        finished_at: Timestamp,
    },
    /// Of no interest.
    Ignored {
        /// Why.
        reason: String,
        /// When that was decided.
        finished_at: Timestamp,
    },
    /// Older than what is known.
    Stale {
        /// Than what.
        reason: String,
        /// When that was decided.
        finished_at: Timestamp,
    },
    /// To be tried again.
    Parked {
        /// Why it could not be applied.
        reason: String,
        /// When to try again.
        retry_at: Timestamp,
    },
}

impl Standing {
    /// Its name.
    pub const fn state(&self) -> DeliveryState {
        match self {
            Self::Received => DeliveryState::Received,
            Self::Applied { .. } => DeliveryState::Applied,
            Self::Ignored { .. } => DeliveryState::Ignored,
            Self::Stale { .. } => DeliveryState::Stale,
            Self::Parked { .. } => DeliveryState::Parked,
        }
    }
}

/// What becomes of a delivery. Reasons are cleaned of secrets and control characters, and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It had its effect, in this same transaction.
    Applied,
    /// It is of no interest.
    Ignored {
        /// Why.
        reason: String,
    },
    /// It is older than what is known.
    Stale {
        /// Than what.
        reason: String,
    },
    /// It could not be applied and is to be tried again.
    Parked {
        /// Why.
        reason: String,
        /// When to try again.
        retry_at: Timestamp,
    },
}

impl Disposition {
    /// Parked after one more failed attempt, to be tried again by the ladder of [`retry_at`].
    pub fn parked(reason: impl Into<String>, attempts_before: u32, now: Timestamp) -> Self {
        let retry_at = retry_at(attempts_before.saturating_add(1), now);
        Self::Parked { reason: reason.into(), retry_at }
    }

    /// The state it leads to.
    pub const fn state(&self) -> DeliveryState {
        match self {
            Self::Applied => DeliveryState::Applied,
            Self::Ignored { .. } => DeliveryState::Ignored,
            Self::Stale { .. } => DeliveryState::Stale,
            Self::Parked { .. } => DeliveryState::Parked,
        }
    }

    /// The reason as it is stored.
    pub(crate) fn stored_reason(&self) -> Option<String> {
        match self {
            Self::Applied => None,
            Self::Ignored { reason } | Self::Stale { reason } | Self::Parked { reason, .. } => {
                Some(storable_reason(reason))
            }
        }
    }
}

/// Total, since parking must not fail for the text that explains it.
fn storable_reason(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean: String = redact::text(line.trim()).chars().take(REASON_MAX).collect();
    if clean.trim().is_empty() { "no reason was given".to_owned() } else { clean }
}

/// Seconds to wait after the first, second … failed attempt.
const LADDER: [i64; 5] = [30, 120, 600, 3_600, 21_600];
/// Seconds to wait after those.
const DAILY: i64 = 86_400;

/// When a delivery is tried again after `attempts` attempts failed, the latest at `now`: 30 s,
/// 2 m, 10 m, 1 h, 6 h, then daily. It never gives up: `verify` reports what is parked for too
/// long, and a person decides.
pub fn retry_at(attempts: u32, now: Timestamp) -> Timestamp {
    let rung = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = LADDER.get(rung).copied().unwrap_or(DAILY);
    now.checked_add_signed(Duration::seconds(seconds)).unwrap_or(now)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_772_442_000, 0).unwrap()
    }

    #[test]
    fn a_parked_delivery_is_tried_less_and_less_often_and_then_daily() {
        let waits: Vec<i64> =
            (1..=8).map(|attempts| (retry_at(attempts, now()) - now()).num_seconds()).collect();
        assert_eq!(waits, [30, 120, 600, 3_600, 21_600, 86_400, 86_400, 86_400]);
    }

    #[test]
    fn the_first_failure_waits_for_the_first_rung() {
        let parked = Disposition::parked("the payment is unknown", 0, now());
        let retry_at = now() + Duration::seconds(30);
        let reason = "the payment is unknown".to_owned();
        assert_eq!(parked, Disposition::Parked { reason, retry_at });
    }

    #[test]
    fn a_reason_without_words_still_gives_one() {
        for text in ["", " \n ", "\0"] {
            let ignored = Disposition::Ignored { reason: text.to_owned() };
            assert_eq!(ignored.stored_reason().as_deref(), Some("no reason was given"));
        }
        assert_eq!(Disposition::Applied.stored_reason(), None);
    }

    #[test]
    fn a_reason_holds_no_key() {
        let reason = "refused for sk_live_0123456789abcdefghij".to_owned();
        let stored = Disposition::Stale { reason }.stored_reason().unwrap();
        assert!(!stored.contains("0123456789abcdefghij"), "{stored}");
    }

    #[test]
    fn states_are_read_by_the_words_they_are_written_with() {
        for state in DeliveryState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("Applied".parse::<DeliveryState>(), Err(UnknownState));
    }

    proptest! {
        #[test]
        fn any_text_makes_a_reason_that_can_be_stored(reason in any::<String>()) {
            let stored = Disposition::Ignored { reason }.stored_reason().unwrap();
            prop_assert!((1..=REASON_MAX).contains(&stored.chars().count()));
            prop_assert!(!stored.chars().any(char::is_control));
        }

        #[test]
        fn a_retry_is_always_later_and_within_a_day(attempts in any::<u32>()) {
            let wait = (retry_at(attempts, now()) - now()).num_seconds();
            prop_assert!((30..=86_400).contains(&wait));
        }
    }
}
