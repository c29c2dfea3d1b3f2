//! Records of one kind in the order they were made, found by their id.

use std::collections::HashMap;

/// A record that has an id.
pub trait Keyed {
    /// The id, unique in its table.
    fn key(&self) -> &str;
}

/// Records in the order they were made.
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Keyed> Table<T> {
    /// Adds the record, or replaces the one with the same id in its place.
    pub fn put(&mut self, row: T) {
        match self.places.get(row.key()) {
            Some(place) => {
                if let Some(old) = self.rows.get_mut(*place) {
                    *old = row;
                }
            }
            None => {
                self.places.insert(row.key().to_owned(), self.rows.len());
                self.rows.push(row);
            }
        }
    }

    /// The record with this id.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.places.get(key).and_then(|place| self.rows.get(*place))
    }

    /// All records, oldest first.
    pub fn oldest_first(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    /// All records, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().rev()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}
