//! What the gateways sent and what became of it, read from both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use mizan::db::{Db, work};
use mizan::inbox::InboxError;
use mizan_money::DeliveryId;
use mizan_providers::ProviderName;
use mizan_webhooks::{Cursor, Filter, Page, READ_MAX, Standing, Summary};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::end::Failure;
use crate::cli::service::TENANT;

/// Remembers what it told already.
#[derive(Default)]
pub struct Ear {
    attempts: BTreeMap<String, usize>,
    events: BTreeSet<String>,
    kept: BTreeSet<DeliveryId>,
}

/// One delivery, as both sides know it.
pub struct Heard {
    /// The gateway's name of the event.
    pub event: String,
    /// What the service made of it.
    pub verdict: Verdict,
}

/// What the service made of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It changed something.
    Applied,
    /// It came a second time.
    Duplicate,
    /// Something newer was known.
    Stale(String),
    /// It told nothing that is of use.
    Ignored(String),
    /// It waits for something.
    Parked(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => f.write_str("applied"),
            Self::Duplicate => f.write_str("duplicate, no effect: it was taken in before"),
            Self::Stale(reason) => write!(f, "stale, no effect: {reason}"),
            Self::Ignored(reason) => write!(f, "ignored: {reason}"),
            Self::Parked(reason) => write!(f, "parked: {reason}"),
        }
    }
}

/// A delivery as the simulator lists it.
#[derive(Deserialize)]
struct Sent {
    id: String,
    event_id: String,
    #[serde(rename = "type")]
    event: String,
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    status: Option<u16>,
}

impl Ear {
    /// What Stripe delivered since the last time, in the order in which it was taken in.
    pub async fn listen(&mut self, simulator: &str, db: &Db) -> Result<Vec<Heard>, Failure> {
        let all = sent(ProviderName::Stripe, simulator).await?;
        let kept = inbox(ProviderName::Stripe, db).await?;
        let kept: BTreeMap<_, _> = kept.iter().map(|it| (it.dedupe_id.as_str(), it)).collect();
        let mut news = Vec::new();
        for sent in all {
            let before = self.attempts.insert(sent.id.clone(), sent.attempts.len()).unwrap_or(0);
            let Some(last) = sent.attempts.last().filter(|_| sent.attempts.len() > before) else {
                continue;
            };
            let kept = kept.get(sent.event_id.as_str()).filter(|_| last.status == Some(200));
            let Some(kept) = kept else {
                return Err(format!("{} was not taken in: {:?}", sent.event, last.status).into());
            };
            news.push((kept.id, sent, &kept.standing));
        }
        news.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        let tell = |(_, sent, standing): (DeliveryId, Sent, &Standing)| {
            let first = self.events.insert(sent.event_id);
            let verdict = if first { verdict(standing) } else { Verdict::Duplicate };
            Heard { event: sent.event, verdict }
        };
        Ok(news.into_iter().map(tell).collect())
    }

    /// What another gateway delivered since the last time. Not every one numbers its events, so
    /// this is what the service kept; nothing that was sent may have been refused.
    pub async fn overhear(
        &mut self,
        of: ProviderName,
        simulator: &str,
        db: &Db,
    ) -> Result<Vec<Heard>, Failure> {
        for sent in sent(of, simulator).await? {
            if let Some(refused) = sent.attempts.iter().find(|it| it.status != Some(200)) {
                return Err(format!("{} was not taken in: {:?}", sent.event, refused.status).into());
            }
        }
        let mut news = inbox(of, db).await?;
        news.retain(|it| self.kept.insert(it.id));
        news.sort_by_key(|it| it.id);
        let tell = |it: Summary| {
            let event = it.event_type.unwrap_or_else(|| "a message".to_owned());
            Heard { event, verdict: verdict(&it.standing) }
        };
        Ok(news.into_iter().map(tell).collect())
    }
}

/// Everything a gateway has sent, oldest first.
async fn sent(of: ProviderName, simulator: &str) -> Result<Vec<Sent>, Failure> {
    let address = format!("{simulator}/_sim/webhooks");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut all: Value = client.get(address).send().await?.json().await?;
    Ok(Deserialize::deserialize(all[of.as_str()].take())?)
}

fn verdict(standing: &Standing) -> Verdict {
    match standing {
        Standing::Received => Verdict::Parked("nothing became of it yet".to_owned()),
        Standing::Applied { .. } => Verdict::Applied,
        Standing::Ignored { reason, .. } => Verdict::Ignored(reason.clone()),
        Standing::Stale { reason, .. } => Verdict::Stale(reason.clone()),
        Standing::Parked { reason, .. } => Verdict::Parked(reason.clone()),
    }
}

/// Everything the service has kept of a gateway.
async fn inbox(of: ProviderName, db: &Db) -> Result<Vec<Summary>, Failure> {
    let (mut all, mut cursor) = (Vec::new(), Cursor::Start);
    loop {
        let page = Page { limit: READ_MAX, cursor };
        let listed = db
            .read("deliveries", TENANT, |tx| {
                work(async move {
                    let filter = Filter::default();
                    let listed = mizan_webhooks::deliveries(tx, TENANT, &filter, page).await?;
                    Ok::<_, InboxError>(listed)
                })
            })
            .await?;
        if let Some(last) = listed.data.last() {
            cursor = Cursor::After(last.id);
        }
        all.extend(listed.data.into_iter().filter(|summary| summary.provider == of));
        if !listed.has_more {
            return Ok(all);
        }
    }
}
