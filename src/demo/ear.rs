//! What the gateway sent and what became of it, read from both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use mizan::db::{Db, work};
use mizan::inbox::InboxError;
use mizan_money::DeliveryId;
use mizan_webhooks::{Cursor, Filter, Page, READ_MAX, Standing, Summary};
use serde::Deserialize;

use crate::cli::end::Failure;
use crate::cli::service::TENANT;

/// Remembers what it told already.
#[derive(Default)]
pub struct Ear {
    attempts: BTreeMap<String, usize>,
    events: BTreeSet<String>,
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

#[derive(Deserialize)]
struct AllSent {
    stripe: Vec<Sent>,
}

impl Ear {
    /// What was delivered since the last time, in the order in which it was taken in.
    pub async fn listen(&mut self, simulator: &str, db: &Db) -> Result<Vec<Heard>, Failure> {
        let address = format!("{simulator}/_sim/webhooks");
        let client = reqwest::Client::builder().no_proxy().build()?;
        let all: AllSent = client.get(address).send().await?.json().await?;
        let kept = inbox(db).await?;
        let mut news = Vec::new();
        for sent in all.stripe {
            let before = self.attempts.insert(sent.id.clone(), sent.attempts.len()).unwrap_or(0);
            let Some(last) = sent.attempts.last().filter(|_| sent.attempts.len() > before) else {
                continue;
            };
            let kept = kept.get(&sent.event_id).filter(|_| last.status == Some(200));
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

/// Everything the service has kept, by the gateway's id of the event.
async fn inbox(db: &Db) -> Result<BTreeMap<String, Summary>, Failure> {
    let (mut all, mut cursor) = (BTreeMap::new(), Cursor::Start);
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
        all.extend(listed.data.into_iter().map(|summary| (summary.dedupe_id.clone(), summary)));
        if !listed.has_more {
            return Ok(all);
        }
    }
}
