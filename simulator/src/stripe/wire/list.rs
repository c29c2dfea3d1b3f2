//! Lists: newest first, pages by cursor, filters on the creation time.

use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::error::StripeError;
use super::params::Params;
use crate::table::{Keyed, Table};

const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: i64 = 100;

/// Which page is asked for.
#[derive(Clone, Debug)]
pub struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    created: CreatedFilter,
}

/// Bounds on the creation time, in whole seconds.
#[derive(Clone, Copy, Debug, Default)]
struct CreatedFilter {
    from: Option<i64>,
    after: Option<i64>,
    to: Option<i64>,
    before: Option<i64>,
}

impl CreatedFilter {
    fn take(params: &mut Params) -> Result<Self, StripeError> {
        if params.is_plain("created") {
            let at = params.integer("created")?;
            return Ok(Self { from: at, to: at, ..Self::default() });
        }
        let Some(mut inside) = params.inside("created")? else { return Ok(Self::default()) };
        let filter = Self {
            from: inside.integer("gte")?,
            after: inside.integer("gt")?,
            to: inside.integer("lte")?,
            before: inside.integer("lt")?,
        };
        inside.finish()?;
        Ok(filter)
    }

    fn fits(&self, created: Timestamp) -> bool {
        let created = created.timestamp();
        self.from.is_none_or(|bound| created >= bound)
            && self.after.is_none_or(|bound| created > bound)
            && self.to.is_none_or(|bound| created <= bound)
            && self.before.is_none_or(|bound| created < bound)
    }
}

impl Page {
    /// Takes the paging parameters and the `created` filter.
    ///
    /// # Errors
    /// A limit outside 1 to 100, or both cursors.
    pub fn take(params: &mut Params) -> Result<Self, StripeError> {
        let limit = match params.integer("limit")? {
            None => LIMIT_DEFAULT,
            Some(limit) if (1..=LIMIT_MAX).contains(&limit) => {
                usize::try_from(limit).unwrap_or(LIMIT_DEFAULT)
            }
            Some(_) => {
                let message = "`limit` has to be from 1 to 100.";
                return Err(StripeError::param("limit", "parameter_invalid_integer", message));
            }
        };
        let starting_after = params.text("starting_after")?;
        let ending_before = params.text("ending_before")?;
        if starting_after.is_some() && ending_before.is_some() {
            return Err(StripeError::invalid("Give one cursor, not both."));
        }
        let created = CreatedFilter::take(params)?;
        Ok(Self { limit, starting_after, ending_before, created })
    }

    /// The page of the rows that fit.
    ///
    /// # Errors
    /// A cursor that names nothing.
    pub fn of<T: Keyed>(
        &self,
        url: &str,
        table: &Table<T>,
        created: impl Fn(&T) -> Timestamp,
        fits: impl Fn(&T) -> bool,
        view: impl Fn(&T) -> Value,
    ) -> Result<Value, StripeError> {
        for (name, cursor) in
            [("starting_after", &self.starting_after), ("ending_before", &self.ending_before)]
        {
            if let Some(id) = cursor
                && table.get(id).is_none()
            {
                return Err(StripeError::missing(400, "object", id, name));
            }
        }
        let fits = |row: &&T| self.created.fits(created(row)) && fits(row);
        let enough = self.limit + 1;
        let mut rows: Vec<&T> = if let Some(cursor) = &self.ending_before {
            let newer = table.oldest_first().skip_while(|row| row.key() != cursor).skip(1);
            newer.filter(fits).take(enough).collect()
        } else if let Some(cursor) = &self.starting_after {
            let older = table.newest_first().skip_while(|row| row.key() != cursor).skip(1);
            older.filter(fits).take(enough).collect()
        } else {
            table.newest_first().filter(fits).take(enough).collect()
        };
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        if self.ending_before.is_some() {
            rows.reverse();
        }
        let data: Vec<Value> = rows.into_iter().map(view).collect();
        Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": data }))
    }
}
