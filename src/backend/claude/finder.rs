//! Finding JSON documents between whatever else a program prints.
//!
//! A hook, a wrapper or a terminal library may put colours, window titles or a progress line on the line of an event.
//! What is looked for is the beginning of an object, or of an array of objects. Inside a JSON text there is nothing to
//! find: a reader that finds a beginning reads the document to its end, and goes on looking behind it.

/// Looks for the next document, one piece of the output after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Finder {
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// Between terminal sequences.
    #[default]
    Text,
    /// After a bracket that may begin a document: where it is, and whether the object's brace has come.
    Opened { at: u64, object: bool },
    /// After ESC.
    Escape,
    /// In a control sequence: colours, cursor movements.
    Sequence,
    /// In a text for the terminal itself, such as a window title: nothing in it is output.
    Title,
    /// After ESC in such a text.
    TitleEscape,
}

impl Finder {
    /// Where the next document begins, if that is certain within `bytes`, which are at `position`.
    pub(super) fn look(&mut self, bytes: &[u8], position: u64) -> Option<u64> {
        for (here, &byte) in (position..).zip(bytes) {
            if let State::Opened { at, object: true } = self.state
                && matches!(byte, b'"' | b'}')
            {
                return Some(at);
            }
            self.state = self.state.after(byte, here);
        }
        None
    }

    /// Where a document may begin whose first bracket was the last thing that came.
    pub(super) fn opened(self) -> Option<u64> {
        match self.state {
            State::Opened { at, .. } => Some(at),
            _ => None,
        }
    }
}

impl State {
    fn after(self, byte: u8, here: u64) -> Self {
        match (self, byte) {
            (Self::Title, b'\x07') | (Self::TitleEscape, b'\\') => Self::Text,
            (Self::Title, b'\x1b') => Self::TitleEscape,
            (Self::Title, _) | (Self::TitleEscape, b'{') => Self::Title,
            (Self::Escape | Self::TitleEscape, b'[') => Self::Sequence,
            (Self::Escape | Self::TitleEscape, b']' | b'P' | b'X' | b'^' | b'_') => Self::Title,
            (Self::Escape | Self::TitleEscape, b' '..=b'/') => Self::Escape,
            (Self::Sequence, b' '..=b'?') => Self::Sequence,
            (Self::Opened { at, object: false }, b'{') => Self::Opened { at, object: true },
            (Self::Opened { at, object }, b' ' | b'\t' | b'\r' | b'\n') => Self::Opened { at, object },
            // No sequence in use ends with a brace: one that is cut must not take the event's.
            (_, b'{') => Self::Opened { at: here, object: true },
            (Self::Text | Self::Opened { .. }, b'[') => Self::Opened { at: here, object: false },
            (_, b'\x1b') => Self::Escape,
            _ => Self::Text,
        }
    }

    fn is_sequence(self) -> bool {
        !matches!(self, Self::Text | Self::Opened { .. })
    }
}

/// What of a text between documents says something: without terminal sequences and control characters, at most `limit`
/// characters and one more. Empty when there is nothing but the punctuation between the items of a list.
pub(super) fn visible(text: &str, limit: usize) -> String {
    let mut state = State::Text;
    let characters = text.chars().filter(|&character| {
        let was_sequence = state.is_sequence();
        // Characters beyond ASCII end a sequence as any letter does.
        state = state.after(u8::try_from(character).unwrap_or(b'x'), 0);
        !(was_sequence || state.is_sequence() || character.is_control() && !character.is_whitespace())
    });
    let visible: String =
        characters.skip_while(|character| character.is_whitespace()).take(limit + 1).collect();
    let visible = visible.trim_end();
    let says_something =
        visible.contains(|character: char| !(character.is_whitespace() || "[]{},".contains(character)));
    if says_something { visible.to_owned() } else { String::new() }
}

/// Whether there is nothing at all in a text but terminal sequences.
pub(super) fn is_blank(text: &str) -> bool {
    let mut state = State::Text;
    text.bytes().all(|byte| {
        let was_sequence = state.is_sequence();
        state = state.after(byte, 0);
        was_sequence || state.is_sequence() || byte.is_ascii_control() && byte != b'\t'
    })
}

/// Whether a document that is followed by this stands for itself. One inside another, whose beginning is lost, is
/// followed by what closes or continues that one: nothing inside an event is an event.
pub(super) fn stands_alone(following: &[u8]) -> bool {
    let mut following = following.iter().filter(|byte| !matches!(byte, b' ' | b'\t'));
    match following.next() {
        Some(b'}' | b':' | b'"') => false,
        // Between the items of a list that is printed one a line, and at its end.
        Some(b',' | b']') => following.next().is_none_or(|byte| matches!(byte, b'\r' | b'\n')),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<u64> {
        let whole = Finder::default().look(text.as_bytes(), 0);
        let mut finder = Finder::default();
        let by_byte = text.bytes().zip(0..).find_map(|(byte, at)| finder.look(&[byte], at));
        assert_eq!(by_byte, whole, "{text:?}");
        whole
    }

    #[test]
    fn a_document_begins_with_an_objects_brace_and_a_quote() {
        for (text, at) in [
            ("{\"", Some(0)),
            ("{}", Some(0)),
            ("{ \t\"", Some(0)),
            ("[{\"", Some(0)),
            ("[ { \"", Some(0)),
            ("[[{\"", Some(1)),
            ("[x] {{\"", Some(5)),
            ("{x\"}", None),
            ("[1, 2]", None),
            ("{", None),
            ("", None),
            ("\x1b[1m{\"", Some(4)),
            ("\x1b]0;{\"\x07{\"", Some(7)),
            ("\x1b]0;{\"\x1b\\{\"", Some(8)),
            ("\x1b]0;{\"\x1b{\"", None),
        ] {
            assert_eq!(found(text), at, "{text:?}");
        }
    }

    #[test]
    fn what_can_be_seen_has_no_sequences_and_no_mere_punctuation() {
        for (text, seen) in [
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07", ""),
            ("\x1b]0;no end", ""),
            (" ,\n]", ""),
            ("a\0b\tc", "ab\tc"),
            ("é\x1b[1mü", "éü"),
        ] {
            assert_eq!(visible(text, 100), seen, "{text:?}");
        }
        assert_eq!(visible(&"x".repeat(1_000), 10).len(), 11);
    }
}
