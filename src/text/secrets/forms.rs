//! Secrets that are known by their form, or by what stands before them. One pass, which never looks twice at more than
//! a few dozen bytes.

use super::names::{CUT, SHORTEST, in_words, is_secret_name};

/// What a token consists of.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters, digits and what stands between them in any of them.
    Any,
    /// Letters and digits.
    Alphanumeric,
    /// Capitals and digits.
    Capital,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Any => is_token(byte),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Capital => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        }
    }
}

/// A beginning that tells a token, what follows it, and how much of that at the least.
type Form = (&'static str, Alphabet, usize);

/// Beginnings that stand nowhere else.
const ANYWHERE: &[Form] = &[
    ("sk-ant-", Alphabet::Any, 1),
    ("sk-proj-", Alphabet::Any, 1),
    ("sk-svcacct-", Alphabet::Any, 1),
    ("sk-admin-", Alphabet::Any, 1),
    ("sk-or-v1-", Alphabet::Any, 1),
    ("github_pat_", Alphabet::Any, 1),
    ("glpat-", Alphabet::Any, 1),
    ("gldt-", Alphabet::Any, 8),
    ("glrt-", Alphabet::Any, 8),
    ("glptt-", Alphabet::Any, 8),
    ("glcbt-", Alphabet::Any, 8),
    ("xoxa-", Alphabet::Any, 1),
    ("xoxb-", Alphabet::Any, 1),
    ("xoxc-", Alphabet::Any, 1),
    ("xoxd-", Alphabet::Any, 1),
    ("xoxe-", Alphabet::Any, 1),
    ("xoxe.", Alphabet::Any, 1),
    ("xoxp-", Alphabet::Any, 1),
    ("xoxr-", Alphabet::Any, 1),
    ("xoxs-", Alphabet::Any, 1),
    ("xapp-", Alphabet::Any, 8),
    ("hooks.slack.com/services/", Alphabet::Any, 1),
    ("hooks.slack.com/workflows/", Alphabet::Any, 1),
    ("hooks.slack.com/triggers/", Alphabet::Any, 1),
    ("discord.com/api/webhooks/", Alphabet::Any, 1),
    ("discordapp.com/api/webhooks/", Alphabet::Any, 1),
    // As in `aws configure set aws_secret_access_key …`.
    ("aws_secret_access_key ", Alphabet::Any, 16),
    ("aws_session_token ", Alphabet::Any, 16),
    ("GOCSPX-", Alphabet::Any, 8),
    ("dckr_pat_", Alphabet::Any, 8),
    ("pypi-AgE", Alphabet::Any, 8),
];

/// Beginnings that are part of other words too.
const AT_THE_BEGINNING: &[Form] = &[
    ("ghp_", Alphabet::Any, 1),
    ("gho_", Alphabet::Any, 1),
    ("ghu_", Alphabet::Any, 1),
    ("ghs_", Alphabet::Any, 1),
    ("ghr_", Alphabet::Any, 1),
    ("AKIA", Alphabet::Capital, 16),
    ("ASIA", Alphabet::Capital, 16),
    ("ABIA", Alphabet::Capital, 16),
    ("ACCA", Alphabet::Capital, 16),
    ("AIza", Alphabet::Any, 30),
    ("ya29.", Alphabet::Any, 16),
    ("1//0", Alphabet::Any, 24),
    ("npm_", Alphabet::Alphanumeric, 30),
    ("hf_", Alphabet::Alphanumeric, 30),
    ("sk_live_", Alphabet::Any, 8),
    ("sk_test_", Alphabet::Any, 8),
    ("rk_live_", Alphabet::Any, 8),
    ("sk-", Alphabet::Alphanumeric, 20),
];

/// The longest name whose value is looked at, in bytes.
const NAME: usize = 64;

/// How many spaces may stand between a name, its sign and its value.
const BLANKS: usize = 16;

/// The text without them.
pub(super) fn cut(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0);
    while at < text.len() {
        match secret_at(text, at) {
            Some((start, end)) => {
                kept.push_str(&text[done..start]);
                kept.push(CUT);
                (done, at) = (end, end);
            }
            None => at += 1,
        }
    }
    kept.push_str(&text[done..]);
    kept
}

/// From where to where the secret is that this place tells of, if it does.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text.as_bytes()[at..];
    match rest[0] {
        b'=' | b':' => password_in_url(text, at).or_else(|| assigned(text, at)),
        b'-' if rest.starts_with(b"-----BEGIN ") => private_key(text, at),
        b'B' | b'b' if is_beginning(text, at) => scheme(text, at),
        _ => token(text, at),
    }
}

/// A token by how it begins.
fn token(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text.as_bytes()[at..];
    let matches = |forms: &[Form]| {
        let found = forms.iter().find_map(|(prefix, alphabet, least)| {
            let after = rest.strip_prefix(prefix.as_bytes())?;
            let is_one = after.len() >= *least && after[..*least].iter().all(|byte| alphabet.has(*byte));
            is_one.then(|| at + prefix.len())
        })?;
        Some((found, found + run(&text.as_bytes()[found..])))
    };
    matches(ANYWHERE).or_else(|| {
        let is_beginning = is_beginning(text, at);
        is_beginning.then(|| matches(AT_THE_BEGINNING).or_else(|| web_token(text, at))).flatten()
    })
}

/// A JSON Web Token: parts of base64 between dots, the first one an object.
fn web_token(text: &str, at: usize) -> Option<(usize, usize)> {
    /// The longest first part, in bytes.
    const HEADER: usize = 1024;
    let rest = text.as_bytes()[at..].strip_prefix(b"eyJ")?;
    let header = &rest[..rest.len().min(HEADER)];
    let end = header.iter().position(|byte| *byte == b'.' || !is_token(*byte))?;
    (header[end] == b'.').then(|| (at + 3, at + 3 + run(rest)))
}

/// What follows `Bearer`, unless it is a word of a sentence, and `Basic` in a header.
fn scheme(text: &str, at: usize) -> Option<(usize, usize)> {
    const HEADER: &[u8] = b"authorization: ";
    let (before, rest) = text.as_bytes().split_at(at);
    let begins = |word: &[u8]| rest.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let is_header =
        before.len() >= HEADER.len() && before[before.len() - HEADER.len()..].eq_ignore_ascii_case(HEADER);
    let length = match () {
        () if begins(b"bearer ") => 7,
        () if begins(b"basic ") && is_header => 6,
        () => return None,
    };
    let value = &rest[length..];
    let value = &value[..run(value)];
    let is_word =
        value.len() < 16 && value.trim_ascii_end().iter().all(u8::is_ascii_alphabetic) && !is_header;
    let start = at + length;
    (!is_word && !value.is_empty()).then_some((start, start + value.len()))
}

/// The password of `scheme://user:password@host`; `at` is its first colon.
fn password_in_url(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = at + text[at..].strip_prefix("://").map(|_| 3)?;
    let authority = &text.as_bytes()[start..];
    let is_end = |byte: u8| byte.is_ascii_whitespace() || b"/\"'<>`".contains(&byte);
    let end = authority.iter().position(|byte| is_end(*byte)).unwrap_or(authority.len());
    let host = authority[..end].iter().rposition(|byte| *byte == b'@')?;
    let user = authority[..host].iter().position(|byte| *byte == b':')?;
    (user + 1 < host).then_some((start + user + 1, start + host))
}

/// The value of a name that stands before this `=` or `:`, with or without spaces around it. Also of `:=` and `=>`.
fn assigned(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_colon = bytes[at] == b':';
    let before = trim_blanks(&bytes[at.saturating_sub(NAME)..at]);
    let before = if is_colon { before } else { before.strip_suffix(b":").map_or(before, trim_blanks) };
    let (before, is_quoted) = match before {
        // Also in a text that is itself in quotes.
        [rest @ .., b'\\', b'"' | b'\''] | [rest @ .., b'"' | b'\''] => (rest, true),
        _ => (before, false),
    };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let name = &before[before.iter().rposition(|byte| !is_name(byte)).map_or(0, |last| last + 1)..];
    let name = std::str::from_utf8(name).ok()?.trim_start_matches('-').replace('-', "_");
    // Before a colon a single word is one of a sentence: "unexpected token: …".
    let is_sure = !is_colon || is_quoted || in_words(&name).contains('_');
    if name.is_empty() || !is_sure || !is_secret_name(&name) {
        return None;
    }
    let mut start = at + 1;
    start += usize::from(!is_colon && bytes.get(start) == Some(&b'>'));
    start += bytes[start..].iter().take(BLANKS).take_while(|byte| is_blank(**byte)).count();
    start += usize::from(matches!(bytes[start..], [b'\\', b'"' | b'\'', ..]));
    let quote = bytes.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    start += usize::from(quote.is_some());
    let is_end = |byte: u8| match quote {
        Some(quote) => byte == quote || byte == b'\n',
        None => byte.is_ascii_whitespace() || b",;&\"'`)]}".contains(&byte),
    };
    let length = bytes[start..].iter().position(|byte| is_end(*byte)).unwrap_or(bytes.len() - start);
    let value = text.get(start..start + length)?;
    (value.chars().count() >= SHORTEST).then_some((start, start + length))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Without the spaces at the end.
fn trim_blanks(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    if bytes.len() - end <= BLANKS { &bytes[..end] } else { bytes }
}

/// A private key, to its end or that of the text.
fn private_key(text: &str, at: usize) -> Option<(usize, usize)> {
    const TITLE: usize = 64;
    let rest = &text.as_bytes()[at..];
    let title = &rest[..rest.len().min(TITLE)];
    let title = title.windows(16).position(|it| it == b"PRIVATE KEY-----")?;
    let start = at + title + 16;
    let end = text[start..].find("-----END ").map_or(text.len(), |end| start + end);
    Some((start, end))
}

/// Whether nothing of the same word stands before it.
fn is_beginning(text: &str, at: usize) -> bool {
    at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric() && text.as_bytes()[at - 1] != b'_'
}

/// How long a token is that begins here. A full stop at its end is that of a sentence.
fn run(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| !is_token(*byte)).unwrap_or(bytes.len());
    bytes[..end].iter().rposition(|byte| *byte != b'.').map_or(0, |last| last + 1)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte)
}
