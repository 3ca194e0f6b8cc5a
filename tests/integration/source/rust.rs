//! Rust source as far as the architecture tests need it: words without comments and texts, and paths.

use std::collections::BTreeMap;

/// A word or sign of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    line: usize,
}

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path below `src`.
    pub(crate) name: String,
    /// The module it is: `["store", "lock"]`; none for the root.
    pub(crate) module: Vec<String>,
    pub(crate) tokens: Vec<Token>,
    lines: usize,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let stem = name.strip_suffix(".rs").unwrap_or(name);
        let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
            module.pop();
        }
        Self { name: name.to_owned(), module, tokens: tokens(text), lines: text.lines().count() }
    }

    /// The tokens that are not only there for tests.
    pub(crate) fn without_tests(&self) -> Vec<Token> {
        let mut kept = Vec::new();
        if !self.is_test() {
            let mut at = 0;
            while at < self.tokens.len() {
                let end = self.end_of_test_at(at);
                if end == at {
                    kept.push(self.tokens[at].clone());
                    at += 1;
                } else {
                    at = end;
                }
            }
        }
        kept
    }

    pub(crate) fn lines_without_tests(&self) -> usize {
        if self.is_test() {
            return 0;
        }
        let mut lines = self.lines;
        let mut at = 0;
        while at < self.tokens.len() {
            let end = self.end_of_test_at(at);
            if end > at {
                lines -= self.tokens[end - 1].line - self.tokens[at].line + 1;
            }
            at = end.max(at + 1);
        }
        lines
    }

    fn is_test(&self) -> bool {
        self.module.last().is_some_and(|last| last.ends_with("tests") || last == "testing")
    }

    /// Where the item ends that a `#[cfg(test)]` at `at` is about; `at` itself if there is none.
    fn end_of_test_at(&self, at: usize) -> usize {
        const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
        let tokens = &self.tokens[at..];
        if tokens.len() < ATTRIBUTE.len()
            || tokens.iter().zip(ATTRIBUTE).any(|(token, word)| token.text != word)
        {
            return at;
        }
        let mut depth = 0_usize;
        for (offset, token) in tokens.iter().enumerate().skip(ATTRIBUTE.len()) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" if depth == 1 => return at + offset + 1,
                "}" => depth -= 1,
                ";" if depth == 0 => return at + offset + 1,
                _ => {}
            }
        }
        self.tokens.len()
    }
}

/// The paths that begin with `crate`, `super` or `self`, seen from the root: `["os", "OwnedDir"]`. A group
/// is one path a leaf. Tests may name what they like.
pub(crate) fn paths(source: &Source) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    // The modules within the file, each with the depth of its braces.
    let mut inner: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let tokens = source.without_tests();
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let mut at = 0;
    while at < words.len() {
        match words[at] {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inner.retain(|(_, opened)| *opened <= depth);
            }
            "mod" if words.get(at + 2) == Some(&"{") => inner.push((words[at + 1].to_owned(), depth + 1)),
            "crate" | "super" | "self" if at == 0 || words[at - 1] != "::" => {
                let mut module = source.module.clone();
                module.extend(inner.iter().map(|(name, _)| name.clone()));
                at = path(&words, at, Some(module), Vec::new(), &mut paths);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    // `crate` alone, or `self` as the receiver of a method, names nothing.
    paths.retain(|path| !path.is_empty());
    paths
}

/// The paths that a file needs: those that begin with `crate`, `super`, `self` or one of its child modules, except what
/// it only passes on.
pub(crate) fn needed_paths(source: &Source, is_child: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let tokens = source.without_tests();
    let mut own: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(begin) = re_export_at(&tokens, at) {
            at = (begin..tokens.len()).find(|at| tokens[*at].text == ";").unwrap_or(tokens.len());
        }
        // To be visible there needs nothing from there: `pub(super)`.
        if tokens.get(at).is_some_and(|token| token.text == "(") && at > 0 && tokens[at - 1].text == "pub" {
            at = (at..tokens.len()).find(|at| tokens[*at].text == ")").unwrap_or(tokens.len());
        }
        own.extend(tokens.get(at).cloned());
        at += 1;
    }
    let of_children = own
        .windows(3)
        .filter(|window| window[0].text != "::" && window[2].text == "::" && is_child(&window[1].text));
    let of_children: Vec<Vec<String>> = of_children
        .map(|window| source.module.iter().cloned().chain([window[1].text.clone()]).collect())
        .collect();
    let rest = Source { name: String::new(), module: source.module.clone(), tokens: own, lines: 0 };
    let mut needed = paths(&rest);
    needed.extend(of_children);
    needed
}

/// What a module passes on, by the name under which it does, and where it is from.
pub(crate) fn re_exports(source: &Source) -> BTreeMap<String, Vec<String>> {
    let tokens = source.without_tests();
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let mut passed_on = BTreeMap::new();
    for begin in (0..tokens.len()).filter_map(|at| re_export_at(&tokens, at)) {
        let end = (begin..words.len()).find(|at| words[*at] == ";").unwrap_or(words.len());
        let mut found = Vec::new();
        let own = source.module.clone();
        match words[begin] {
            "crate" | "super" | "self" => path(&words[..end], begin, Some(own), Vec::new(), &mut found),
            _ => path(&words[..end], begin, None, own, &mut found),
        };
        let other_names: BTreeMap<&str, &str> = words[begin..end]
            .windows(3)
            .filter(|window| window[1] == "as")
            .map(|window| (window[0], window[2]))
            .collect();
        for origin in found {
            let Some(last) = origin.last() else { continue };
            let name = other_names.get(last.as_str()).map_or(last.clone(), |name| (*name).to_owned());
            passed_on.insert(name, origin);
        }
    }
    passed_on
}

/// Where the path of a `pub use` begins that stands at `at`, if one does.
fn re_export_at(tokens: &[Token], at: usize) -> Option<usize> {
    let word = |at: usize| tokens.get(at).map(|token| token.text.as_str());
    if word(at) != Some("pub") {
        return None;
    }
    let at = if word(at + 1) == Some("(") {
        (at..tokens.len()).find(|at| word(*at) == Some(")"))? + 1
    } else {
        at + 1
    };
    (word(at) == Some("use")).then_some(at + 1)
}

/// Reads the path or group at `at`. As long as it consists of `super` it is in `module`; then it has a `prefix`.
fn path(
    words: &[&str],
    mut at: usize,
    mut module: Option<Vec<String>>,
    mut prefix: Vec<String>,
    paths: &mut Vec<Vec<String>>,
) -> usize {
    loop {
        match words.get(at).copied() {
            Some("crate") => prefix.clear(),
            Some("self") => {
                if let Some(module) = module.take() {
                    prefix = module;
                }
            }
            Some("super") => {
                if let Some(module) = module.take() {
                    prefix = module;
                }
                prefix.pop();
            }
            Some("{") => {
                at += 1;
                while at < words.len() && words[at] != "}" {
                    at = if words[at] == "," {
                        at + 1
                    } else {
                        // Whatever stands between a path and the next comma is its other name.
                        let end = path(words, at, None, prefix.clone(), paths);
                        (end..words.len()).find(|at| matches!(words[*at], "," | "}")).unwrap_or(words.len())
                    };
                }
                return at + 1;
            }
            Some(word) => prefix.push(word.to_owned()),
            None => return at,
        }
        module = None;
        at += 1;
        if words.get(at) != Some(&"::") {
            paths.push(prefix);
            return at;
        }
        at += 1;
    }
}

/// Splits a source into words and signs; comments, texts and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (length, is_token) = if first.is_whitespace() {
            (first.len_utf8(), false)
        } else if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), false)
        } else if rest.starts_with("/*") {
            (block_comment(rest), false)
        } else if let Some(length) = literal(rest) {
            (length, false)
        } else if is_word(first) {
            (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true)
        } else if rest.starts_with("::") {
            (2, true)
        } else {
            (first.len_utf8(), true)
        };
        let (taken, after) = rest.split_at(length);
        if is_token {
            tokens.push(Token { text: taken.to_owned(), line });
        }
        line += taken.matches('\n').count();
        rest = after;
    }
    tokens
}

/// How long the block comment at the start is; they nest.
pub(crate) fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text.as_bytes()[at..];
        if rest.is_empty() {
            return at;
        } else if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
}

/// How long the text or character at the start is, if one is there.
pub(crate) fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        rest.starts_with('"') || prefix.ends_with('r') && rest.trim_start_matches('#').starts_with('"')
    });
    if let Some(prefix) = prefix {
        let rest = &text[prefix.len()..];
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if prefix.ends_with('r') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = prefix.len() + hashes + 1;
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
        return Some(prefix.len() + quoted(rest, '"'));
    }
    let rest = text.strip_prefix('b').unwrap_or(text);
    let mut characters = rest.strip_prefix('\'')?.chars();
    let (first, second) = (characters.next()?, characters.next()?);
    // What is no character is a lifetime.
    (first == '\\' || second == '\'').then(|| text.len() - rest.len() + quoted(rest, '\''))
}

/// How long the quoted text at the start is.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}
