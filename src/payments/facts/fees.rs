//! What a gateway kept for a payment: booked once it is told, asked for where it is not. Pure.

use mizan_ledger::postings::ProviderFee;
use mizan_money::Timestamp;
use mizan_providers::{PaymentAnswer, PaymentStatus, Support, webhook_reader};
use serde_json::json;

use crate::payments::error::PaymentError;
use crate::payments::intent::{Fee, Payment};
use crate::payments::plan::{Plan, Policy};

/// When to ask for the first time for a fee that the gateway did not tell.
const FEE_WAIT: chrono::Duration = chrono::Duration::seconds(30);

impl Payment {
    /// Books the fee once it is known; answers whether it was news.
    pub(super) fn learn_fee(
        &mut self,
        n: usize,
        fact: &PaymentAnswer,
        at: Timestamp,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<bool, PaymentError> {
        let attempt = &mut self.attempts[n];
        if attempt.status != PaymentStatus::Captured || attempt.fee.is_some() {
            return Ok(false);
        }
        let Some(told) = &fact.fee else {
            let told_later = webhook_reader(attempt.provider).capabilities().fee_at_once;
            if told_later == Support::No {
                // It comes with the settlement: nothing is gained by asking.
                attempt.sync_at = None;
            } else if attempt.sync_at.is_none() && attempt.syncs == 0 {
                attempt.sync_at = Some(plan.now() + FEE_WAIT);
            }
            return Ok(false);
        };
        attempt.sync_at = None;
        let reference = told.balance_transaction.to_string();
        attempt.fee = Some(Fee { fee: told.fee, tax: told.tax, reference });
        if told.fee.is_zero() && told.tax.is_zero() {
            return Ok(true);
        }
        let posting = ProviderFee {
            provider: attempt.provider.to_string(),
            jurisdiction: policy.jurisdiction.clone(),
            fee: told.fee,
            tax: told.tax,
        }
        .posting()?;
        let (key, source) = (format!("{}:fee", attempt.id), self.intent.id.to_string());
        let entry = plan.post("provider.fee", key, source.clone(), at, posting)?;
        let payload = json!({
            "payment_intent": source,
            "provider": attempt.provider,
            "fee": told.fee.minor(),
            "tax": told.tax.minor(),
            "currency": told.fee.currency().code(),
        });
        plan.announce("provider_fee.recorded", source, Some(entry), payload);
        Ok(true)
    }
}
