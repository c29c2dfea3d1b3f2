//! What a rail or a person says of a payout, checked at the door.

use mizan_money::{Money, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{amount, currency, text};
use crate::payouts::error::{PayoutError, invalid};
use crate::payouts::outcome::{Fate, Word};

/// An amount of money.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AmountOfPayout)]
struct AmountBody {
    /// Minor units.
    #[schema(minimum = 1)]
    amount: i64,
    /// ISO 4217.
    currency: String,
}

/// What became of a payout.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PayoutOutcome)]
pub(super) struct OutcomeBody {
    /// `paid`, `failed` or `returned`.
    outcome: FateWord,
    /// Why it did not arrive: the rail's code, or one of `reason`.
    reason_code: Option<String>,
    /// Which account of ours it left or came back to; else the main one of its currency.
    #[schema(example = "aed_main")]
    bank: Option<String>,
    /// What left that account, where it is of the balance's currency and the payee's is another.
    cost: Option<AmountBody>,
    /// What the rail took for its work.
    fee: Option<AmountBody>,
    /// When; else now.
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
}

/// What became of a payout, in a word.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayoutFate)]
enum FateWord {
    /// It left our account.
    Paid,
    /// It never left.
    Failed,
    /// It came back.
    Returned,
}

impl AmountBody {
    fn check(&self, param: &'static str) -> Result<Money, PayoutError> {
        Ok(Money::new(amount(param, self.amount, 1)?, currency(param, &self.currency)?))
    }
}

impl OutcomeBody {
    pub(super) fn check(&self, now: Timestamp) -> Result<Word, PayoutError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if self
            .bank
            .as_ref()
            .is_some_and(|it| !(1..=80).contains(&it.len()) || !it.bytes().all(plain))
        {
            let message = "A bank account is named by 1 to 80 of A-Z, a-z, 0-9, `_`, `.`, `-`.";
            return Err(invalid("bank", message));
        }
        let fate = match self.outcome {
            FateWord::Paid => Fate::Paid,
            FateWord::Failed => Fate::Failed,
            FateWord::Returned => Fate::Returned,
        };
        if fate == Fate::Paid && self.reason_code.is_some() {
            return Err(invalid("reason_code", "What was paid needs no reason."));
        }
        if fate == Fate::Failed && (self.cost.is_some() || self.bank.is_some()) {
            return Err(invalid("cost", "What failed left no account and cost nothing there."));
        }
        let at = self.occurred_at.unwrap_or(now);
        if at > now {
            return Err(invalid("occurred_at", "News is of now or of a time that has been."));
        }
        let code = self.reason_code.as_deref().map(|it| text("reason_code", it, 60));
        Ok(Word {
            fate,
            code: code.transpose()?,
            bank: self.bank.clone(),
            cost: self.cost.as_ref().map(|it| it.check("cost")).transpose()?,
            fee: self.fee.as_ref().map(|it| it.check("fee")).transpose()?,
            occurred_at: at,
        })
    }
}
