//! What can go wrong with accounts, postings and the database behind them.

use mizan_money::{Currency, MoneyError};

/// A path that names no account of the chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The first part of the path is not a role.
    #[error("`{role}` is not a role of the chart; `mizan ledger chart` lists them")]
    UnknownRole {
        /// What stood there.
        role: String,
    },
    /// A dimension is missing or one too many.
    #[error("`{path}` should read `{expected}`")]
    WrongShape {
        /// What was given.
        path: String,
        /// The role's form, e.g. `vendor_payable:{vendor}:{bucket}`.
        expected: String,
    },
    /// A dimension's value is not one of those it can take.
    #[error("`{value}` is not a {dimension} of `{role}`: use {allowed}")]
    WrongValue {
        /// The role.
        role: &'static str,
        /// The dimension.
        dimension: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
}

/// Legs that do not make a posting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// Debits and credits differ.
    #[error("debits and credits differ by {off_by} minor units of {currency}")]
    Unbalanced {
        /// The currency that does not balance.
        currency: Currency,
        /// Debits minus credits in minor units.
        off_by: i128,
    },
    /// A leg below zero: the other side is meant.
    #[error("an amount is below zero on `{account}`: use the other side instead")]
    NegativeAmount {
        /// The account of the leg.
        account: String,
    },
    /// Nothing moves.
    #[error("a posting needs at least two legs that are not zero")]
    Empty,
    /// More legs than one transaction may have.
    #[error("a posting has at most {} legs, this one has {legs}", crate::entry::LEGS_MAX)]
    TooManyLegs {
        /// How many it has.
        legs: usize,
    },
    /// A key, kind, source or actor is empty or too long.
    #[error("{what} must have 1 to {max} characters")]
    TextBounds {
        /// Which text.
        what: &'static str,
        /// The longest it may be.
        max: usize,
    },
    /// Amounts that do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// An account that is not of the chart.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// The database refused or could not be reached. Nothing of the transaction stands.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database.
    #[error("the ledger's database answered with an error")]
    Database(#[from] sqlx::Error),
    /// Stored data that this version cannot read.
    #[error("the ledger holds what this version cannot read: {what}")]
    Corrupt {
        /// What and where.
        what: String,
    },
    /// Another writer moved a head that this one had locked: it went round the lock.
    #[error("{expected} heads should have moved and {moved} did")]
    HeadsMoved {
        /// How many were locked.
        expected: usize,
        /// How many moved.
        moved: i64,
    },
}
