//! What the buyer does on the page, and the way back to the shop with a signature.

use chrono::TimeDelta;

use super::create::{Terms, is_deferred};
use super::transaction::find;
use crate::bank::order::{self, Choice, Outcome};
use crate::bank::payment;
use crate::bank::record::{Instrument, Order, OrderState, PaymentState};
use crate::bank::token;
use crate::bank::wire::{Back, Happened, Page};
use crate::bank::work::{Refusal, Work};
use crate::secret::hmac_sha256;

/// How long a payment request can be paid at a till; one was seen to end after three days.
const REQUEST_ENDS_AFTER: TimeDelta = TimeDelta::days(3);
/// What `payment_methods` says instead of a method's name.
const CARDS: &[&str] = &["all", "creditcard"];

/// Does what the buyer chose.
pub fn choose(work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
    let mut terms = Terms::of(order);
    let mut order = order.clone();
    let mut choice = choice.clone();
    let asked_to_save = choice.save && terms.show_save_card;
    choice.save = terms.token.is_none() && (terms.tokenise || asked_to_save);
    choice.method = choice.method.or_else(|| offered(&terms));
    if terms.is_register() {
        match choice.outcome {
            Outcome::Paid => return verify(work, &order),
            Outcome::PaidLate => return Err(Refusal::Missing),
            _ => {}
        }
    }
    let begins = order.state == OrderState::Open
        && order::waiting(work, &order.id).is_none()
        && !matches!(choice.outcome, Outcome::Cancelled | Outcome::PaidLate | Outcome::Reversed);
    let is_number = choice.method.as_deref().is_some_and(is_deferred) && terms.tran_type == "sale";
    let pays = matches!(choice.outcome, Outcome::Paid | Outcome::Pending);
    if begins && pays && is_number {
        choice.outcome = Outcome::Pending;
        terms.deferred = true;
        order.wire = terms.wire();
        order.expires_at = Some(work.now + REQUEST_ENDS_AFTER);
        work.put(order.clone());
    }
    if begins {
        present(work, &order, &terms);
    }
    order::choose(work, &order, &choice)?;
    if let Some(reason) = choice.reason.filter(|_| choice.outcome == Outcome::Paid && choice.save) {
        declines_later(work, &order.id, &reason);
    }
    Ok(())
}

/// The method of a page that offers one only; `None`: a card.
fn offered(terms: &Terms) -> Option<String> {
    let first = terms.payment_methods.first()?.to_ascii_lowercase();
    let is_card = CARDS.contains(&first.as_str()) || first.starts_with('-');
    (!is_card).then_some(first)
}

/// The saved card that the page was opened with.
fn present(work: &mut Work<'_>, order: &Order, terms: &Terms) {
    let saved = terms.token.as_ref().and_then(|id| work.state.tokens.get(id)).cloned();
    let Some(saved) = saved else { return };
    let mut attempt = payment::attempt(work, order, saved.instrument);
    attempt.token = Some(saved.id);
    work.put(attempt);
}

/// A card that pays now and is declined for this reason when it is charged again.
fn declines_later(work: &mut Work<'_>, order: &str, reason: &str) {
    let saved = work.state.payment(order).and_then(|payment| payment.token.as_ref());
    if let Some(mut saved) = saved.and_then(|id| work.state.tokens.get(id)).cloned() {
        saved.wire = serde_json::json!({ "declines": reason });
        work.put(saved);
    }
}

/// The card is checked and saved, and no money moves.
fn verify(work: &mut Work<'_>, order: &Order) -> Result<(), Refusal> {
    if order.state != OrderState::Open {
        return Err(Refusal::state(order.state));
    }
    let attempt = match order::waiting(work, &order.id) {
        Some(waiting) => waiting,
        None => {
            let (kind, brand, last4) = ("card".to_owned(), "Visa".to_owned(), "1111".to_owned());
            payment::attempt(work, order, Instrument { kind, brand, last4 })
        }
    };
    let mut attempt = token::save(work, attempt);
    let id = attempt.id.clone();
    attempt.state = PaymentState::Cancelled;
    work.put(attempt);
    work.put(Order { state: OrderState::Paid, ..order.clone() });
    work.announce(Happened::PaymentAuthorised, &id);
    Ok(())
}

/// The way back: a form that the browser posts, or a query.
pub fn back(work: &Work<'_>, page: &Page<'_>, server_key: &str) -> Back {
    let order = page.order;
    let url = order.returns.paid.clone();
    let (Some(url), Some(tran)) = (url, find(work.state, &order.id)) else { return Back::Stay };
    let token = tran.payment.as_ref().and_then(|payment| payment.token.clone());
    let token = token.filter(|_| tran.terms.tokenise);
    let refused = tran.verdict.status == "D";
    let fields = [
        ("acquirerMessage", if refused { "Refer to bank (01)".to_owned() } else { String::new() }),
        ("acquirerRRN", String::new()),
        ("cartId", order.reference.clone()),
        ("customerEmail", tran.terms.customer["email"].as_str().unwrap_or_default().to_owned()),
        ("respCode", tran.verdict.code.clone()),
        ("respMessage", tran.verdict.message.to_owned()),
        ("respStatus", tran.verdict.status.to_owned()),
        ("token", token.unwrap_or_default()),
        ("tranRef", order.id.clone()),
    ];
    let mut fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let signature = signature(&fields, server_key);
    fields.push(("signature".to_owned(), signature));
    if !tran.terms.return_using_get {
        return Back::Form { url, fields };
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    Back::Redirect { url: format!("{url}{joint}{}", query(&fields)) }
}

/// What proves to the shop that the fields are PayTabs': the server key over all that are not
/// empty, by name.
fn signature(fields: &[(String, String)], server_key: &str) -> String {
    let mut signed: Vec<_> =
        fields.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    signed.sort();
    hex::encode(hmac_sha256(server_key.as_bytes(), query(&signed).as_bytes()))
}

fn query(fields: &[(String, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// As PHP's `urlencode` writes it.
fn encode(text: &str) -> String {
    let letters = text.bytes().map(|byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => char::from(byte).into(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    });
    letters.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    /// The key that PayTabs printed in its article on signatures.
    const KEY: &str = "SGJNZ96JLG-JDMKHGRWT9-RWRK2KJNRJ";

    fn signed(fields: &[(&str, &str)]) -> String {
        let fields = fields.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        signature(&fields.collect::<Vec<_>>(), KEY)
    }

    #[test]
    fn the_way_back_is_signed_as_paytabs_published_it() {
        let fields = [
            ("tranRef", "TST2215201242166"),
            ("acquirerMessage", ""),
            ("acquirerRRN", ""),
            ("cartId", "cart_11111"),
            ("customerEmail", "email@domain.com"),
            ("respCode", "G84718"),
            ("respMessage", "Authorised"),
            ("respStatus", "A"),
            ("token", ""),
        ];
        let published = "7a181a32c768621eb6966107752ee70205a01f1c4403a3d13c0ff604f591f988";
        assert_eq!(signed(&fields), published);
    }

    #[test]
    fn marks_are_encoded_as_php_does_it() {
        let fields = [
            ("acquirerMessage", "Refer to bank (01)"),
            ("cartId", "B~2*3"),
            ("customerEmail", "a+b@example.com"),
            ("respCode", "300"),
            ("respMessage", "Not authorised"),
            ("respStatus", "D"),
            ("tranRef", "TST0000000000002"),
        ];
        let digest = "c60c86b12d3c6130e252a27ddeb0d51b1d1b3242fe245988c4c9cf0e3a419d34";
        assert_eq!(signed(&fields), digest);
    }
}
