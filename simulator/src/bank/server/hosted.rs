//! The page on which a buyer pays: plain HTML without scripts.
//!
//! The form may only go to this page and on to the shop's addresses, which is why those are in
//! the content security policy.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mizan_money::Currency;

use super::Bank;
use crate::bank::order::{self, Choice, Outcome};
use crate::bank::record::{Order, OrderState, PaymentState};
use crate::bank::wire::{Back, Ending, Page};
use crate::bank::work::Work;

const STYLE: &str = include_str!("../../stripe/hosted.css");

pub fn router(bank: Arc<Bank>) -> Router {
    let name = bank.wire.name();
    Router::new()
        .route(&format!("/hosted/{name}/style.css"), get(style))
        .route(&format!("/hosted/{name}/{{order}}"), get(show).post(decide))
        .with_state(bank)
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// What the page shows.
enum View {
    /// The order waits for the buyer.
    Question { order: Order, challenged: bool },
    /// The buyer is done here.
    Done { order: Order, back: Back },
}

async fn show(
    Shared(bank): Shared<Arc<Bank>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let view = bank.transact(|work| {
        let order = work.state.orders.get(&id).cloned()?;
        Some(look(work, order, &query, None))
    });
    match view {
        Err(_) => plain(&bank, StatusCode::INTERNAL_SERVER_ERROR, "The simulator cannot answer."),
        Ok(None) => plain(&bank, StatusCode::NOT_FOUND, "There is no such payment."),
        Ok(Some(View::Question { order, challenged })) => {
            let origins = origins(&order, &query);
            let body = question(&bank, &order, challenged);
            page(&bank, StatusCode::OK, &body, &origins)
        }
        Ok(Some(View::Done { order, back })) => done(&bank, &order, &back, StatusCode::OK),
    }
}

async fn decide(
    Shared(bank): Shared<Arc<Bank>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    body: String,
) -> Response {
    let query = query.unwrap_or_default();
    let Some(choice) = read_choice(&body) else {
        return plain(&bank, StatusCode::BAD_REQUEST, "Choose one of the buttons.");
    };
    let view = bank.transact(|work| {
        let order = work.state.orders.get(&id).cloned()?;
        let wire = work.wire;
        // A choice that comes too late changes nothing: the page says how the order ended.
        let _ = wire.choose(work, &order, &choice);
        let order = work.state.orders.get(&id).cloned()?;
        Some(look(work, order, &query, Some(choice.outcome)))
    });
    match view {
        Err(_) => plain(&bank, StatusCode::INTERNAL_SERVER_ERROR, "The simulator cannot answer."),
        Ok(None) => plain(&bank, StatusCode::NOT_FOUND, "There is no such payment."),
        Ok(Some(View::Question { order, challenged })) => {
            let origins = origins(&order, &query);
            let body = question(&bank, &order, challenged);
            page(&bank, StatusCode::OK, &body, &origins)
        }
        Ok(Some(View::Done { order, back })) => done(&bank, &order, &back, StatusCode::SEE_OTHER),
    }
}

fn look(work: &Work<'_>, order: Order, query: &str, chosen: Option<Outcome>) -> View {
    let waiting = order::waiting(work, &order.id).map(|attempt| attempt.state);
    let challenged = waiting == Some(PaymentState::RequiresAction);
    let goes_on = chosen.is_none_or(|chosen| chosen == Outcome::Challenged);
    if order.state == OrderState::Open && goes_on && waiting.is_none_or(|_| challenged) {
        return View::Question { order, challenged };
    }
    let ending = match (order.state, chosen) {
        (OrderState::Open, Some(Outcome::Cancelled)) => Ending::Cancelled,
        (OrderState::Cancelled | OrderState::Expired, _) => Ending::Cancelled,
        (OrderState::Open, Some(Outcome::Declined | Outcome::NotAuthenticated)) => Ending::Declined,
        _ => Ending::Paid,
    };
    let back = work.wire.back(work, &Page { order: &order, ending, query });
    View::Done { order, back }
}

fn read_choice(body: &str) -> Option<Choice> {
    let outcome = match body {
        "outcome=paid" => Outcome::Paid,
        "outcome=declined" => Outcome::Declined,
        "outcome=cancelled" => Outcome::Cancelled,
        "outcome=held" => Outcome::Held,
        "outcome=challenged" => Outcome::Challenged,
        "outcome=not_authenticated" => Outcome::NotAuthenticated,
        _ => return None,
    };
    Some(Choice::of(outcome))
}

fn question(bank: &Bank, order: &Order, challenged: bool) -> String {
    let amount = readable(order.amount, order.currency);
    let button = |class: &str, outcome: &str, text: &str| {
        format!("<button class=\"{class}\" name=\"outcome\" value=\"{outcome}\">{text}</button>\n")
    };
    let (title, buttons) = if challenged {
        let buttons = button("yes", "paid", "Approve") + &button("no", "not_authenticated", "Fail");
        ("Confirm your payment", buttons)
    } else {
        let mut buttons = button("yes", "paid", "Pay");
        buttons += &button("no", "challenged", "Pay with 3-D Secure");
        if bank.wire.offers_review() {
            buttons += &button("no", "held", "Pay and be held for review");
        }
        buttons += &button("no", "declined", "Be declined");
        buttons += &button("no", "cancelled", "Cancel");
        ("Pay", buttons)
    };
    format!(
        "<h1>{title}</h1>\n<p class=\"amount\">{amount}</p>\n<p>{}</p>\n\
         <p class=\"hint\">This is the simulator's bank. No money moves.</p>\n\
         <form method=\"post\">\n{buttons}</form>",
        escape(&order.reference)
    )
}

fn done(bank: &Bank, order: &Order, back: &Back, status: StatusCode) -> Response {
    let amount = readable(order.amount, order.currency);
    let state = serde_json::to_value(order.state).unwrap_or_default();
    let state = state.as_str().unwrap_or_default();
    let text = format!("<h1>Nothing to pay</h1>\n<p class=\"amount\">{amount}</p>\n<p>{state}</p>");
    match back {
        Back::Stay => page(bank, StatusCode::OK, &text, &[]),
        Back::Redirect { url } => {
            let mut response = page(bank, status, &text, &[]);
            if status == StatusCode::SEE_OTHER
                && let Ok(location) = url.parse()
            {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Back::Form { url, fields } => {
            let hidden = fields.iter().map(|(name, value)| {
                let (name, value) = (escape(name), escape(value));
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
            });
            let hidden: String = hidden.collect();
            let body = format!(
                "{text}\n<form method=\"post\" action=\"{}\">\n{hidden}\
                 <button class=\"yes\">Back to the shop</button>\n</form>",
                escape(url)
            );
            page(bank, StatusCode::OK, &body, &origin(url).into_iter().collect::<Vec<_>>())
        }
    }
}

/// Where the form's answer may lead: the order's addresses, and those in the page's query.
fn origins(order: &Order, query: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let returns = &order.returns;
    let own = [&returns.paid, &returns.declined, &returns.cancelled].into_iter().flatten();
    let asked = pairs.iter().map(|(_, value)| value);
    own.chain(asked).filter_map(|url| origin(url)).collect()
}

fn origin(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// An amount as a buyer reads it.
fn readable(minor: i64, currency: Currency) -> String {
    let per_major = currency.minor_per_major();
    let (major, rest) = (minor / per_major, minor % per_major);
    match usize::try_from(currency.exponent()) {
        Ok(digits) if digits > 0 => format!("{major}.{rest:0digits$} {}", currency.code()),
        _ => format!("{major} {}", currency.code()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn plain(bank: &Bank, status: StatusCode, text: &str) -> Response {
    page(bank, status, &format!("<h1>{text}</h1>"), &[])
}

fn page(bank: &Bank, status: StatusCode, body: &str, origins: &[String]) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {}; \
         base-uri 'none'; frame-ancestors 'none'",
        origins.join(" ")
    );
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Pay</title>\n\
         <link rel=\"stylesheet\" href=\"/hosted/{}/style.css\">\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        bank.wire.name()
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (status, headers, html).into_response()
}
