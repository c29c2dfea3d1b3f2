//! Records of money that leaves the account, or is taken from it. Amounts are minor units.

use mizan_money::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Metadata, Step};

/// The states of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// Waits for money or for its turn; nothing has left.
    Queued,
    /// The money has left the account.
    InTransit,
    /// The beneficiary has it, as far as anybody knows.
    Paid,
    /// It came back.
    Returned,
    /// It never arrived; the money is back.
    Failed,
    /// Given up before it left.
    Cancelled,
}

/// Money sent to a bank account or wallet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payout {
    /// The gateway's id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The shop's own reference; may be empty.
    pub reference: String,
    /// What the beneficiary gets.
    pub amount: i64,
    /// Its currency, also of fee and tax.
    pub currency: Currency,
    /// What the gateway takes on top, without tax.
    pub fee: i64,
    /// The tax on the fee.
    pub tax: i64,
    /// Where it stands.
    pub state: PayoutState,
    /// The gateway's id of the beneficiary.
    pub destination: String,
    /// What the caller attached.
    pub metadata: Metadata,
    /// Why it failed, was cancelled or came back.
    pub reason: Option<String>,
    /// The bank's reference, once it has left.
    pub bank_reference: Option<String>,
    /// What becomes of it by itself.
    pub plan: Vec<Step<PayoutState>>,
    /// The line of the balance, and the one that brought the money back.
    pub rows: Vec<String>,
    /// The gateway's own fields.
    pub wire: Value,
}

/// The states of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Not there yet.
    Pending,
    /// The vendor's account has it.
    Paid,
    /// Refused; no money moved.
    Failed,
    /// All of it came back.
    Reversed,
}

/// Money moved to a vendor's account at the same gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// The gateway's id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The payment it comes from; `None`: the balance.
    pub payment: Option<String>,
    /// The vendor's account.
    pub recipient: String,
    /// What the vendor gets.
    pub amount: i64,
    /// Its currency, also of fee and tax.
    pub currency: Currency,
    /// What the gateway takes on top, without tax.
    pub fee: i64,
    /// The tax on the fee.
    pub tax: i64,
    /// Taken back so far.
    pub reversed: i64,
    /// Where it stands.
    pub state: TransferState,
    /// What the caller attached.
    pub metadata: Metadata,
    /// Why it failed.
    pub reason: Option<String>,
    /// The line of the balance.
    pub row: Option<String>,
    /// The gateway's own fields.
    pub wire: Value,
}

/// Money taken back from a vendor's account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reversal {
    /// The gateway's id.
    pub id: String,
    /// Its transfer.
    pub transfer: String,
    /// When it was made.
    pub created: Timestamp,
    /// In the transfer's currency.
    pub amount: i64,
    /// The line of the balance.
    pub row: String,
    /// The gateway's own fields.
    pub wire: Value,
}

/// The states of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The shop must answer.
    Open,
    /// The shop has answered.
    UnderReview,
    /// The shop keeps the money.
    Won,
    /// The buyer keeps the money.
    Lost,
    /// It came to nothing: the buyer gave it up.
    Closed,
}

impl DisputeState {
    /// Whether it is decided.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost | Self::Closed)
    }
}

/// When a gateway takes the disputed money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// When the dispute is opened; a won one gives it back.
    AtOpening,
    /// When the dispute is lost.
    AtLoss,
}

/// A buyer wants money back through the bank.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dispute {
    /// The gateway's id.
    pub id: String,
    /// Its payment.
    pub payment: String,
    /// When it was opened.
    pub created: Timestamp,
    /// In the payment's currency.
    pub amount: i64,
    /// In the settlement currency.
    pub base_amount: i64,
    /// Why, in the gateway's words.
    pub reason: String,
    /// Where it stands.
    pub state: DisputeState,
    /// Whether the money is with the buyer's bank now.
    pub withdrawn: bool,
    /// The lines of the balance.
    pub rows: Vec<String>,
    /// The gateway's own fields.
    pub wire: Value,
}

/// Money that the gateway sent to the shop's bank: rows of the balance, added up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settlement {
    /// The gateway's id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The currency of all its rows.
    pub currency: Currency,
    /// The rows it settles.
    pub rows: Vec<String>,
    /// Sum of the rows before fees and tax.
    pub gross: i64,
    /// Fees, without tax.
    pub fee: i64,
    /// Tax on the fees.
    pub tax: i64,
    /// What arrives at the bank.
    pub net: i64,
    /// The reference on the bank statement.
    pub bank_reference: String,
    /// Whether something due was left for the next one.
    pub partial: bool,
    /// The gateway's own fields.
    pub wire: Value,
}
