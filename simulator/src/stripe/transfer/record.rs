//! What Stripe remembers of transfers and of money that came into the balance.

use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};

use crate::stripe::state::Metadata;

/// Money moved to a connected account. The amounts are in minor units of `currency`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transfer {
    pub id: String,
    pub created: Timestamp,
    pub amount: i64,
    pub amount_reversed: i64,
    pub currency: String,
    pub description: Option<String>,
    /// The connected account, and the payment that this is there.
    pub destination: String,
    pub destination_payment: String,
    /// The charge it is paid from; `None`: the balance.
    pub source: Option<String>,
    pub group: Option<String>,
    pub metadata: Metadata,
    pub balance_row: String,
}

/// Money taken back from a connected account, in the currency of its transfer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reversal {
    pub id: String,
    pub created: Timestamp,
    pub amount: i64,
    pub currency: String,
    pub transfer: String,
    pub metadata: Metadata,
    pub balance_row: String,
}
