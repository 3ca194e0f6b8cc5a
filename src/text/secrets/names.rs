//! Names of variables whose values are secrets, and what stands for one.

/// Ends of names whose values are secrets as a rule.
const ENDINGS: [&str; 12] = [
    "_TOKEN",
    "_AUTH",
    "_SECRET",
    "_PASSWORD",
    "_PASSWD",
    "_KEY",
    "_CREDENTIALS",
    "_PASSPHRASE",
    "_PAT",
    "_DSN",
    "_WEBHOOK_URL",
    "_CONNECTION_STRING",
];

/// Beginnings and whole names of the same kind.
const PREFIXES: [&str; 1] = ["AWS_"];
const NAMES: [&str; 13] = [
    "DATABASE_URL",
    "REDIS_URL",
    "MONGODB_URI",
    "MONGO_URL",
    "PGPASSWORD",
    "MYSQL_PWD",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "APIKEY",
    "AUTHTOKEN",
];

/// What begins or ends like a secret and is none.
const HARMLESS: [&str; 11] = [
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_DEFAULT_OUTPUT",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_PAGER",
    "AWS_EXECUTION_ENV",
    "AWS_SHARED_CREDENTIALS_FILE",
    "GPG_KEY",
];

/// How long a value must be to be taken for a secret, in characters: a shorter one is part of ordinary words.
pub(super) const SHORTEST: usize = 8;

/// What stands for a secret.
pub(super) const CUT: char = '…';

/// Whether a variable of this name has a secret in it, by its looks.
pub fn is_secret_name(name: &str) -> bool {
    // Only what a shell can name can be unset in one.
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let spellings = [name.to_ascii_uppercase(), in_words(name)];
    let is_one = |upper: &str| {
        NAMES.contains(&upper)
            || PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
            || ENDINGS.iter().any(|ending| upper.ends_with(ending))
    };
    is_name
        && spellings.iter().any(|upper| is_one(upper))
        && !spellings.iter().any(|upper| HARMLESS.contains(&upper.as_str()))
}

/// The name in capitals, with an underscore also between words that only their capitals tell: `secretAccessKey`.
pub(super) fn in_words(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut words = String::with_capacity(name.len() + 4);
    for (at, byte) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after_small = before.is_some_and(|before| before.is_ascii_lowercase());
        let before_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let follows_word = before.is_some_and(|before| before.is_ascii_alphanumeric());
        if byte.is_ascii_uppercase() && (after_small || (before_small && follows_word)) {
            words.push('_');
        }
        words.push(byte.to_ascii_uppercase().into());
    }
    words
}
