//! Parts of long texts.

use std::io;
use std::time::{Duration, Instant};

use crate::store::Answer;

/// The longest part of an answer in one result, in characters. Claude Code takes results of up to about 50,000.
pub(super) const PART_CHARS: usize = 30_000;

/// Which part of a text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// How many characters to leave out at the beginning.
    pub(super) offset: usize,
    /// How many to give at most.
    pub(super) max_chars: usize,
}

/// A part of a text, and how much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    /// In characters; where [`Self::is_cut_short`], as far as it was read.
    pub(super) total_chars: usize,
    /// Where the next part begins, if there is one.
    pub(super) next_offset: Option<usize>,
    /// Whether it takes too long to read it all.
    pub(super) is_cut_short: bool,
}

impl Part {
    /// How much there is, when the wanted part begins only after it.
    pub(super) fn missed(&self, window: Window) -> Option<usize> {
        (!self.is_cut_short && window.offset > 0 && window.offset >= self.total_chars)
            .then_some(self.total_chars)
    }
}

impl Window {
    /// Cuts the part out of a text that comes in pieces.
    pub(super) fn cut<E>(self, give: impl FnOnce(&mut dyn FnMut(&str)) -> Result<(), E>) -> Result<Part, E> {
        let mut part = Part::default();
        let mut taken = 0;
        give(&mut |piece| {
            let skipped = self.offset.saturating_sub(part.total_chars);
            for character in piece.chars().skip(skipped).take(self.max_chars - taken) {
                part.text.push(character);
                taken += 1;
            }
            part.total_chars += piece.chars().count();
        })?;
        let next = self.offset.saturating_add(taken);
        part.next_offset = (next < part.total_chars).then_some(next);
        Ok(part)
    }

    /// The part of an answer, as far as it is found in `time`; whatever that was enough to read.
    pub(super) fn cut_within(self, answer: &Answer<'_>, time: Duration) -> io::Result<Part> {
        let end = Instant::now() + time;
        let mut is_cut_short = false;
        let mut part = self.cut::<io::Error>(|take| {
            let read = answer.for_each_piece(|piece| {
                take(piece);
                if Instant::now() < end { Ok(()) } else { Err(Halt::TimeUp) }
            });
            match read {
                Ok(()) => Ok(()),
                Err(Halt::TimeUp) => {
                    is_cut_short = true;
                    Ok(())
                }
                Err(Halt::Failed(error)) => Err(error),
            }
        })?;
        if is_cut_short {
            let next = self.offset.saturating_add(part.text.chars().count());
            (part.is_cut_short, part.next_offset) = (true, Some(next));
        }
        Ok(part)
    }

    /// Cuts the part out of a text.
    pub(super) fn cut_text(self, text: &str) -> Part {
        let cut = self.cut::<std::convert::Infallible>(|take| {
            take(text);
            Ok(())
        });
        cut.unwrap_or_default()
    }
}

/// Why an answer is not read on.
enum Halt {
    TimeUp,
    Failed(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_takes_too_long_to_read_is_given_as_far_as_that_went() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 40).unwrap();
        let answer = Answer::Long(Box::new(file));
        let started = Instant::now();
        let cut = |offset| {
            Window { offset, max_chars: 10 }.cut_within(&answer, Duration::from_millis(100)).unwrap()
        };
        let (first, far) = (cut(5), cut(1 << 39));
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        assert_eq!((first.text.len(), first.next_offset, first.is_cut_short), (10, Some(15), true));
        assert_eq!((far.text.as_str(), far.is_cut_short), ("", true));
        let short =
            Window { offset: 1, max_chars: 10 }.cut_within(&Answer::Text("abc"), Duration::from_secs(60));
        assert_eq!(short.unwrap(), Part { text: "bc".into(), total_chars: 3, ..Part::default() });
    }
}
