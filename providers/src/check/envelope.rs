//! The forms a recording may have, read leniently: they are written by people.

use std::path::Path;

use chrono::DateTime;
use mizan_money::{Currency, Money, Timestamp};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{CheckError, Message, Recording, form};
use crate::http::{Headers, HttpAnswer};
use crate::model::ProviderName;
use crate::provider::{Recorded, RecordedRequest};

/// Names under which a receiver's secrets stand in a `config`.
const SECRETS: &[&str] = &[
    "secrets",
    "secret",
    "webhook_secrets",
    "webhook_secret",
    "server_key",
    "advice_secret",
    "auth_key",
    "webhook_id",
    "webhook_ids",
];

/// Names under which the certificates of a delivery stand.
const CERTIFICATES: &[&str] = &["leaf_pem", "intermediate_pem", "certificates", "certificate_pem"];

/// Names under which the receiver's own roots stand.
const ROOTS: &[&str] = &["trust_root_pem", "trust_roots"];

/// Whether it is an envelope and not a gateway's own object.
pub fn is_envelope(read: &Value) -> bool {
    let has = |name: &str| read.get(name).is_some_and(Value::is_object);
    has("message") || has("response") || (has("_meta") && has("request"))
}

/// The gateway: as the envelope says, else as a folder of the path does.
pub fn provider_of(path: &Path, read: Option<&Value>) -> Result<ProviderName, CheckError> {
    let told = read.and_then(|it| it.get("_meta").unwrap_or(it).get("provider"));
    if let Some(name) = told.and_then(Value::as_str).and_then(|name| name.parse().ok()) {
        return Ok(name);
    }
    let mut folders = path.ancestors().skip(1).filter_map(|it| it.file_name()?.to_str());
    folders.find_map(|name| name.parse().ok()).ok_or(CheckError::NoProvider)
}

/// The status code a file's name speaks of, such as `error.402.card_declined.json`; else 200.
pub fn status_of(path: &Path) -> u16 {
    let stem = stem(path);
    let mut parts = stem.split('.').skip_while(|part| *part != "error").skip(1);
    let told = parts.next().and_then(|part| part.parse().ok());
    match (told, stem.split('.').any(|part| part == "error")) {
        (Some(status), _) => status,
        (None, true) => 400,
        (None, false) => 200,
    }
}

/// The file's name without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().and_then(|it| it.to_str()).unwrap_or_default().to_owned()
}

/// A body with its headers in a file beside it.
pub fn beside(
    recording: &Recording<'_>,
    headers: &[u8],
) -> Result<(ProviderName, Message), CheckError> {
    let read: Value = serde_json::from_slice(headers)
        .map_err(|error| form(format!("its headers are not JSON at line {}", error.line())))?;
    let name = provider_of(recording.path, Some(&read))?;
    let at = read.get("verify_at_unix").and_then(Value::as_i64);
    let message = Message {
        headers: pairs(read.get("headers").unwrap_or(&read)),
        body: recording.bytes.to_vec(),
        secrets: texts(read.get("secrets_configured")).into_iter().map(Into::into).collect(),
        certificates: Vec::new(),
        roots: Vec::new(),
        at: at.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
    };
    Ok((name, message))
}

/// The delivery of an envelope; none where it is an exchange.
pub fn message(read: &Value) -> Result<Option<Message>, CheckError> {
    let Some(message) = read.get("message") else { return Ok(None) };
    let none = Value::Object(Map::new());
    let config = read.get("config").unwrap_or(&none);
    let gathered = |names: &[&str]| -> Vec<String> {
        names.iter().flat_map(|name| texts(config.get(*name))).collect()
    };
    let body = match (message.get("raw_body"), message.get("query"), message.get("body")) {
        (Some(Value::String(raw)), ..) => raw.clone(),
        (_, Some(Value::String(query)), _) => query.clone(),
        (_, Some(Value::Object(fields)), _) => encoded(fields)?,
        (.., Some(Value::String(text))) => text.clone(),
        (.., Some(body)) => body.to_string(),
        _ => return Err(form("its message has no raw_body")),
    };
    Ok(Some(Message {
        headers: pairs(message.get("headers").unwrap_or(&none)),
        body: body.into_bytes(),
        secrets: gathered(SECRETS).into_iter().map(SecretString::from).collect(),
        certificates: gathered(CERTIFICATES),
        roots: gathered(ROOTS),
        at: config.get("verify_at").or(config.get("now")).and_then(moment),
    }))
}

/// The exchange of an envelope; none where nothing was answered.
pub fn exchange(read: &Value) -> Result<Option<Recorded>, CheckError> {
    let Some(response) = read.get("response") else { return Ok(None) };
    let status = response.get("status").and_then(Value::as_u64).unwrap_or(200);
    let status = u16::try_from(status).map_err(|_| form("its status is none of HTTP"))?;
    let headers = pairs(response.get("headers").unwrap_or(&Value::Null));
    let request = read.get("request").map(|request| RecordedRequest {
        path: text(request.get("path")).unwrap_or_default(),
        headers: pairs(request.get("headers").unwrap_or(&Value::Null)),
        body: body(request),
    });
    let kind = read.get("_meta").and_then(|meta| text(meta.get("kind"))).unwrap_or_default();
    Ok(Some(Recorded {
        kind,
        request,
        answer: HttpAnswer::new(status, headers, body(response)),
        wanted: wanted(read.get("config")),
    }))
}

/// The amount of the intent, where the receiver's settings say it.
fn wanted(config: Option<&Value>) -> Option<Money> {
    let intent = config?.get("intent")?;
    let currency = Currency::parse(intent.get("currency")?.as_str()?).ok()?;
    Some(Money::new(intent.get("minor")?.as_i64()?, currency))
}

fn body(of: &Value) -> String {
    match (of.get("raw_body"), of.get("body")) {
        (Some(Value::String(raw)), _) => raw.clone(),
        (_, Some(Value::String(text))) => text.clone(),
        (_, Some(body)) => body.to_string(),
        _ => String::new(),
    }
}

fn pairs(of: &Value) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in of.as_object().into_iter().flatten() {
        for value in texts(Some(value)) {
            headers.push(name, value);
        }
    }
    headers
}

fn encoded(fields: &Map<String, Value>) -> Result<String, CheckError> {
    let pairs: Vec<(&String, String)> =
        fields.iter().filter_map(|(name, value)| Some((name, text(Some(value))?))).collect();
    serde_urlencoded::to_string(pairs).map_err(|_| form("its query cannot be encoded"))
}

/// A text, or some.
fn texts(of: Option<&Value>) -> Vec<String> {
    match of {
        Some(Value::Array(list)) => list.iter().filter_map(|it| text(Some(it))).collect(),
        other => text(other).into_iter().collect(),
    }
}

fn text(of: Option<&Value>) -> Option<String> {
    match of? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn moment(of: &Value) -> Option<Timestamp> {
    match of {
        Value::Number(seconds) => DateTime::from_timestamp(seconds.as_i64()?, 0),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
