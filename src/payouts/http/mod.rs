//! The routes of payouts, of payees, and of runs.

mod body;
mod news;
mod payee;
mod payout;
mod run;
mod view;

use mizan_money::Currency;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::convert::FxRate;
use super::desk::Desk;
use super::error::{PayoutError, invalid};
use crate::app::App;
use crate::auth::Caller;

/// Every route of payouts.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(payee::routes()).merge(payout::routes()).merge(run::routes())
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PayoutNothing)]
struct Nothing {}

fn desk<'a>(app: &'a App, caller: &Caller) -> Desk<'a> {
    Desk {
        tenant: caller.tenant(),
        now: caller.now(app),
        actor: caller.key().to_string(),
        rules: &app.config.payouts,
    }
}

fn currency(param: &'static str, code: &str) -> Result<Currency, PayoutError> {
    Currency::parse(code).map_err(|error| invalid(param, error.to_string()))
}

/// The largest whole number that every reader of JSON holds exactly.
const AMOUNT_MAX: i64 = 9_007_199_254_740_991;

fn amount(param: &'static str, minor: i64, least: i64) -> Result<i64, PayoutError> {
    match (least..=AMOUNT_MAX).contains(&minor) {
        true => Ok(minor),
        false => Err(invalid(param, format!("An amount is {least} to {AMOUNT_MAX} minor units."))),
    }
}

fn rail(word: &str) -> Result<String, PayoutError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    let first = word.starts_with(|c: char| c.is_ascii_lowercase());
    match first && word.len() <= 40 && word.bytes().all(plain) {
        true => Ok(word.to_owned()),
        false => Err(invalid("rail", "A rail is a word such as `bank`, `wire` or `razorpay`.")),
    }
}

fn rate(text: Option<&str>, source: Option<&str>) -> Result<Option<(FxRate, String)>, PayoutError> {
    let source = source.unwrap_or("request");
    if !(1..=100).contains(&source.chars().count()) || source.contains(char::is_control) {
        return Err(invalid("rate_source", "A source has 1 to 100 characters."));
    }
    let Some(text) = text else { return Ok(None) };
    let message = "A rate is a decimal above zero such as \"3.7100\": units of `currency` for one \
                   `pay_currency`, at most 9 digits before and 12 behind the point.";
    let rate = FxRate::parse(text).ok_or_else(|| invalid("rate", message))?;
    Ok(Some((rate, source.to_owned())))
}

fn text(param: &'static str, text: &str, max: usize) -> Result<String, PayoutError> {
    let fine = (1..=max).contains(&text.chars().count()) && !text.contains(char::is_control);
    match fine {
        true => Ok(text.to_owned()),
        false => Err(invalid(param, format!("It has 1 to {max} characters."))),
    }
}
