//! Parts of long texts.

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
    pub(super) total_chars: usize,
    /// Where the next part begins, if there is one.
    pub(super) next_offset: Option<usize>,
}

impl Part {
    /// How much there is, when the wanted part begins only after it.
    pub(super) fn missed(&self, window: Window) -> Option<usize> {
        (window.offset > 0 && window.offset >= self.total_chars).then_some(self.total_chars)
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

    /// Cuts the part out of a text.
    pub(super) fn cut_text(self, text: &str) -> Part {
        let cut = self.cut::<std::convert::Infallible>(|take| {
            take(text);
            Ok(())
        });
        cut.unwrap_or_default()
    }
}
