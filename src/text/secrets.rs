//! What is secret in a text of ours, and cut from it: error messages, excerpts, recorded command lines.
//!
//! A secret is known by its form, by the name it is assigned to, or because it is the value of a variable of this
//! process that is named like one. Anything else stays: this spares a log the usual accident, and is no protection
//! against an agent that wants to tell.

mod forms;
mod names;

use std::sync::LazyLock;

pub use names::is_secret_name;
use names::{CUT, SHORTEST};

/// A text of ours without secrets.
pub fn redact(text: &str) -> String {
    static VALUES: LazyLock<Vec<String>> = LazyLock::new(|| values(std::env::vars_os()));
    without(text, &VALUES)
}

/// A command without secrets, for a record: also without what follows an option that is named like one.
pub fn redact_words<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Vec<String> {
    let mut is_value = false;
    // As in `aws configure set aws_secret_access_key …`: a name of one word is one of other things as well.
    let is_setting =
        |word: &str| names::in_words(word).contains('_') && is_secret_name(&word.replace('-', "_"));
    let mut may_be_value = false;
    let words = words.into_iter().map(|word| {
        let word = word.as_ref();
        let is_option = word.starts_with('-');
        let is_secret = is_value || may_be_value && word.chars().count() >= SHORTEST;
        let shown = if is_secret && !is_option && !word.is_empty() { CUT.to_string() } else { redact(word) };
        is_value = word.strip_prefix("--").is_some_and(|name| is_secret_name(&name.replace('-', "_")));
        may_be_value = is_setting(word);
        shown
    });
    words.collect()
}

/// The values of variables that are secrets, the longest first: one can be the beginning of another.
fn values<N: AsRef<std::ffi::OsStr>>(variables: impl Iterator<Item = (N, N)>) -> Vec<String> {
    let secret = variables.filter(|(name, _)| name.as_ref().to_str().is_some_and(is_secret_name));
    let mut values = Vec::new();
    for (_, value) in secret {
        let Some(value) = value.as_ref().to_str() else { continue };
        // A text of ours can have one line of a key.
        values.extend([value].into_iter().chain(value.lines()).map(|value| value.trim().to_owned()));
    }
    values.retain(|value| value.chars().count() >= SHORTEST);
    values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    values.dedup();
    values
}

fn without(text: &str, values: &[String]) -> String {
    let mut text = text.to_owned();
    for value in values {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), CUT.encode_utf8(&mut [0; 4]));
        }
    }
    forms::cut(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> String {
        without(text, &[])
    }

    #[test]
    fn tokens_are_known_by_their_form() {
        // Put together here, so that no scanner takes this file for a leak.
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        for (before, secret, after) in [
            ("key sk-ant-", "api03-AbC_d-9", ", then"),
            ("sk-proj-", "AbC_d-9", ""),
            ("key: sk-", letters, " is wrong"),
            ("id AKIA", "IOSFODNN7EXAMPLE", "."),
            ("(ASIA", "IOSFODNN7EXAMPLE", ")"),
            ("at ghp_", letters, "!"),
            ("github_pat_", "11A_b", ""),
            ("'glpat-", "a-b_c", "'"),
            ("xoxb-", "1-2-abc", ""),
            ("https://hooks.slack.com/services/", "T0/B0/xyz", " failed"),
            ("npm_", letters, ""),
            ("AIza", letters, ""),
            ("ya29.", letters, ""),
            ("token eyJ", "hbGciOi.eyJzdWIi.c2ln", " expired"),
            ("Authorization: Bearer ", "abc1", "; end"),
            ("authorization: bearer ", letters, "\""),
            ("Authorization: Basic ", "dXNlcjpwYXNz", ""),
            ("postgres://me:", "pass@word", "@db.example/x"),
            ("https://user:", "p%40ss", "@host"),
            ("-----BEGIN RSA PRIVATE KEY-----", "\nMIIE\nabc\n", "-----END RSA PRIVATE KEY-----"),
            ("-----BEGIN PRIVATE KEY-----", "\nMIIE and no end", ""),
            ("AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG", " next"),
            ("--api-key=", "0123456789", ""),
            ("-H 'X-Api-Key: ", "0123456789", "'"),
            ("{\"password\": \"", "correct horse", "\", \"a\": 1}"),
            ("db_password='", "with spaces", "'"),
            ("{\\\"api_key\\\":\\\"", "0123456789\\", "\"}"),
            ("aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG", "\n"),
            ("aws configure set aws_secret_access_key ", "wJalrXUtnFEMI/K7MDENG", ""),
            ("{\"SecretAccessKey\": \"", "wJalrXUtnFEMI/K7MDENG", "\","),
            ("\"SessionToken\" : \"", "FwoGZXIvYXdzE", "\""),
            ("//registry.npmjs.org/:_authToken=", "0123456789", "\n"),
            ("//registry.npmjs.org/:_auth=", "dXNlcjpwYXNz", "\n"),
            ("DB_PASSWORD = \"", "hunter2hunter2", "\""),
            ("password\t=\t'", "hunter2hunter2", "'"),
            ("api_key := \"", "hunter2hunter2", "\""),
            ("\"api_key\" => \"", "hunter2hunter2", "\""),
            ("\"refreshToken\":\"", "hunter2hunter2", "\""),
            ("{'accessToken': '", "hunter2hunter2", "'}"),
            ("clientSecret: ", "hunter2hunter2", ", a"),
            ("\"secret\": \"", "hunter2hunter2", "\""),
            ("?apiKey=", "hunter2hunter2", "&a=b"),
            ("AWSSecretKey=", "hunter2hunter2", ""),
            ("xoxc-", "1-2-abc", ""),
            ("xoxd-", "1-2-abc", ""),
            ("https://hooks.slack.com/workflows/", "T0/A0/1/xyz", " failed"),
            ("https://hooks.slack.com/triggers/", "T0/1/xyz", ""),
            ("https://discord.com/api/webhooks/", "1/xyz", ""),
        ] {
            let told = cut(&format!("{before}{secret}{after}"));
            assert_eq!(told, format!("{before}…{after}"));
            assert_eq!(cut(&told), told, "again");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "nothing here, not even a task-antic",
            "unexpected token: something else",
            "wrong password: try it again",
            "the Bearer was rejected",
            "Basic understanding of keys",
            "https://example.com:8080/a@b and git@github.com:me/x.git",
            "ssh://git@example.com/x",
            "npm_config_registry=https://registry",
            "monkey=understanding",
            "AKIA and eyJust",
            "über=größer ≠ …",
            "--max-tokens=1000000000",
            "maxTokens = 1000000000 and \"inputTokens\": 123456789",
            "Monkey = understanding, hotkey: understanding",
            "the secret: something else, and the token : something else",
            "password =                               far away",
            "",
        ] {
            assert_eq!(cut(text), text);
        }
    }

    #[test]
    fn values_of_secret_variables_are_cut_the_longest_first() {
        let variables = [
            ("GITHUB_TOKEN", "hunter2hunter2"),
            ("DB_PASSWORD", "hunter2hunter2-and-more"),
            ("SIGNING_KEY", "first line of it\nsecond line of it\n"),
            ("PIN_TOKEN", "1234567"),
            ("PATH", "/usr/bin:/bin"),
        ];
        let values = values(variables.into_iter());
        let told = without(
            "a hunter2hunter2-and-more b hunter2hunter2 c 1234567 d second line of it /usr/bin:/bin",
            &values,
        );
        assert_eq!(told, "a … b … c 1234567 d … /usr/bin:/bin");
    }

    #[test]
    fn a_command_loses_what_follows_an_option_for_a_secret() {
        let words = ["curl", "--token", "short", "--verbose", "--api-key", "--url", "https://u:p@h", ""];
        assert_eq!(
            redact_words(words),
            ["curl", "--token", "…", "--verbose", "--api-key", "--url", "https://u:…@h", ""]
        );
        let words = ["aws", "configure", "set", "aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG"];
        assert_eq!(redact_words(words), ["aws", "configure", "set", "aws_secret_access_key", "…"]);
        let words = ["docker", "rm", "my_key", "web", "token", "understanding"];
        assert_eq!(redact_words(words), words);
    }

    #[test]
    fn no_text_takes_long() {
        const BYTES: usize = 256 * 1024;
        for part in [
            "eyJ-",
            "://",
            "a://b:c",
            "A_KEY=",
            "-----BEGIN ",
            "bearer ",
            "xoxb",
            "=",
            "\"_KEY\":",
            "sk-",
            "\u{fe0f}",
        ] {
            let start = std::time::Instant::now();
            cut(&part.repeat(BYTES / part.len()));
            let took = start.elapsed();
            assert!(took.as_secs() < 20, "{part}: {took:?}");
        }
    }
}
