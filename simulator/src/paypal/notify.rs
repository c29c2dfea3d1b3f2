//! What PayPal offers around its webhooks: certificates, the verdict, the events once more.

use mizan_money::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::Error;
use super::signature::{self, ALGORITHM, Signer};
use super::time::{iso_millis, read};
use super::view::View;
use crate::bank::record::Event;
use crate::bank::request::Request;
use crate::bank::wire::Answer;
use crate::bank::work::Work;

const PEM: &str = "application/x-pem-file";
const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 300;

/// The root that receivers trust.
pub fn root() -> Answer {
    Answer::new(200, PEM, signature::ROOT.to_owned())
}

/// `GET /v1/notifications/certs/{name}`: the certificate and who made it.
pub fn certificate(signers: &[Signer], name: &str) -> Result<Answer, Error> {
    let signer = signers.iter().find(|signer| signer.name == name).ok_or_else(Error::missing)?;
    Ok(Answer::new(200, PEM, signer.chain.to_owned()))
}

/// A postback. The event's text counts as it was sent, so it is not read.
#[derive(Deserialize)]
struct Postback<'a> {
    auth_algo: Option<String>,
    cert_url: Option<String>,
    transmission_id: Option<String>,
    transmission_sig: Option<String>,
    transmission_time: Option<String>,
    webhook_id: Option<String>,
    #[serde(borrow)]
    webhook_event: Option<&'a RawValue>,
}

/// `POST /v1/notifications/verify-webhook-signature`.
pub fn verify(signers: &[Signer], request: &Request) -> Result<Answer, Error> {
    let malformed = |_| {
        let text = "The request body is not well-formed.";
        Error::invalid("MALFORMED_REQUEST_JSON", "body", text)
    };
    let asked: Postback<'_> = serde_json::from_slice(&request.body).map_err(malformed)?;
    let required = |field: Option<String>, name: &str| {
        field.filter(|text| !text.is_empty()).ok_or_else(|| Error::missing_field(name))
    };
    let algorithm = required(asked.auth_algo, "auth_algo")?;
    let address = required(asked.cert_url, "cert_url")?;
    let id = required(asked.transmission_id, "transmission_id")?;
    let signature = required(asked.transmission_sig, "transmission_sig")?;
    let time = required(asked.transmission_time, "transmission_time")?;
    let webhook = required(asked.webhook_id, "webhook_id")?;
    let event = asked.webhook_event.ok_or_else(|| Error::missing_field("webhook_event"))?;
    let name = address.rsplit('/').next().unwrap_or_default();
    let signer = signers.iter().find(|signer| signer.name == name);
    let text = signature::text(&id, &time, &webhook, event.get().as_bytes());
    let holds =
        algorithm == ALGORITHM && signer.is_some_and(|signer| signer.verifies(&text, &signature));
    let status = if holds { "SUCCESS" } else { "FAILURE" };
    Ok(Answer::json(200, &json!({ "verification_status": status })))
}

fn body(event: &Event) -> Value {
    serde_json::from_str(&event.body).unwrap_or_default()
}

/// `GET /v1/notifications/webhooks-events`, newest first. The next page ends where this one did.
pub fn events(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let time = |name: &str| match request.query_value(name) {
        None => Ok(None),
        Some(text) => read(&text).map(Some).ok_or_else(|| Error::unknown_value(name)),
    };
    let (start, end) = (time("start_time")?, time("end_time")?);
    let size = match request.query_value("page_size") {
        None => PAGE_DEFAULT,
        Some(text) => {
            let size = text.parse::<usize>().ok().filter(|size| (1..=PAGE_MAX).contains(size));
            size.ok_or_else(|| Error::unknown_value("page_size"))?
        }
    };
    let (kind, of) = (request.query_value("event_type"), request.query_value("transaction_id"));
    let fits = |event: &&Event| {
        start.is_none_or(|start| event.created >= start)
            && end.is_none_or(|end| event.created <= end)
            && kind.as_ref().is_none_or(|kind| event.kind == *kind)
            && of.as_ref().is_none_or(|id| body(event)["resource"]["id"] == **id)
    };
    let found: Vec<&Event> = work.state.events.newest_first().filter(fits).collect();
    let page: Vec<_> = found.iter().take(size).collect();
    let view = View::of(work);
    let path = "/v1/notifications/webhooks-events";
    let mut links = vec![view.link("self", "GET", path)];
    let last: Option<Timestamp> = page.last().map(|event| event.created);
    if let Some(last) = last.filter(|_| found.len() > size) {
        let next = format!("{path}?page_size={size}&end_time={}", iso_millis(last));
        links.push(view.link("next", "GET", &next));
    }
    let events: Vec<_> = page.into_iter().map(|event| body(event)).collect();
    let count = events.len();
    Ok(Answer::json(200, &json!({ "events": events, "count": count, "links": links })))
}

/// `GET /v1/notifications/webhooks-events/{id}`.
pub fn event(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let event = work.state.events.get(id).ok_or_else(Error::missing)?;
    Ok(Answer::json(200, &body(event)))
}

/// `POST /v1/notifications/webhooks-events/{id}/resend`: under the same event id.
pub fn resend(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let event = work.state.events.get(id).cloned().ok_or_else(Error::missing)?;
    work.send_again(&event);
    Ok(Answer::json(202, &body(&event)))
}
