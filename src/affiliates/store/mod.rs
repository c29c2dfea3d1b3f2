//! Every statement on the schema `affiliates`.

mod accrual;
mod affiliate;
mod claw;

use mizan_money::{Currency, Rate};

use super::error::AffiliateError;

pub(super) use accrual::{
    due_payments, insert_accruals, lock_accruals, save_accruals, start_release,
};
pub(super) use affiliate::{
    affiliate, affiliate_of_code, claim_code, codes, insert_affiliate, insert_click, last_clicked,
};
pub(super) use claw::{claim_claw_back, clawed_back, end_claw_back, keep_claw_back, taken_by};

type Result<T> = std::result::Result<T, AffiliateError>;

fn corrupt(what: impl std::fmt::Display) -> AffiliateError {
    AffiliateError::Corrupt { what: what.to_string() }
}

fn currency(code: &str) -> Result<Currency> {
    Currency::parse(code).map_err(corrupt)
}

fn rate(percent: &str) -> Result<Rate> {
    Rate::percent(percent).map_err(corrupt)
}
