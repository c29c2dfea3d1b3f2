//! Every statement on the schema `wallets`.

mod claw;
mod hold;
mod lot;
mod rule;

use mizan_money::{Currency, Rate};

use super::error::WalletError;

pub(super) use claw::{claim_claw_back, clawed_back, end_claw_back, keep_claw_back, taken_by};
pub(super) use hold::{
    GivenBack, claim_hold, end_hold, insert_uses, keep_given_back, lock_hold, uses, was_given_back,
};
pub(super) use lot::{
    Pass, due_lots, expired_credit, insert_lots, lock_all_of, lock_due, lock_earned, lock_lots,
    lock_usable, lots_of_customer, save_lots, top_up_is_on,
};
pub(super) use rule::{
    add_delivered_lines, earned_so_far, end_rule, insert_rule, is_first_order, rules, rules_at,
    rules_to_come,
};

type Result<T> = std::result::Result<T, WalletError>;

fn corrupt(what: impl std::fmt::Display) -> WalletError {
    WalletError::Corrupt { what: what.to_string() }
}

fn currency(code: &str) -> Result<Currency> {
    Currency::parse(code).map_err(corrupt)
}

fn rate(percent: &str) -> Result<Rate> {
    Rate::percent(percent).map_err(corrupt)
}
