//! What front ends keep for the daemon after this one: files that are appended to.
//!
//! A record is its length and its CRC32c, four octets each, and what they are of: what the value is of, and the value, none
//! where it is to be forgotten. Of several records of one the last holds. When a file has grown long, a new one is
//! begun: what is still true is written into it little by little, between the packets, and then the old one goes. What a
//! crash cuts off at the end of a file was not promised to anybody.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// What a value is of.
pub(crate) trait Keyed: Copy + Ord + std::fmt::Debug {
    /// What is lost where it cannot be kept.
    const SESSIONS: &str;

    /// As it is written: which kind, and which of them.
    fn written(self) -> (u8, u64);

    /// As it was written; none where there is no such.
    fn read(kind: u8, number: u64) -> Option<Self>;

    /// The number of a session that it is of.
    fn session(self) -> Option<u64>;
}

/// What a file may grow by before a new one is begun, at the least.
const LONG: u64 = 64 << 20;

/// How much waits to be written, at the most.
const PENDING: usize = 1 << 20;

/// How many sessions are written anew before others get their turn.
const PAGE: usize = 256;

/// The longest record: of a session, its rules and what its peers were asked are at most a message each.
const LONGEST: usize = 256 << 10;

/// Why the files cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}; give the daemon's user the folder, or another one with --state", path.display())]
pub struct JournalError {
    /// Which.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The files of one front end.
#[derive(Debug)]
pub(crate) struct Journal<K> {
    folder: PathBuf,
    number: u32,
    file: File,
    pending: Vec<u8>,
    written: u64,
    /// What the file is allowed to be long.
    most: u64,
    /// While what is true is written into a new file: how far that is.
    walk: Option<Option<u64>>,
    failed: bool,
    keys: PhantomData<fn(K)>,
}

impl<K: Keyed> Journal<K> {
    /// Reads what was kept, and begins a new file; what is true then is to be written into it ([`Journal::walk`]).
    pub(crate) fn open(folder: &Path) -> Result<(Self, BTreeMap<K, Bytes>), JournalError> {
        fs::create_dir_all(folder).map_err(wrong(folder))?;
        let mut kept = BTreeMap::new();
        let numbers = numbers(folder)?;
        for number in &numbers {
            let path = path(folder, *number);
            read(&fs::read(&path).map_err(wrong(&path))?, &mut kept);
        }
        let number = numbers.last().map_or(0, |last| last.wrapping_add(1));
        let path = path(folder, number);
        let file = create(&path).map_err(wrong(&path))?;
        let folder = folder.to_owned();
        let journal = Self {
            folder,
            number,
            file,
            pending: Vec::new(),
            written: 0,
            most: LONG,
            walk: Some(None),
            failed: false,
            keys: PhantomData,
        };
        Ok((journal, kept))
    }

    /// Takes a record in; it is written by [`Journal::flush`].
    pub(crate) fn keep(&mut self, of: K, value: Option<&[u8]>) {
        let at = self.pending.len();
        self.pending.extend_from_slice(&[0; 8]);
        let (tag, number) = of.written();
        self.pending.extend_from_slice(&[tag, u8::from(value.is_some())]);
        self.pending.extend_from_slice(&u64::to_be_bytes(number));
        self.pending.extend_from_slice(value.unwrap_or_default());
        let record = self.pending.get(at + 8..).unwrap_or_default();
        if record.len() > LONGEST {
            tracing::error!(?of, bytes = record.len(), "too much to keep: a restart loses it");
            self.pending.truncate(at);
            return;
        }
        let (length, check) = (u32::try_from(record.len()).unwrap_or(u32::MAX), crc32c::crc32c(record));
        if let Some(head) = self.pending.get_mut(at..at + 8) {
            let (first, second) = head.split_at_mut(4);
            first.copy_from_slice(&length.to_be_bytes());
            second.copy_from_slice(&check.to_be_bytes());
        }
        if self.pending.len() > PENDING {
            self.flush();
        }
    }

    /// Writes what was taken in. Where that fails it is said once; as soon as it does no longer, all that is true is written
    /// again.
    pub(crate) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match self.file.write_all(&self.pending) {
            Ok(()) => {
                self.written = self.written.saturating_add(self.pending.len() as u64);
                if std::mem::take(&mut self.failed) {
                    self.walk = Some(None);
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    let path = path(&self.folder, self.number);
                    tracing::error!(
                        path = %path.display(), %error,
                        "{} are not kept, and a restart loses them; make room there", K::SESSIONS
                    );
                }
                // A part of a record would hide all behind it.
                let _ = self.file.set_len(self.written);
            }
        }
        self.pending.clear();
        if self.walk.is_none() && self.written > self.most {
            self.begin();
        }
    }

    /// Whether what is true is still to be written into the file, and can be.
    pub(crate) fn is_walking(&self) -> bool {
        self.walk.is_some() && !self.failed
    }

    /// Writes some of what is true: of what there is behind a SEID, as many sessions as others can wait for.
    pub(crate) fn walk<I: Iterator<Item = (K, Bytes)>>(&mut self, behind: impl FnOnce(Option<u64>) -> I) {
        let Some(after) = self.walk else { return };
        let (mut sessions, mut last) = (0, None);
        for (of, value) in behind(after) {
            self.keep(of, Some(&value));
            if let Some(number) = of.session() {
                sessions += 1;
                last = Some(number);
            }
            if sessions == PAGE {
                break;
            }
        }
        self.flush();
        match last {
            // It begins anew when files can be written again.
            _ if self.failed => {}
            Some(last) => self.walk = Some(Some(last)),
            None => self.end(),
        }
    }

    /// Takes all files away: nothing of what was kept is true any more.
    pub(crate) fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(
                path = %self.folder.display(), %error, of = K::SESSIONS,
                "files of what has ended stay; remove them before a service of this name begins anew"
            );
        }
    }

    /// Begins a new file; what is true is to be written into it.
    pub(crate) fn begin(&mut self) {
        let number = self.number.wrapping_add(1);
        let path = path(&self.folder, number);
        match create(&path) {
            Ok(file) => {
                (self.file, self.number, self.written, self.walk) = (file, number, 0, Some(None));
            }
            Err(error) => {
                tracing::error!(
                    path = %path.display(), %error, of = K::SESSIONS,
                    "a file of what is kept goes on growing; let the daemon's user make files there"
                );
                self.most = self.most.saturating_mul(2);
            }
        }
    }

    /// All that is true is in the new file: those before it go.
    fn end(&mut self) {
        self.walk = None;
        self.most = self.written.saturating_mul(2).max(LONG);
        let before = numbers(&self.folder).unwrap_or_default();
        for number in before.into_iter().filter(|number| *number != self.number) {
            let path = path(&self.folder, number);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(
                    path = %path.display(), %error, of = K::SESSIONS,
                    "an old file of what is kept stays; let the daemon's user remove files there"
                );
            }
        }
    }
}

/// Reads records until the end, or until one that is cut or damaged.
fn read<K: Keyed>(mut bytes: &[u8], kept: &mut BTreeMap<K, Bytes>) {
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some((record, rest)) = rest.split_at_checked(length).filter(|_| length <= LONGEST) else { return };
        if crc32c::crc32c(record) != u32::from_be_bytes([e, f, g, h]) {
            return;
        }
        bytes = rest;
        let Some((head, value)) = record.split_first_chunk::<10>() else { return };
        let [tag, there, number @ ..] = *head;
        let number = u64::from_be_bytes(number);
        let Some(of) = K::read(tag, number) else { return };
        match there {
            0 => kept.remove(&of),
            _ => kept.insert(of, Bytes::copy_from_slice(value)),
        };
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:010}.sessions"))
}

/// The numbers of the files that there are, in order.
fn numbers(folder: &Path) -> Result<Vec<u32>, JournalError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong(folder))? {
        let name = entry.map_err(wrong(folder))?.file_name();
        let number: Option<u32> =
            name.to_str().and_then(|name| name.strip_suffix(".sessions")).and_then(|it| it.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn wrong(path: &Path) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use pinion_n4::Kept;

    use super::*;

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    /// Writes all that is true, as the front end gives it page by page.
    fn settle(journal: &mut Journal<Kept>, all: &BTreeMap<Kept, Bytes>) {
        while journal.is_walking() {
            journal.walk(|after| {
                let behind = move |of: &Kept| after.is_none_or(|after| *of > Kept::Session(after));
                all.iter().filter(move |(of, _)| behind(of)).map(|(of, value)| (*of, value.clone()))
            });
        }
    }

    #[test]
    fn the_last_word_of_each_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, kept) = Journal::open(folder.path()).unwrap();
        assert!(kept.is_empty());
        settle(&mut journal, &BTreeMap::new());
        for (of, value) in [
            (Kept::FrontEnd, Some("front")),
            (Kept::Session(7), Some("old")),
            (Kept::Session(8), Some("gone")),
            (Kept::Session(7), Some("new")),
            (Kept::Session(8), None),
            (Kept::Smf(2), Some("")),
            (Kept::Pfds(5), Some("video")),
        ] {
            journal.keep(of, value.map(str::as_bytes));
        }
        journal.flush();
        drop(journal);
        let (mut journal, kept) = Journal::open(folder.path()).unwrap();
        let wanted =
            [(Kept::FrontEnd, "front"), (Kept::Smf(2), ""), (Kept::Pfds(5), "video"), (Kept::Session(7), "new")];
        assert_eq!(kept, wanted.map(|(of, text)| (of, bytes(text))).into());
        assert_eq!(files(folder.path()), 2);
        settle(&mut journal, &kept);
        assert_eq!(files(folder.path()), 1);
        assert_eq!(Journal::open(folder.path()).unwrap().1, kept);
    }

    #[test]
    fn nothing_is_left_of_what_was_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("n4");
        let (mut journal, _) = Journal::open(&own).unwrap();
        journal.keep(Kept::Session(1), Some(b"value"));
        journal.flush();
        journal.remove();
        assert_eq!(files(folder.path()), 0);
        assert!(Journal::<Kept>::open(&own).unwrap().1.is_empty());
    }

    #[test]
    fn what_is_too_long_hides_nothing_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        journal.keep(Kept::Session(1), Some(&vec![7; LONGEST]));
        journal.keep(Kept::Session(2), Some(&vec![7; LONGEST - 10]));
        journal.keep(Kept::Session(3), Some(b"value"));
        journal.flush();
        let (_, kept) = Journal::<Kept>::open(folder.path()).unwrap();
        assert_eq!(kept.keys().collect::<Vec<_>>(), [&Kept::Session(2), &Kept::Session(3)]);
    }

    #[test]
    fn a_record_that_is_cut_or_damaged_ends_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        for seid in 1..=3 {
            journal.keep(Kept::Session(seid), Some(b"value"));
        }
        journal.flush();
        let path = path(folder.path(), 0);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, whole.get(..length).unwrap()).unwrap();
            let mut kept: BTreeMap<Kept, Bytes> = BTreeMap::new();
            read(&fs::read(&path).unwrap(), &mut kept);
            assert_eq!(kept.len(), length / (whole.len() / 3));
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            let mut kept: BTreeMap<Kept, Bytes> = BTreeMap::new();
            read(&damaged, &mut kept);
            assert_eq!(kept.len(), at / (whole.len() / 3));
        }
    }
}
