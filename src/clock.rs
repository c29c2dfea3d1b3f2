//! The only place that looks at a clock: everything else is told what time it is.
//!
//! `tests/tidy.rs` refuses the system's clock anywhere else, so that a story can be told at any
//! date and a test never waits.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Timelike, Utc};
use mizan_money::{TenantId, Timestamp};

/// Tells the time: the machine's, one that runs ahead of it, or one that is set by hand. Clones
/// share the same hands.
///
/// A tenant that plays may be further ahead: whatever is done for a tenant asks
/// [`Clock::now_for`], and only what belongs to nobody asks [`Clock::now`].
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// How far tenants are ahead of it, as far as this process has heard.
    ahead: Arc<RwLock<HashMap<TenantId, TimeDelta>>>,
}

#[derive(Clone, Debug)]
enum Source {
    System { ahead: TimeDelta },
    Manual(Arc<RwLock<Timestamp>>),
}

/// Why a clock could not be moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClockError {
    /// The machine's own clock is not ours to move.
    #[error("this process follows the machine's clock; only a clock set by hand can be moved")]
    NotManual,
    /// The result would lie outside of what a timestamp can say.
    #[error("the clock cannot be moved beyond the end of the calendar")]
    OutOfRange,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Source::System { ahead: TimeDelta::zero() })
    }

    /// The machine's clock, so many seconds ahead: hours pass for a process that is started
    /// again, and nobody has to wait for them.
    #[must_use]
    pub fn system_ahead(seconds: u32) -> Self {
        Self::of(Source::System { ahead: TimeDelta::seconds(seconds.into()) })
    }

    /// A clock that stands at `start` until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::of(Source::Manual(Arc::new(RwLock::new(to_micros(start)))))
    }

    fn of(source: Source) -> Self {
        Self { source, ahead: Arc::default() }
    }

    /// The time now, in whole microseconds: PostgreSQL keeps no more, and a moment that was
    /// stored must equal the same moment when it is read back.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::System { ahead } => to_micros(Utc::now() + *ahead),
            Source::Manual(hands) => *hands.read().unwrap_or_else(|poison| poison.into_inner()),
        }
    }

    /// The time now for a tenant, whose test clock may be ahead.
    #[must_use]
    pub fn now_for(&self, tenant: TenantId) -> Timestamp {
        let ahead = self.ahead.read().unwrap_or_else(|poison| poison.into_inner());
        let ahead = ahead.get(&tenant).copied().unwrap_or_default();
        self.now_ahead(ahead)
    }

    /// The time now, so much ahead.
    #[must_use]
    pub fn now_ahead(&self, ahead: TimeDelta) -> Timestamp {
        let now = self.now();
        now.checked_add_signed(ahead).unwrap_or(now)
    }

    /// Hears how far a tenant is ahead. Test clocks only go forwards, so of two that were heard
    /// the further one is the newer one.
    pub fn learn(&self, tenant: TenantId, ahead: TimeDelta) {
        let known = |all: &HashMap<TenantId, TimeDelta>| {
            all.get(&tenant).copied().unwrap_or_default() >= ahead
        };
        if !known(&self.ahead.read().unwrap_or_else(|poison| poison.into_inner())) {
            let mut all = self.ahead.write().unwrap_or_else(|poison| poison.into_inner());
            if !known(&all) {
                all.insert(tenant, ahead);
            }
        }
    }

    /// The times that somebody may be in now: its own, and that of each tenant that is ahead.
    #[must_use]
    pub fn times(&self) -> Vec<Timestamp> {
        let ahead = self.ahead.read().unwrap_or_else(|poison| poison.into_inner());
        std::iter::once(self.now()).chain(ahead.values().map(|by| self.now_ahead(*by))).collect()
    }

    /// Puts a clock that is set by hand to `moment`, forwards or backwards.
    ///
    /// # Errors
    /// [`ClockError::NotManual`] on the machine's clock.
    pub fn set(&self, moment: Timestamp) -> Result<(), ClockError> {
        self.turn(|_| Some(moment))
    }

    /// Moves a clock that is set by hand forward.
    ///
    /// # Errors
    /// [`ClockError::NotManual`] on the machine's clock, [`ClockError::OutOfRange`] at the end
    /// of the calendar.
    pub fn advance(&self, by: Duration) -> Result<(), ClockError> {
        self.turn(|now| now.checked_add_signed(TimeDelta::from_std(by).ok()?))
    }

    fn turn(&self, to: impl FnOnce(Timestamp) -> Option<Timestamp>) -> Result<(), ClockError> {
        let Source::Manual(hands) = &self.source else { return Err(ClockError::NotManual) };
        let mut hands = hands.write().unwrap_or_else(|poison| poison.into_inner());
        *hands = to_micros(to(*hands).ok_or(ClockError::OutOfRange)?);
        Ok(())
    }
}

fn to_micros(moment: Timestamp) -> Timestamp {
    let nanos = moment.nanosecond() / 1_000 * 1_000;
    moment.with_nanosecond(nanos).unwrap_or(moment)
}

/// Measures how long something takes, unmoved by whoever sets a clock.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic {
    started: Instant,
}

impl Monotonic {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_clock_set_by_hand_stands_still_until_it_is_moved() {
        let clock = Clock::manual("2026-03-01T10:00:00.123456789Z".parse().unwrap());
        let copy = clock.clone();
        assert_eq!(clock.now().to_rfc3339(), "2026-03-01T10:00:00.123456+00:00");
        clock.advance(Duration::from_secs(90)).unwrap();
        assert_eq!(copy.now().to_rfc3339(), "2026-03-01T10:01:30.123456+00:00");
        clock.set("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(copy.now().to_rfc3339(), "2026-01-01T00:00:00+00:00");
    }

    #[test]
    fn a_clock_can_run_ahead_of_the_machines() {
        let (before, ahead) = (Clock::system().now(), Clock::system_ahead(3_600).now());
        let gained = (ahead - before).num_seconds();
        assert!((3_600..3_700).contains(&gained), "{gained}");
        assert!(Clock::system_ahead(1).advance(Duration::from_secs(1)).is_err());
    }

    #[test]
    fn a_tenant_is_as_far_ahead_as_was_heard_and_never_goes_back() {
        let clock = Clock::manual("2026-03-01T10:00:00Z".parse().unwrap());
        let (copy, one, two) = (clock.clone(), TenantId(1), TenantId(2));
        clock.learn(one, TimeDelta::hours(2));
        clock.learn(one, TimeDelta::hours(1));
        assert_eq!(copy.now_for(one).to_rfc3339(), "2026-03-01T12:00:00+00:00");
        assert_eq!(copy.now_for(two), copy.now());
        assert_eq!(copy.times(), [copy.now(), copy.now_for(one)]);
    }

    #[test]
    fn the_machines_clock_cannot_be_moved() {
        let clock = Clock::system();
        assert_eq!(clock.advance(Duration::from_secs(1)), Err(ClockError::NotManual));
        assert_eq!(clock.now().nanosecond() % 1_000, 0);
    }
}
