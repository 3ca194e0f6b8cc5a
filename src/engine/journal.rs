//! Where the usage journal of a config is.

use std::path::Path;

use crate::config::{Config, UsageLog, check_journal};
use crate::store::Journal;
use crate::supervisor;

/// The usage journal of this config, unless it switches that off; `named` is where the environment says that it is.
pub fn journal(config: &Config, named: Option<&Path>) -> Option<Journal> {
    let beside_config = || config.path.parent().unwrap_or(Path::new(".")).join("usage.jsonl");
    let named = named.map(Path::to_owned);
    let path = match &config.settings.usage_log {
        UsageLog::Off => return None,
        UsageLog::On => named.unwrap_or_else(beside_config),
        UsageLog::At(path) => named.unwrap_or_else(|| path.clone()),
    };
    // Supervisors work from `/`.
    Some(supervisor::journal_at(std::path::absolute(&path).unwrap_or(path)))
}

/// Whether the end of a job whose supervisor is gone is noted in this journal: not where others have a say in it.
pub fn is_trusted_journal(journal: &Journal) -> bool {
    check_journal(journal.path()).is_ok()
}
