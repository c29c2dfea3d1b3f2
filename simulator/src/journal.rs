//! An append-only file of JSON lines that is on the disk before an answer leaves.
//!
//! One line is one request's whole effect, so a crash keeps all of it or nothing. A last line that
//! was cut off by a crash is dropped when the file is opened again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::SimulatorError;

/// The state could not be written: no answer may be given.
#[derive(Debug)]
pub struct Broken;

/// The file, or nothing when the state lives in memory only.
#[derive(Debug)]
pub struct Journal {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory,
    File(File),
    /// A write failed: the file's end is unknown, so nothing more may be answered.
    Broken,
}

impl Journal {
    /// A journal that keeps nothing.
    pub fn memory() -> Self {
        Self { place: Place::Memory }
    }

    /// Opens or makes the file and hands every whole line to `replay`, oldest first.
    ///
    /// # Errors
    /// The file cannot be used, is open elsewhere, or is damaged before its last line.
    pub fn open<L: DeserializeOwned>(
        dir: &Path,
        name: &str,
        mut replay: impl FnMut(L),
    ) -> Result<Self, SimulatorError> {
        let path = dir.join(name);
        let on_io = |source| SimulatorError::JournalFile { path: path.clone(), source };
        std::fs::create_dir_all(dir).map_err(on_io)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(on_io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SimulatorError::JournalInUse { path }),
            Err(TryLockError::Error(source)) => return Err(on_io(source)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(on_io)?;
        let whole = replay_lines(&bytes, &path, &mut replay)?;
        let end = u64::try_from(whole).unwrap_or(u64::MAX);
        file.set_len(end).map_err(on_io)?;
        file.seek(SeekFrom::Start(end)).map_err(on_io)?;
        Ok(Self { place: Place::File(file) })
    }

    /// Writes one line and waits until it is on the disk.
    ///
    /// # Errors
    /// The disk refused; from then on every call fails until the file is opened again.
    pub fn append<L: Serialize>(&mut self, line: &L) -> io::Result<()> {
        let outcome = match &mut self.place {
            Place::Memory => return Ok(()),
            Place::Broken => return Err(io::Error::other("the journal is closed after a failure")),
            Place::File(file) => write_line(file, line),
        };
        if outcome.is_err() {
            self.place = Place::Broken;
        }
        outcome
    }

    /// Whether nothing may be answered any more.
    pub fn is_broken(&self) -> bool {
        matches!(self.place, Place::Broken)
    }

    /// Lets go of the file; whatever comes later is refused.
    pub fn close(&mut self) {
        self.place = Place::Broken;
    }
}

fn write_line<L: Serialize>(file: &mut File, line: &L) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    file.sync_data()
}

/// Replays whole lines and returns how many bytes they take.
fn replay_lines<L: DeserializeOwned>(
    bytes: &[u8],
    path: &Path,
    replay: &mut impl FnMut(L),
) -> Result<usize, SimulatorError> {
    let mut whole = 0;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let ends = line.last() == Some(&b'\n');
        let is_last = whole + line.len() == bytes.len();
        match serde_json::from_slice(line) {
            Ok(parsed) if ends => replay(parsed),
            Err(source) if !is_last => {
                let path: PathBuf = path.to_path_buf();
                return Err(SimulatorError::JournalDamaged { path, line: index + 1, source });
            }
            // Torn by a crash: its request was never answered, so it never happened.
            Ok(_) | Err(_) => break,
        }
        whole += line.len();
    }
    Ok(whole)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("mizan-journal-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        dir
    }

    fn read_back(dir: &Path) -> Result<(Journal, Vec<u32>), SimulatorError> {
        let mut seen = Vec::new();
        let journal = Journal::open(dir, "j.jsonl", |line: u32| seen.push(line))?;
        Ok((journal, seen))
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_writing_goes_on_after_the_whole_ones() {
        let dir = folder("torn");
        let (mut journal, _) = read_back(&dir).unwrap();
        journal.append(&1_u32).unwrap();
        journal.append(&2_u32).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(dir.join("j.jsonl")).unwrap();
        file.write_all(b"3").unwrap();
        drop(file);

        let (mut journal, seen) = read_back(&dir).unwrap();
        assert_eq!(seen, [1, 2]);
        journal.append(&4_u32).unwrap();
        drop(journal);

        let (_, seen) = read_back(&dir).unwrap();
        assert_eq!(seen, [1, 2, 4]);
    }

    #[test]
    fn damage_in_the_middle_is_named_with_its_line() {
        let dir = folder("damaged");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("j.jsonl"), "1\nx\n3\n").unwrap();
        let refusal = read_back(&dir).unwrap_err().to_string();
        assert!(refusal.starts_with("line 2 of "), "{refusal}");
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let dir = folder("in-use");
        let first = read_back(&dir).unwrap();
        assert!(matches!(read_back(&dir), Err(SimulatorError::JournalInUse { .. })));
        drop(first);
        assert!(read_back(&dir).is_ok());
    }
}
