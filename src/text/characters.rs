//! The one set of characters that a person does not see, or that change how others are seen.

/// Decides for one character after the other whether it is shown. Invisible ones are, where they make a glyph
/// with what is around them: the joiners and selectors of emoji and of the scripts that need them.
#[derive(Debug, Clone, Default)]
pub struct Characters {
    /// The last one shown that others can join.
    base: char,
    /// Whether the base has its selector: a second one would only carry something out of sight.
    is_selected: bool,
    /// A joiner, until what follows tells whether it joins.
    joiner: Option<char>,
    /// How many tags can follow: those that make a flag of the black one.
    tags: u8,
}

/// The flag that tags turn into that of England, Scotland or Wales.
const BLACK_FLAG: char = '\u{1f3f4}';
/// The longest such name, with the tag that ends it.
const FLAG_TAGS: u8 = 7;
const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

impl Characters {
    /// Takes the next character. Gives each that is decided with whether it is shown, in order.
    pub fn take(&mut self, character: char, give: &mut impl FnMut(char, bool)) {
        if let Some(joiner) = self.joiner.take() {
            give(joiner, joins(self.base, joiner, character));
        }
        match character {
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => self.joiner = Some(character),
            '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{e0100}'..='\u{e01ef}' => {
                let is_shown = !self.is_selected && has_variants(self.base, character);
                self.is_selected |= is_shown;
                give(character, is_shown);
            }
            '\u{e0020}'..='\u{e007f}' => {
                give(character, self.tags > 0);
                self.tags = self.tags.saturating_sub(1);
            }
            _ if is_hidden(character) => give(character, false),
            _ => {
                self.base = character;
                self.is_selected = false;
                self.tags = if character == BLACK_FLAG { FLAG_TAGS } else { 0 };
                give(character, true);
            }
        }
    }

    /// The end of the text: what was not decided joins nothing.
    pub fn end(&mut self, give: &mut impl FnMut(char, bool)) {
        if let Some(joiner) = std::mem::take(self).joiner {
            give(joiner, false);
        }
    }
}

/// Control characters but the line end and the tab; what reorders text; what has no width, what Unicode calls
/// ignorable, and the fillers that look like nothing.
pub fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        _ if character.is_control() => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// Whether a joiner between these two belongs there.
fn joins(before: char, joiner: char, after: char) -> bool {
    let is_emoji = joiner == ZERO_WIDTH_JOINER && is_pictograph(before) && is_pictograph(after);
    is_emoji || needs_joiners(before) && needs_joiners(after)
}

/// Letters of scripts that are written with joiners: Arabic, Syriac and their neighbours, those of India,
/// Myanmar and Cambodia, and Mongolian.
fn needs_joiners(character: char) -> bool {
    matches!(character,
        '\u{600}'..='\u{8ff}'
        | '\u{900}'..='\u{dff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}'
        | '\u{a840}'..='\u{a8ff}'
        | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}'
        | '\u{10d00}'..='\u{10d3f}'
        | '\u{11000}'..='\u{11fff}'
        | '\u{1e900}'..='\u{1e95f}')
}

/// Emoji, their skin tones, and the symbols that emoji are joined with.
fn is_pictograph(character: char) -> bool {
    matches!(character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{2bff}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Whether a selector chooses a form of this character.
fn has_variants(base: char, selector: char) -> bool {
    match selector {
        '\u{180b}'..='\u{180f}' => matches!(base, '\u{1800}'..='\u{18af}'),
        '\u{e0100}'..='\u{e01ef}' => {
            matches!(base, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        }
        '\u{fe0e}' | '\u{fe0f}' if matches!(base, '0'..='9' | '#' | '*') => true,
        _ => !base.is_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use crate::text::plain;

    /// Each character that is shown by itself, between letters.
    fn is_shown_alone(character: char) -> bool {
        plain(&format!("a{character}b")).chars().count() == 3
    }

    #[test]
    fn what_is_not_seen_or_reorders_is_not_shown() {
        for character in [
            '\0',
            '\u{7}',
            '\u{8}',
            '\u{b}',
            '\u{c}',
            '\u{e}',
            '\u{7f}',
            '\u{80}',
            '\u{84}',
            '\u{9c}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2066}',
            '\u{2069}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            assert!(!is_shown_alone(character), "{character:?}");
        }
    }

    #[test]
    fn what_is_seen_stays() {
        for text in [
            "a\tb\nc",
            "äöü e\u{301}",
            "漢字 ｆｕｌｌ\u{3000}width",
            "עברית",
            "العربية",
            "한국어",
            "ไทย",
            "🦀",
            "┌─┐ ✓ …",
            "\u{a0}\u{2009}\u{fffd}\u{e000}",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn joiners_and_selectors_stay_where_they_make_a_glyph() {
        for text in [
            "👩\u{200d}💻",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨🏿",
            "🏳\u{fe0f}\u{200d}🌈",
            "1\u{fe0f}\u{20e3} ❤\u{fe0f} ☺\u{fe0e}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "葛\u{e0100}城",
            "ᠨ\u{180b}ᠠ",
        ] {
            assert_eq!(plain(text), text, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn nothing_can_be_carried_in_joiners_and_selectors() {
        assert_eq!(plain("👩\u{200d}\u{200d}💻"), "👩\u{200d}💻");
        assert_eq!(plain("👩\u{200d}"), "👩");
        assert_eq!(plain("a\u{200d}💻"), "a💻");
        assert_eq!(plain("می\u{200c} a\u{200c}b"), "می ab");
        assert_eq!(plain("❤\u{fe0f}\u{fe01}\u{e0100}\u{e0110}!"), "❤\u{fe0f}!");
        assert_eq!(plain("a\u{fe0f}b"), "ab");
        assert_eq!(plain("葛\u{e0100}\u{e0101}"), "葛\u{e0100}");
        let tags: String = ('\u{e0061}'..='\u{e007a}').collect();
        assert_eq!(plain(&format!("a{tags}")), "a");
        assert_eq!(plain(&format!("🏴{tags}")).chars().count(), 8);
    }
}
