//! What a line has earned an affiliate, and what a refund takes of it. Pure.

use std::collections::BTreeMap;

use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, Rate, Timestamp, allocate};

use super::affiliate::FundedBy;
use super::error::AffiliateError;

mizan_money::typed_id! {
    /// A commission of one line.
    pub struct AccrualId("accr");
}

/// Where a commission sits in `affiliate_payable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// The return window is open.
    Pending,
    /// It can be paid, or was.
    Available,
}

/// The commission of one line. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accrual {
    /// Its id.
    pub id: AccrualId,
    /// The payment.
    pub payment: PaymentIntentId,
    /// The line's number.
    pub line: i16,
    /// Who earned it.
    pub affiliate: String,
    /// In what.
    pub currency: Currency,
    /// At which rate.
    pub rate: Rate,
    /// Who pays it.
    pub funded_by: FundedBy,
    /// The price before tax.
    pub base: i64,
    /// How much it was.
    pub amount: i64,
    /// What refunds took back.
    pub reversed: i64,
    /// Where it sits.
    pub bucket: Bucket,
    /// When it was earned.
    pub accrued_at: Timestamp,
    /// When it can be paid; none before the delivery.
    pub release_at: Option<Timestamp>,
}

/// What a refund gives back of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineBack {
    /// The line's number.
    pub line: i16,
    /// What goes back of it now.
    pub refunded: Money,
    /// What could still go back of it before.
    pub refundable_before: Money,
    /// What of it is the affiliate's, where the split has it: where the vendor pays.
    pub booked: Option<Money>,
}

/// What refunds take back of one affiliate's commissions in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// Whose.
    pub affiliate: String,
    /// How much.
    pub amount: Money,
    /// Where it sits.
    pub bucket: Bucket,
    /// Who paid for it, and has it back: the expense, or the vendor.
    pub funded_by: FundedBy,
}

impl Bucket {
    /// The word for tables and accounts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Available => "available",
        }
    }

    /// The bucket of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Available].into_iter().find(|it| it.as_str() == word)
    }
}

impl Accrual {
    /// What refunds have not taken back.
    pub const fn remaining(&self) -> Money {
        Money::new(self.amount - self.reversed, self.currency)
    }

    fn at_most(&self, booked: Money) -> Result<Money, AffiliateError> {
        let left = self.remaining();
        match booked.is_negative() || left.checked_sub(booked)?.is_negative() {
            false => Ok(booked),
            true => {
                let id = self.id;
                let what = format!("{id} has {left} left, the split took {booked} of it");
                Err(AffiliateError::Corrupt { what })
            }
        }
    }

    /// A refund that took so much came to nothing.
    ///
    /// # Errors
    /// More than refunds took.
    pub(super) fn restore(&mut self, taken: Money) -> Result<(), AffiliateError> {
        match (0..=self.reversed).contains(&taken.minor()) {
            true => {
                self.reversed -= taken.minor();
                Ok(())
            }
            false => {
                let what = format!("{} has less than {taken} reversed", self.id);
                Err(AffiliateError::Corrupt { what })
            }
        }
    }
}

/// Takes back of each line's commission the part that its refund is of what could still go
/// back, so that a full refund in any number of steps takes exactly everything; or what the
/// split has booked of it. Answers what was taken of which, where it was anything.
///
/// # Errors
/// A refund below zero or above what could go back; amounts that do not fit.
pub(super) fn reverse(
    accruals: &mut [Accrual],
    lines: &[LineBack],
) -> Result<Vec<(AccrualId, Money)>, AffiliateError> {
    let mut all = Vec::new();
    for line in lines {
        let not_refunded = line.refundable_before.checked_sub(line.refunded)?;
        if line.refunded.is_negative() || not_refunded.is_negative() {
            let (refunded, before) = (line.refunded, line.refundable_before);
            let message = format!("a refund of {refunded} is not part of {before}");
            return Err(AffiliateError::invalid("amount", message));
        }
        let Some(accrual) = accruals.iter_mut().find(|it| it.line == line.line) else { continue };
        let taken = match line.booked {
            Some(booked) => accrual.at_most(booked)?,
            None if line.refunded.is_zero() => continue,
            None => {
                let weights = [line.refunded.minor(), not_refunded.minor()];
                let parts = allocate(accrual.remaining(), &weights)?;
                parts.first().copied().unwrap_or(Money::zero(accrual.currency))
            }
        };
        accrual.reversed += taken.minor();
        if !taken.is_zero() {
            all.push((accrual.id, taken));
        }
    }
    Ok(all)
}

/// The sums of parts by affiliate, bucket and payer.
///
/// # Errors
/// Amounts that do not fit.
pub(super) fn sums_of(
    accruals: &[Accrual],
    parts: &[(AccrualId, Money)],
) -> Result<Vec<Reversed>, AffiliateError> {
    let mut sums: BTreeMap<(String, Bucket, bool), Money> = BTreeMap::new();
    for (id, part) in parts {
        let Some(accrual) = accruals.iter().find(|it| it.id == *id) else { continue };
        let by_vendor = accrual.funded_by == FundedBy::Vendor;
        let key = (accrual.affiliate.clone(), accrual.bucket, by_vendor);
        let sum = sums.entry(key).or_insert(Money::zero(part.currency()));
        *sum = sum.checked_add(*part)?;
    }
    let reversed = |((affiliate, bucket, by_vendor), amount)| Reversed {
        affiliate,
        amount,
        bucket,
        funded_by: if by_vendor { FundedBy::Vendor } else { FundedBy::Platform },
    };
    Ok(sums.into_iter().map(reversed).collect())
}

#[cfg(test)]
#[path = "accrual_tests.rs"]
mod tests;
