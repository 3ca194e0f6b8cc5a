//! The name of a job, and what a caller may write instead of one.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A job's id: a UUID written as 32 lower-case hex characters.
///
/// New ids are version 7, so their names sort by creation time. Ids of the Python original are version 4
/// and are accepted as well. A `JobId` exists only in validated form: it is safe as part of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(uuid::Uuid);

impl JobId {
    /// A fresh id. It sorts after those that this process has made before. 62 of its bits are random, and have nothing to
    /// do with those of any other id: a caller that knows one job cannot guess the one that was started with it.
    pub fn generate() -> Self {
        static LAST: Mutex<Moment> = Mutex::new(Moment { millis: 0, count: 0 });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64);
        let moment = {
            let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
            *last = last.next(now);
            *last
        };
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&moment.count.to_be_bytes());
        // Of a version 4 id these bytes are random throughout.
        let random = uuid::Uuid::new_v4().into_bytes();
        bytes[2..8].copy_from_slice(&random[..6]);
        bytes[8..].copy_from_slice(&random[9..11]);
        Self(uuid::Builder::from_unix_timestamp_millis(moment.millis, &bytes).into_uuid())
    }

    /// A fresh id that sorts after `earlier`, whatever became of the clock since.
    pub fn generate_after(earlier: Self) -> Self {
        let fresh = Self::generate();
        let Some(earlier_ms) = earlier.created_at_ms().filter(|_| fresh <= earlier) else { return fresh };
        let mut bytes = fresh.0.into_bytes();
        // Its first 48 bits are the time in milliseconds.
        bytes[..6].copy_from_slice(&(earlier_ms + 1).to_be_bytes()[2..]);
        Self(uuid::Uuid::from_bytes(bytes))
    }

    /// When a version 7 id was made, in milliseconds since the Unix epoch; `None` for other versions.
    pub fn created_at_ms(&self) -> Option<u64> {
        // Its first 48 bits.
        (self.0.get_version_num() == 7).then(|| (self.0.as_u128() >> 80) as u64)
    }
}

/// What an id begins with: a time, and how many ids this process has made in that millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    millis: u64,
    /// 12 bits of it are part of the id.
    count: u16,
}

impl Moment {
    /// The one after this, at the time `now`, which may have been set back.
    fn next(self, now: u64) -> Self {
        const MOST: u16 = 0xFFF;
        if now > self.millis {
            Self { millis: now, count: 0 }
        } else if self.count < MOST {
            Self { count: self.count + 1, ..self }
        } else {
            Self { millis: self.millis + 1, count: 0 }
        }
    }
}

/// Why a text is not a job id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a job id: a job id is 32 lower-case hex characters")]
pub struct InvalidJobId(String);

impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match uuid::Uuid::try_parse(text) {
            Ok(id) if hex => Ok(Self(id)),
            _ => Err(InvalidJobId(text.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How a person names a job: in full, by the beginning of its id, or as the newest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobSelector {
    /// A full id.
    Id(JobId),
    /// The first characters of an id, lower-case hex.
    Prefix(String),
    /// The job created last.
    Latest,
}

/// Why a text names no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' names no job: give a full id, the first characters of one (0-9, a-f), or 'latest'")]
pub struct InvalidJobSelector(String);

impl FromStr for JobSelector {
    type Err = InvalidJobSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex && !text.is_empty() && text.len() < 32 {
            Ok(Self::Prefix(text.to_owned()))
        } else {
            Err(InvalidJobSelector(text.chars().take(64).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_exactly_32_lower_case_hex_characters() {
        let id = JobId::generate().to_string();
        assert_eq!(id.parse::<JobId>().unwrap().to_string(), id);
        for bad in [
            "",
            "latest",
            "../../../../etc/passwd",
            &id.to_uppercase(),
            &id[..31],
            &format!("{id}0"),
            &format!("{}/", &id[..31]),
            "0190163d-8694-739b-aea5-966c26f8ad91",
        ] {
            assert!(bad.parse::<JobId>().is_err(), "{bad:?} was taken for an id");
        }
    }

    #[test]
    fn ids_sort_by_creation() {
        let ids: Vec<String> = (0..1_000).map(|_| JobId::generate().to_string()).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn ids_of_one_moment_have_nothing_random_in_common() {
        let ids: Vec<u128> = (0..64).map(|_| JobId::generate().0.as_u128()).collect();
        // The last 62 bits. Among 64 random numbers, two that share their first 32 bits are one in two million.
        let random: std::collections::BTreeSet<u128> =
            ids.iter().map(|id| (id & ((1 << 62) - 1)) >> 30).collect();
        assert_eq!(random.len(), ids.len());
        let common =
            ids.windows(2).map(|pair| (pair[0] ^ pair[1]) & ((1 << 62) - 1)).fold(0, |all, bits| all | bits);
        assert_eq!(common, (1 << 62) - 1, "each bit differs somewhere");
    }

    #[test]
    fn more_ids_than_fit_into_a_millisecond_and_a_clock_that_goes_back_keep_the_order() {
        let mut moment = Moment { millis: 5, count: 0 };
        for now in std::iter::repeat_n(5, 5_000).chain([3, 0, 7]) {
            let next = moment.next(now);
            assert!((next.millis, next.count) > (moment.millis, moment.count) && next.count <= 0xFFF);
            moment = next;
        }
        assert_eq!(moment, Moment { millis: 7, count: 0 });
        let ids: Vec<JobId> = (0..10_000).map(|_| JobId::generate()).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.created_at_ms().is_some()));
    }

    #[test]
    fn an_id_sorts_after_one_that_lies_in_the_future() {
        let future: JobId = "0fffffffffff7fff8000000000000000".parse().unwrap();
        let (one, other) = (JobId::generate_after(future), JobId::generate_after(future));
        assert!(one > future && other > future && one != other, "{one} {other}");
        assert_eq!(one.created_at_ms(), Some(0x1000_0000_0000));
        let past = JobId::generate();
        assert!(JobId::generate_after(past).created_at_ms() < Some(0x0fff_ffff_ffff));
    }

    #[test]
    fn a_selector_is_an_id_a_prefix_or_latest() {
        let id = JobId::generate();
        assert_eq!(id.to_string().parse(), Ok(JobSelector::Id(id)));
        assert_eq!("latest".parse(), Ok(JobSelector::Latest));
        assert_eq!("0190".parse(), Ok(JobSelector::Prefix("0190".into())));
        assert!("019G".parse::<JobSelector>().is_err());
        assert!("".parse::<JobSelector>().is_err());
        assert!("../0".parse::<JobSelector>().is_err());
    }
}
