//! The shop of the story and its buyer: real calls to the service, and a browser's to the gateways.

use std::fmt;
use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::cli::end::Failure;

/// Nobody in the story waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a page may lead to another.
const REDIRECTS_MAX: u32 = 5;

/// A shop's backend with its API key.
pub struct Shop {
    http: Client,
    url: String,
    key: SecretString,
}

/// What the service answered.
#[derive(Debug)]
pub struct Reply {
    path: String,
    /// The status code.
    pub code: u16,
    /// The object or the problem.
    pub body: Value,
}

impl Shop {
    /// A shop that calls the service at `url`.
    pub fn open(url: &str, key: &SecretString) -> Result<Self, Failure> {
        let http = Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, url: url.to_owned(), key: key.clone() })
    }

    /// Posts under an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Reply, Failure> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        self.call(path, request.header("Idempotency-Key", key)).await
    }

    /// Puts something in its place.
    pub async fn put(&self, path: &str, key: &str, body: &Value) -> Result<Reply, Failure> {
        let request = self.http.put(format!("{}{path}", self.url)).json(body);
        self.call(path, request.header("Idempotency-Key", key)).await
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.call(path, self.http.get(format!("{}{path}", self.url))).await
    }

    async fn call(&self, path: &str, call: reqwest::RequestBuilder) -> Result<Reply, Failure> {
        let answer = call.bearer_auth(self.key.expose_secret()).send().await?;
        let code = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
        Ok(Reply { path: path.to_owned(), code, body })
    }

    /// The buyer opens the bank's page, reads the amount, and approves. Answers where the bank
    /// sends the buyer then.
    pub async fn approve(&self, page: &str, amount: &str) -> Result<String, Failure> {
        self.press(page, amount, "outcome=approve").await
    }

    /// The buyer opens a gateway's page, reads the amount, and pays. Answers where the gateway
    /// sends the buyer then.
    pub async fn pay(&self, page: &str, amount: &str) -> Result<String, Failure> {
        self.press(page, amount, "outcome=paid").await
    }

    /// The page at which an address leads, with its own address.
    async fn open_page(&self, address: &str) -> Result<(Url, String), Failure> {
        let mut at = Url::parse(address)?;
        for _ in 0..REDIRECTS_MAX {
            let answer = self.http.get(at.clone()).send().await?;
            let next = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match next.filter(|_| answer.status().is_redirection()) {
                Some(next) => at = at.join(next)?,
                None => return Ok((at, answer.text().await?)),
            }
        }
        Err(format!("{address} leads nowhere").into())
    }

    async fn press(
        &self,
        page: &str,
        amount: &str,
        button: &'static str,
    ) -> Result<String, Failure> {
        let (page, shown) = self.open_page(page).await?;
        if !shown.contains(amount) {
            return Err(format!("the page does not ask for {amount}").into());
        }
        let form = self.http.post(page).header("Content-Type", "application/x-www-form-urlencoded");
        let answer = form.body(button).send().await?;
        let status = answer.status();
        let back = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        if let (StatusCode::SEE_OTHER, Some(back)) = (status, back) {
            return Ok(back.to_owned());
        }
        // Some gateways give the buyer a form that leads to the shop.
        let shown = answer.text().await?;
        let form = shown.split_once(" action=\"").and_then(|(_, rest)| rest.split_once('"'));
        match form {
            Some((back, _)) if status == StatusCode::OK => Ok(back.to_owned()),
            _ => Err(format!("the page answered {status}").into()),
        }
    }
}

impl Reply {
    /// The reply, if it has this code and its object this status.
    pub fn expect(self, code: u16, status: &str) -> Result<Self, Failure> {
        if self.code == code && self.body["status"] == status {
            return Ok(self);
        }
        Err(format!("{self}; expected was {code} {status}\n{:#}", self.body).into())
    }

    /// A text of the object.
    pub fn text(&self, pointer: &str) -> Result<&str, Failure> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("{self} without {pointer}").into())
    }

    /// An amount of the object, in minor units.
    pub fn minor(&self, pointer: &str) -> Result<i64, Failure> {
        let minor = self.body.pointer(pointer).and_then(Value::as_i64);
        minor.ok_or_else(|| format!("{self} without {pointer}").into())
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.body["status"].as_str().unwrap_or("without a status");
        write!(f, "{} answered {} {status}", self.path, self.code)
    }
}
