//! The proof of every night: what is new, and once a week everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Days, NaiveTime, TimeDelta};
use mizan_ledger::verify::{Marks, Mode};
use mizan_money::{TenantId, Timestamp};

use crate::app::App;
use crate::inbox::InboxError;
use crate::verify::{Proof, newest_marks, prove_tenant};

/// 02:30 UTC: after the day of most tenants, before their morning.
const AT: NaiveTime = match NaiveTime::from_hms_opt(2, 30, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// Everything is proved again when the last such proof is older. Less than a week, so that it
/// stays on its weekday.
const FULL_AFTER: TimeDelta = TimeDelta::hours(6 * 24 + 12);

/// Remembers which night was tried, so that broken books are proved once a night and not once
/// a minute. Clones share the memory.
#[derive(Clone, Debug, Default)]
pub struct Nightly {
    tried: Arc<Mutex<HashMap<TenantId, Timestamp>>>,
}

impl Nightly {
    /// Proves the books of every tenant for which that was not done since the last 02:30.
    ///
    /// # Errors
    /// The database. Broken laws are logged and told as figures.
    pub async fn run(&self, app: &App) -> Result<Vec<Proof>, InboxError> {
        let mut proofs = Vec::new();
        for tenant in app.db.tenant_ids().await? {
            let night = last_night(app.now_for(tenant));
            let marks = newest_marks(&app.db, tenant).await?;
            app.metrics.marked(tenant, &marks);
            let Some(mode) = due(&marks, night) else { continue };
            if self.tries(tenant, night) {
                proofs.push(prove(app, tenant, mode).await?);
            }
        }
        Ok(proofs)
    }

    /// Whether this night was not tried before.
    fn tries(&self, tenant: TenantId, night: Timestamp) -> bool {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.insert(tenant, night) != Some(night)
    }
}

async fn prove(app: &App, tenant: TenantId, mode: Mode) -> Result<Proof, InboxError> {
    let proof = prove_tenant(&app.db, &app.clock, tenant, mode).await?;
    app.metrics.proved(&proof);
    app.metrics.marked(tenant, &newest_marks(&app.db, tenant).await?);
    let (mode, checked, millis) = (proof.mode.name(), proof.checked(), proof.took.as_millis());
    if proof.holds() {
        tracing::info!(%tenant, mode, checked, millis, "the books are proved: every law holds");
    }
    for law in proof.laws.iter().filter(|law| !law.holds()) {
        let rows = law.broken.join("; ");
        tracing::error!(%tenant, mode, law = law.name, rows, "THE BOOKS BREAK A LAW");
    }
    Ok(proof)
}

/// The last 02:30 that has struck.
fn last_night(now: Timestamp) -> Timestamp {
    let today = now.date_naive().and_time(AT).and_utc();
    if today <= now { today } else { today.checked_sub_days(Days::new(1)).unwrap_or(today) }
}

/// What to prove for a night; nothing where that was done.
fn due(marks: &Marks, night: Timestamp) -> Option<Mode> {
    if marks.newest.is_some_and(|mark| mark.proved_at >= night) {
        return None;
    }
    let is_recent = |full: Timestamp| night.signed_duration_since(full) < FULL_AFTER;
    Some(match marks.newest_full {
        Some(full) if is_recent(full.proved_at) => Mode::Incremental,
        _ => Mode::Full,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mizan_ledger::verify::Mark;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn marks(newest: &str, newest_full: &str) -> Marks {
        let mark = |proved_at, mode| Mark {
            number: 1,
            mode,
            position: 0,
            event_position: 0,
            recorded_at: proved_at,
            proved_at,
        };
        Marks {
            newest: Some(mark(at(newest), Mode::Incremental)),
            newest_full: Some(mark(at(newest_full), Mode::Full)),
        }
    }

    #[test]
    fn a_night_begins_at_half_past_two() {
        assert_eq!(last_night(at("2026-03-02T02:29:59Z")), at("2026-03-01T02:30:00Z"));
        assert_eq!(last_night(at("2026-03-02T02:30:00Z")), at("2026-03-02T02:30:00Z"));
    }

    #[test]
    fn what_is_new_is_proved_every_night_and_everything_every_week() {
        let night = at("2026-03-08T02:30:00Z");
        let told = |newest, full| due(&marks(newest, full), night);
        assert_eq!(due(&Marks::default(), night), Some(Mode::Full));
        assert_eq!(told("2026-03-08T02:30:01Z", "2026-03-01T02:30:05Z"), None);
        assert_eq!(told("2026-03-07T02:30:01Z", "2026-03-01T02:30:05Z"), Some(Mode::Full));
        assert_eq!(told("2026-03-07T02:30:01Z", "2026-03-02T02:30:05Z"), Some(Mode::Incremental));
    }
}
