//! Books a settlement as it was seen.

use mizan_ledger::postings::{ProviderSettled, SettlementReceived, SettlementReported};
use mizan_ledger::{Posting, PostingError};
use mizan_money::{Money, TenantId, Timestamp, TransactionId};
use serde_json::json;
use sqlx::PgConnection;

use super::{SettlementId, store};
use crate::finance::error::FinanceError;
use crate::finance::record::{By, Move, record, transaction};

/// How far it was seen to have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The gateway says that it paid out.
    Reported,
    /// The bank has it.
    Received {
        /// Our bank account.
        bank: String,
        /// What arrived; banks kept the rest.
        received: Money,
    },
    /// The bank has it, and nothing was reported before.
    Direct {
        /// Our bank account.
        bank: String,
    },
}

impl Stage {
    /// The word in the interface and in the database.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Received { .. } => "received",
            Self::Direct { .. } => "direct",
        }
    }

    /// The kind of what is posted, and of the event.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Reported => "settlement.reported",
            Self::Received { .. } => "settlement.received",
            Self::Direct { .. } => "provider.settled",
        }
    }

    /// Our bank account, and what it got.
    pub fn arrived(&self, amount: Money) -> Option<(&str, Money)> {
        match self {
            Self::Reported => None,
            Self::Received { bank, received } => Some((bank, *received)),
            Self::Direct { bank } => Some((bank, amount)),
        }
    }
}

/// A settlement to be booked. Each field was checked at the door.
#[derive(Debug, Clone)]
pub struct NewSettlement {
    /// The gateway.
    pub provider: String,
    /// What left the gateway for us.
    pub amount: Money,
    /// How far it has come.
    pub stage: Stage,
    /// What the gateway or the bank calls it.
    pub reference: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
}

/// A settlement as it is kept.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Its id.
    pub id: SettlementId,
    /// What was seen.
    pub says: NewSettlement,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// With which key.
    pub created_by: String,
    /// What it was posted as.
    pub transaction: TransactionId,
}

impl NewSettlement {
    fn posting(&self) -> Result<Posting, PostingError> {
        let (provider, amount) = (self.provider.clone(), self.amount);
        match &self.stage {
            Stage::Reported => SettlementReported { provider, amount }.posting(),
            Stage::Received { bank, received } => {
                let (bank, received) = (bank.clone(), *received);
                SettlementReceived { provider, bank, amount, received }.posting()
            }
            Stage::Direct { bank } => {
                ProviderSettled { provider, bank: bank.clone(), amount }.posting()
            }
        }
    }
}

/// Books a settlement and announces it. It has happened: nothing refuses it but a reference that
/// was told before.
///
/// # Errors
/// A reference that was told before; the database.
pub async fn settle(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    new: &NewSettlement,
    by: &str,
) -> Result<Settlement, FinanceError> {
    let (id, kind) = (SettlementId::generate(now), new.stage.kind());
    let whose = By { source: id.to_string(), actor: by, effective_at: new.occurred_at };
    let arrived = new.stage.arrived(new.amount);
    let payload = json!({
        "settlement": id, "provider": new.provider, "stage": new.stage.as_str(),
        "amount": new.amount.minor(), "currency": new.amount.currency(),
        "bank": arrived.map(|(bank, _)| bank),
        "received": arrived.map(|(_, received)| received.minor()),
        "reference": new.reference, "occurred_at": new.occurred_at,
    });
    let posted = Move {
        transaction: transaction(kind, format!("{id}:{kind}"), whose, new.posting()?)?,
        event: kind,
        object: id.to_string(),
        payload,
    };
    let posted = record(conn, tenant, now, vec![posted]).await?;
    let transaction =
        posted.first().map(|it| it.id).ok_or_else(|| FinanceError::corrupt("nothing posted"))?;

    let by = by.to_owned();
    let kept = Settlement { id, says: new.clone(), created_at: now, created_by: by, transaction };
    if !store::insert_settlement(conn, tenant, &kept).await? {
        let reference = new.reference.as_deref().unwrap_or_default();
        let what = format!(
            "the settlement `{reference}` of {} was recorded as {} before: each stage is told \
             once",
            new.provider,
            new.stage.as_str()
        );
        return Err(FinanceError::ReferenceReused { param: "reference", what });
    }
    Ok(kept)
}
