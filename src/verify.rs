//! Proving the books on the live database: every law, every tenant, all of it or what is new.

use std::time::Duration;

use mizan_ledger::verify::{Elapsed, Law, Mark, Marks, Mode, Progress, keep, marks, prove_ledger};
use mizan_money::{TenantId, Timestamp};

use crate::clock::{Clock, Monotonic};
use crate::db::{Db, Tx, work};
use crate::inbox::InboxError;
use crate::outbox;
use crate::payments::PaymentError;
use crate::payments::verify::payment_laws;

/// How long a delivery may be parked before that breaks a law.
const PARK_LIMIT: chrono::Duration = chrono::Duration::days(3);

/// An increment looks again at payments and deliveries that are younger than this at the mark:
/// they are captured, refunded and applied long after they came.
const LOOK_BACK: chrono::Duration = chrono::Duration::days(7);

/// What the proof of one tenant's books came to.
#[derive(Debug)]
pub struct Proof {
    /// Whose books.
    pub tenant: TenantId,
    /// How much was proved: all of it where an increment was asked for and no mark stood.
    pub mode: Mode,
    /// The newest mark before this proof.
    pub since: Option<Mark>,
    /// The last journal number that was looked at.
    pub position: i64,
    /// Every law.
    pub laws: Vec<Law>,
    /// How long it took.
    pub took: Duration,
}

impl Proof {
    /// Whether every law holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.laws.iter().all(Law::holds)
    }

    /// How many things were checked, over all laws.
    #[must_use]
    pub fn checked(&self) -> i64 {
        self.laws.iter().map(|law| law.checked).sum()
    }
}

/// Proves every law for every tenant, each on one snapshot of its rows, and stores nothing.
///
/// # Errors
/// The database, or books that cannot be seen.
pub async fn verify(db: &Db, clock: &Clock) -> Result<Vec<(TenantId, Vec<Law>)>, InboxError> {
    let mut proved = Vec::new();
    for tenant in tenants(db).await? {
        let (proof, _) = look(db, clock, tenant, Mode::Full).await?;
        proved.push((tenant, proof.laws));
    }
    Ok(proved)
}

/// Proves the laws for every tenant, and marks up to where the books are proved if all hold.
///
/// # Errors
/// The database, or books that cannot be seen. A broken law is an answer and not an error.
pub async fn prove(db: &Db, clock: &Clock, mode: Mode) -> Result<Vec<Proof>, InboxError> {
    let mut proofs = Vec::new();
    for tenant in tenants(db).await? {
        proofs.push(prove_tenant(db, clock, tenant, mode).await?);
    }
    Ok(proofs)
}

/// The same for one tenant.
///
/// # Errors
/// As [`prove`].
pub async fn prove_tenant(
    db: &Db,
    clock: &Clock,
    tenant: TenantId,
    mode: Mode,
) -> Result<Proof, InboxError> {
    let (proof, progress) = look(db, clock, tenant, mode).await?;
    if proof.holds() {
        let progress = &progress;
        db.transaction("keep_proof", tenant, |tx| {
            work(async move {
                Ok::<_, InboxError>(keep(tx, tenant, progress).await.map_err(PaymentError::from)?)
            })
        })
        .await?;
    }
    Ok(proof)
}

/// The newest proofs of a tenant that found every law kept.
///
/// # Errors
/// The database.
pub async fn newest_marks(db: &Db, tenant: TenantId) -> Result<Marks, InboxError> {
    db.read("proof_marks", tenant, |tx| {
        work(async move { Ok(marks(tx, tenant).await.map_err(PaymentError::from)?) })
    })
    .await
}

/// All tenants. None at all is not a proof of anything.
async fn tenants(db: &Db) -> Result<Vec<TenantId>, InboxError> {
    let tenants = db.tenant_ids().await?;
    if tenants.is_empty() {
        let what = "no tenant can be seen, so nothing can be proved".to_owned();
        return Err(PaymentError::Corrupt { what }.into());
    }
    Ok(tenants)
}

async fn look(
    db: &Db,
    clock: &Clock,
    tenant: TenantId,
    mode: Mode,
) -> Result<(Proof, Progress), InboxError> {
    let (watch, now) = (Monotonic::start(), clock.now_for(tenant));
    let elapsed = || watch.elapsed();
    let elapsed: Elapsed<'_> = &elapsed;
    db.read("verify", tenant, |tx| work(async move { laws(tx, tenant, mode, now, elapsed).await }))
        .await
}

/// Proves all laws for one tenant.
async fn laws(
    conn: &mut Tx,
    tenant: TenantId,
    asked: Mode,
    now: Timestamp,
    elapsed: Elapsed<'_>,
) -> Result<(Proof, Progress), InboxError> {
    let begun = elapsed();
    let ledger = prove_ledger(conn, tenant, asked, now, elapsed).await;
    let ledger = ledger.map_err(PaymentError::from)?;
    let mut laws = ledger.laws;
    let mark = ledger.since.filter(|_| ledger.mode == Mode::Incremental);
    let since = mark.and_then(|mark| mark.recorded_at.checked_sub_signed(LOOK_BACK));
    laws.extend(payment_laws(conn, tenant, since, now, elapsed).await?);

    let watch = elapsed();
    let told = mizan_webhooks::law_deliveries(conn, tenant, since, now, PARK_LIMIT).await?;
    let name = "webhooks are applied, ignored with a reason, or parked for a while";
    laws.push(Law::tried(name, "deliveries", told, elapsed() - watch));

    let watch = elapsed();
    let after = mark.map_or((0, 0), |mark| (mark.event_position, mark.position));
    let told = outbox::store::law_announced(conn, tenant, after).await?;
    let name = "events have no gap and every transaction is announced";
    laws.push(Law::tried(name, "events", told, elapsed() - watch));
    let proof = Proof {
        tenant,
        mode: ledger.mode,
        since: ledger.since,
        position: ledger.position,
        laws,
        took: elapsed() - begun,
    };
    Ok((proof, ledger.progress))
}
