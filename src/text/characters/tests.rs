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
