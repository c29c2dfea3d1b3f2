//! Strict extractors: what reaches a handler has been read to the last field, or refused with
//! the place and the reason.
//!
//! Unknown fields are refused here for every type, so no request type has to remember it.

use std::str::FromStr;
use std::time::Duration;

use axum::RequestPartsExt;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::objects::ObjectsOnly;
use super::{Code, Problem};

/// A JSON body, read strictly. An empty body counts as `{}`.
#[derive(Clone, Copy, Debug)]
pub struct ApiJson<T>(pub T);

/// The query's parameters, read strictly.
#[derive(Clone, Copy, Debug)]
pub struct ApiQuery<T>(pub T);

/// The id in the path. One of another shape is answered as an unknown one is.
#[derive(Clone, Copy, Debug)]
pub struct ApiPath<T>(pub T);

impl<T, S> FromRequest<S> for ApiJson<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = read_body(request, state).await?;
        parse_body(&headers, &bytes).map(Self)
    }
}

impl<T, S> FromRequestParts<S> for ApiQuery<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<T, S> FromRequestParts<S> for ApiPath<T>
where
    T: FromStr + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Ok(Path(text)) = parts.extract::<Path<String>>().await else {
            return Err(Problem::not_found());
        };
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// How long a body may take to arrive. A request holds one of a bounded number of places while
/// it is read, so a caller that sends a byte now and then must not keep it.
const BODY_TIME_MAX: Duration = Duration::from_secs(15);

/// Reads the body within the limits of size, which the router sets, and of time.
///
/// # Errors
/// 413 when it is longer, 400 when it breaks off or takes too long.
pub(crate) async fn read_body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Bytes, Problem> {
    let body = timeout(BODY_TIME_MAX, Bytes::from_request(request, state)).await;
    let Ok(body) = body else {
        let seconds = BODY_TIME_MAX.as_secs();
        let detail = format!("The body took longer than {seconds} s to arrive.");
        return Err(Problem::new(Code::MalformedJson, detail));
    };
    body.map_err(|rejection: BytesRejection| {
        if rejection.status() == Code::BodyTooLarge.status() {
            Problem::new(Code::BodyTooLarge, "The body is longer than this service accepts.")
        } else {
            Problem::new(Code::MalformedJson, "The body broke off before its end.")
        }
    })
}

/// Reads JSON strictly: the content type, the syntax, every field known and of its type.
///
/// # Errors
/// 415 or 400, with the place.
pub(super) fn parse_body<T: DeserializeOwned>(
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<T, Problem> {
    let nothing = bytes.iter().all(u8::is_ascii_whitespace);
    if !nothing || headers.contains_key(header::CONTENT_TYPE) {
        expect_json(headers)?;
    }
    parse_json(if nothing { b"{}" } else { bytes })
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::new(
            Code::UnsupportedMediaType,
            "The body must come with `Content-Type: application/json`.",
        ))
    }
}

/// Reads JSON strictly, without regard to headers.
///
/// # Errors
/// 400 with line and column, or with the field in `param`.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = None;
    let result = serde_ignored::deserialize(
        serde_path_to_error::Deserializer::new(ObjectsOnly(&mut json), &mut track),
        |path| {
            unknown.get_or_insert_with(|| place_of(&path));
        },
    );
    // Syntax first: a name that is not known means little in a text that is not JSON.
    let value = result.map_err(|error| json_problem(&error, &track.path().to_string()))?;
    json.end().map_err(|error| json_problem(&error, "."))?;
    match unknown {
        None => Ok(value),
        Some(path) => Err(unknown_field(path)),
    }
}

/// Writes a path as the other refusals do: `lines[0].tax`.
fn place_of(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path as Part;
    match path {
        Part::Root => String::new(),
        Part::Seq { parent, index } => format!("{}[{index}]", place_of(parent)),
        Part::Map { parent, key } => {
            let before = place_of(parent);
            if before.is_empty() { key.clone() } else { format!("{before}.{key}") }
        }
        Part::Some { parent }
        | Part::NewtypeStruct { parent }
        | Part::NewtypeVariant { parent } => place_of(parent),
    }
}

fn json_problem(error: &serde_json::Error, path: &str) -> Problem {
    if !error.is_data() {
        let (line, column) = (error.line(), error.column());
        return Problem::new(
            Code::MalformedJson,
            format!("The body stops being JSON at line {line}, column {column}."),
        );
    }
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    field_problem(text.strip_suffix(&place).unwrap_or(&text), path, Source::Body)
}

/// Where a value came from decides which words are used.
#[derive(Clone, Copy)]
enum Source {
    Body,
    Query,
}

/// Turns serde's message into ours. What the caller sent is not repeated: it may be a secret.
fn field_problem(message: &str, path: &str, source: Source) -> Problem {
    let quoted = |prefix: &str| {
        message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(str::to_owned)
    };
    let (invalid, missing_words) = match source {
        Source::Body => (Code::InvalidField, "field"),
        Source::Query => (Code::InvalidParameter, "parameter"),
    };
    if let Some(name) = quoted("missing field `") {
        let param = join(path, &name);
        let code = match source {
            Source::Body => Code::MissingField,
            Source::Query => Code::InvalidParameter,
        };
        return Problem::new(code, format!("The {missing_words} `{param}` is missing."))
            .param(param);
    }
    if let Some(name) = quoted("unknown field `") {
        let param = if path.ends_with(&name) { path.to_owned() } else { join(path, &name) };
        return match source {
            Source::Body => unknown_field(param),
            Source::Query => unknown_parameter(param),
        };
    }
    if let Some(name) = quoted("duplicate field `") {
        let param = if path.ends_with(&name) { path.to_owned() } else { join(path, &name) };
        return Problem::new(invalid, format!("`{param}` is there more than once.")).param(param);
    }
    let problem = Problem::new(invalid, sentence(message, path));
    if path == "." { problem } else { problem.param(path) }
}

/// "invalid type: string \"x\", expected i64" becomes what was expected and what was found.
fn sentence(message: &str, path: &str) -> String {
    let subject = if path == "." { "The body".to_owned() } else { format!("`{path}`") };
    for prefix in ["invalid type: ", "invalid value: ", "invalid length "] {
        let Some(rest) = message.strip_prefix(prefix) else { continue };
        let Some((found, expected)) = rest.rsplit_once(", expected ") else { continue };
        let found = found.split([' ', '`', '"', ',']).next().unwrap_or_default();
        return format!("{subject} must be {}, not {}.", in_words(expected), kind(found));
    }
    if let Some((_, allowed)) = message.split_once("expected ")
        && message.starts_with("unknown variant")
    {
        return format!("{subject} must be {allowed}.");
    }
    format!("{subject}: {}.", message.trim_end_matches('.'))
}

fn in_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" => "an integer within its range",
        "u8" | "u16" | "u32" | "u64" | "usize" => "an integer of at least zero within its range",
        "f32" | "f64" => "a number",
        "a string" | "a borrowed string" => "a string",
        _ if expected.starts_with("struct ") || expected == "a map" => "an object",
        _ if expected.starts_with("a sequence") => "an array",
        other => other,
    }
}

/// What was found, with its article.
fn kind(found: &str) -> &str {
    match found {
        "string" => "a string",
        "integer" => "this integer",
        "floating" => "a fraction or a number beyond its range",
        "sequence" => "an array",
        "map" => "an object",
        "boolean" => "a boolean",
        other => other,
    }
}

fn join(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

fn unknown_field(param: String) -> Problem {
    Problem::new(Code::UnknownField, format!("There is no field `{param}` in this request."))
        .param(param)
}

fn unknown_parameter(param: String) -> Problem {
    Problem::new(Code::UnknownParameter, format!("There is no parameter `{param}` here."))
        .param(param)
}

/// Reads a query strictly: every parameter known, of its type and there at most once.
///
/// # Errors
/// 400 with the parameter in `param`.
pub fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = None;
    let result = serde_ignored::deserialize(
        serde_path_to_error::Deserializer::new(pairs, &mut track),
        |path| {
            unknown.get_or_insert_with(|| path.to_string());
        },
    );
    let value = result.map_err(|error: serde_urlencoded::de::Error| {
        field_problem(&error.to_string(), &track.path().to_string(), Source::Query)
    })?;
    unknown.map_or(Ok(value), |path| Err(unknown_parameter(path)))
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
