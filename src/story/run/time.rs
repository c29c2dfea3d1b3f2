//! Time passes: day by day, with what is due on each.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use mizan::jobs;
use mizan_money::Timestamp;

use super::{Done, Runner, Stop};
use crate::story::text::{Statement, Story, Value};

/// When the first day of a story begins.
const MORNING: NaiveTime = match NaiveTime::from_hms_opt(9, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// How much later than anything before it a day begins.
const LATER: TimeDelta = TimeDelta::minutes(1);

/// The time of a story whose first statements name none.
const FALLBACK: NaiveDate = match NaiveDate::from_ymd_opt(2026, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// When a story begins: at the first time that it names.
pub fn beginning(story: &Story) -> Timestamp {
    let named =
        story.statements.iter().find_map(|it| match it.get("date").or(it.get("moment"))? {
            Value::Date(date) if it.form.verb() == "on" => Some(date.and_time(MORNING).and_utc()),
            Value::Moment(moment) => Some(*moment),
            _ => None,
        });
    named.unwrap_or_else(|| FALLBACK.and_time(MORNING).and_utc())
}

impl Runner<'_> {
    pub async fn time(&mut self, verb: &str, it: &Statement) -> Done {
        let now = self.stage.app.clock.now();
        let to = match it.get("date").or(it.get("moment")) {
            Some(Value::Date(date)) if *date == now.date_naive() => now,
            Some(Value::Date(date)) => date.and_time(self.hand).and_utc() + LATER,
            Some(Value::Moment(moment)) => *moment,
            _ => now + span(it),
        };
        if to < now {
            let now = now.format("%Y-%m-%d %H:%M");
            return Err(Stop::Broken(format!("`{verb}` goes back: it is {now} already")));
        }
        self.go_to(to).await
    }

    /// Goes on to a moment; at each midnight on the way, what is due by then happens.
    pub async fn go_to(&mut self, to: Timestamp) -> Done {
        loop {
            let now = self.stage.app.clock.now();
            let tomorrow = now.date_naive() + Days::new(1);
            let midnight = tomorrow.and_time(NaiveTime::MIN).and_utc();
            let next = midnight.min(to);
            self.stage.app.clock.set(next)?;
            jobs::clock_moved(&self.stage.app).await?;
            self.what_is_due().await?;
            if next == to {
                return Ok(());
            }
        }
    }

    /// A little time passes, for what the service does after a while.
    pub async fn wait(&mut self, seconds: i64) -> Done {
        let to = self.stage.app.clock.now() + TimeDelta::seconds(seconds);
        self.go_to(to).await
    }

    /// After a statement: a second passes, and what follows happens.
    pub async fn settle(&mut self) -> Done {
        self.wait(1).await?;
        self.hand = self.hand.max(self.stage.app.clock.now().time());
        Ok(())
    }

    /// The gateways deliver, and the jobs of the service run.
    pub async fn what_is_due(&mut self) -> Done {
        self.deliver().await;
        jobs::tick(&self.stage.app).await?;
        if self.deliver().await > 0 {
            jobs::tick(&self.stage.app).await?;
        }
        Ok(())
    }

    /// Every gateway sends what is due; answers how often one did.
    pub async fn deliver(&self) -> usize {
        let mut sent = 0;
        for (_, simulator) in self.stage.gateways() {
            sent += simulator.deliver_due().await;
        }
        sent
    }
}

/// `14 days`, with the unit in one or more.
fn span(it: &Statement) -> TimeDelta {
    let count = it.whole("count").unwrap_or_default();
    match it.name("unit").trim_end_matches('s') {
        "day" => TimeDelta::days(count),
        "hour" => TimeDelta::hours(count),
        "minute" => TimeDelta::minutes(count),
        _ => TimeDelta::seconds(count),
    }
}
