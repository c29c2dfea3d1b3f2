//! Calls of the service's interface and of the simulators' control planes.

use chrono::NaiveDate;
use mizan_providers::ProviderName;
use serde_json::{Map, Value};

use super::{Done, Runner, Stop};
use crate::stage::shop::Reply;
use crate::story::text::{Statement, Value as Said};

/// Most rows of a page.
const PAGE: u32 = 100;

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Maker,
    Checker,
}

/// A JSON object in the making.
#[derive(Default)]
pub struct Body(Map<String, Value>);

impl Body {
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// The fields of a statement that the interface calls by the same names.
    pub fn fields(mut self, it: &Statement, names: &[&str]) -> Self {
        for name in names {
            if let Some(said) = it.get(name) {
                self = self.set(name, plain(said));
            }
        }
        self
    }

    pub fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A value as the interface writes it.
pub fn plain(said: &Said) -> Value {
    match said {
        Said::Word(text) | Said::Text(text) | Said::Percent(text) | Said::Number(text) => {
            text.as_str().into()
        }
        Said::Money(money) => money.minor().into(),
        Said::Whole(number) => (*number).into(),
        Said::Numbers(numbers) => numbers.clone().into(),
        Said::Words(words) => words.clone().into(),
        Said::Date(date) => moment(*date).into(),
        Said::Moment(moment) => moment.to_rfc3339().into(),
        Said::Account(account) => account.path().into(),
        Said::Party(party) => party.name.as_str().into(),
        Said::Flag => true.into(),
    }
}

/// The beginning of a day.
pub fn moment(date: NaiveDate) -> String {
    format!("{date}T00:00:00Z")
}

/// A path's part for a day.
pub fn day(it: &Statement, field: &str) -> Option<NaiveDate> {
    match it.get(field)? {
        Said::Date(date) => Some(*date),
        _ => None,
    }
}

/// The answer if it is one, else the problem.
fn done(reply: Reply) -> Result<Value, Stop> {
    if (200..300).contains(&reply.code) {
        return Ok(reply.body);
    }
    let part = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
    let param = match part("param") {
        param if param.is_empty() => param,
        param => format!(" ({param})"),
    };
    Err(Stop::Refused { code: part("code"), text: format!("{reply}: {}{param}", part("detail")) })
}

impl Runner<'_> {
    pub async fn post(&mut self, path: &str, body: Body) -> Result<Value, Stop> {
        self.post_by(By::Maker, path, body.value()).await
    }

    pub async fn post_by(&mut self, by: By, path: &str, body: Value) -> Result<Value, Stop> {
        let key = self.key();
        let shop = if by == By::Maker { &self.maker } else { &self.checker };
        done(shop.post(path, &key, &body).await?)
    }

    pub async fn put(&mut self, path: &str, body: Body) -> Result<Value, Stop> {
        let key = self.key();
        done(self.maker.put(path, &key, &body.value()).await?)
    }

    pub async fn get(&self, path: &str) -> Result<Value, Stop> {
        done(self.maker.get(path).await?)
    }

    /// Every page of a list.
    pub async fn all(&self, path: &str) -> Result<Vec<Value>, Stop> {
        let (mut rows, mut after) = (Vec::<Value>::new(), String::new());
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}limit={PAGE}{after}")).await?;
            rows.extend(page["data"].as_array().into_iter().flatten().cloned());
            let last = rows.last().and_then(|row| row["id"].as_str());
            match last {
                Some(last) if page["has_more"] == true => {
                    after = format!("&starting_after={last}");
                }
                _ => return Ok(rows),
            }
        }
    }

    fn key(&mut self) -> String {
        self.calls += 1;
        format!("story-{}", self.calls)
    }

    /// Whether an object of the interface has a field.
    pub fn knows(&self, object: &str, field: &str) -> bool {
        let place = format!("/components/schemas/{object}/properties/{field}");
        self.description.pointer(&place).is_some()
    }

    /// Whether an object of the interface must have a field.
    pub fn needs(&self, object: &str, field: &str) -> bool {
        let place = format!("/components/schemas/{object}/required");
        let required = self.description.pointer(&place).and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|name| name == field))
    }

    /// A gateway's control plane.
    pub async fn at_gateway(&self, of: &str, path: &str, body: Value) -> Result<Value, Stop> {
        let url = format!("{}{path}", self.simulator(of)?);
        let answer = self.http.post(&url).json(&body).send().await?;
        let (status, bytes) = (answer.status(), answer.bytes().await?);
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let text = body["error"].as_str().unwrap_or_default();
        Err(Stop::Broken(format!("{of} answered {status} to {path}: {text}")))
    }

    /// Where a gateway is simulated.
    pub fn simulator(&self, of: &str) -> Result<String, Stop> {
        let name = provider(of)?;
        let found = self.stage.gateways().find(|(other, _)| *other == name);
        let found = found.map(|(_, simulator)| simulator.url());
        found.ok_or_else(|| Stop::Broken(format!("{of} is not simulated")))
    }

    /// A call that has no statement of its own.
    pub async fn any_call(&mut self, it: &Statement) -> Done {
        let path = self.with_ids(it.name("path"));
        let body = self.with_ids(it.word("body").unwrap_or("{}"));
        let body: Value = serde_json::from_str(&body)?;
        let by = if it.has("by the checker") { By::Checker } else { By::Maker };
        let answer = match it.name("method") {
            "GET" => self.get(&path).await?,
            "PUT" => {
                let key = self.key();
                done(self.maker.put(&path, &key, &body).await?)?
            }
            _ => self.post_by(by, &path, body).await?,
        };
        if let Some(name) = it.word("name") {
            self.keep(name, &answer)?;
        }
        Ok(())
    }

    /// Remembers the id of an answer under a name.
    pub fn keep(&mut self, name: &str, answer: &Value) -> Done {
        let id = answer["id"].as_str();
        let id = id.ok_or_else(|| Stop::Broken(format!("the answer has no id: {answer}")))?;
        self.ids.insert(name.to_owned(), id.to_owned());
        Ok(())
    }

    /// The text with `{NAME}` replaced by ids.
    pub fn with_ids(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.ids {
            text = text.replace(&format!("{{{name}}}"), id);
        }
        text
    }
}

/// The gateway of this name.
pub fn provider(name: &str) -> Result<ProviderName, Stop> {
    name.parse().map_err(|_| Stop::Broken(format!("there is no gateway {name}")))
}
