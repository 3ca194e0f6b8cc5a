//! Names of variables whose values are secrets, and what stands for one.

/// Ends of names whose values are secrets as a rule.
const ENDINGS: [&str; 11] = [
    "_TOKEN",
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
const NAMES: [&str; 8] =
    ["DATABASE_URL", "REDIS_URL", "MONGODB_URI", "MONGO_URL", "PGPASSWORD", "MYSQL_PWD", "TOKEN", "PASSWORD"];

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
    let upper = name.to_ascii_uppercase();
    is_name
        && !HARMLESS.contains(&upper.as_str())
        && (NAMES.contains(&upper.as_str())
            || PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
            || ENDINGS.iter().any(|ending| upper.ends_with(ending)))
}
