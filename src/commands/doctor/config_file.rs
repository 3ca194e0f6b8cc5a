//! The config: whether it can be read, what looks wrong in it, and who can change it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::finding::{Finding, Section, shell_path, shell_word};
use crate::config::{Config, ConfigError};
use crate::ui::human;

const SECTION: Section = Section::Config;

/// What the config says, or why that cannot be known.
pub(super) fn findings(path: &Path, loaded: &Result<Config, ConfigError>) -> Vec<Finding> {
    let mut findings = match loaded {
        Ok(config) if config.is_missing => {
            let found = format!("there is no config yet: {} would be it", path.display());
            return vec![SECTION.note("config", found).fix("agent-dispatch init")];
        }
        Ok(config) => content(config),
        Err(error) => vec![SECTION.error("config", error.to_string()).fix(fix(path, error))],
    };
    findings.extend(access(path));
    findings
}

/// The command that mends a config that cannot be read.
fn fix(path: &Path, error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            format!("chmod u+r {}", shell_path(path))
        }
        ConfigError::IsADirectory { .. } => {
            format!("agent-dispatch doctor --config {}", shell_path(&path.join("agents.yaml")))
        }
        ConfigError::NoHome => "agent-dispatch doctor --config agents.yaml".to_owned(),
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } | ConfigError::Invalid { .. } => {
            edit(path)
        }
    }
}

fn edit(path: &Path) -> String {
    format!("${{EDITOR:-vi}} {}", shell_path(path))
}

fn content(config: &Config) -> Vec<Finding> {
    let found = format!(
        "{}: {}, {}",
        config.path.display(),
        human::count(config.agents.len(), "agent"),
        human::count(config.groups.len(), "group")
    );
    let mut findings = vec![SECTION.ok("config", found)];
    for warning in &config.warnings {
        // Members get a finding of their own, with a command of their own.
        if !is_about_a_member(&warning.key) {
            let found = format!("{}: {warning}", config.path.display());
            findings.push(SECTION.warning("config-warning", found).fix(edit(&config.path)));
        }
    }
    for (group, members) in &config.groups {
        for member in members.members.iter().filter(|member| !config.agents.contains_key(&member.agent)) {
            let found = format!("group {group} has the member {}, which is no agent", member.agent);
            let fix = format!("agent-dispatch groups update {group} --remove-member {}", member.agent);
            findings.push(SECTION.warning("group-member", found).fix(fix));
        }
    }
    findings
}

/// Whether a warning is about who is in a group: `groups.NAME.members[0]`, not a key below that.
fn is_about_a_member(key: &str) -> bool {
    key.starts_with("groups.") && key.ends_with(']') && key.contains(".members[")
}

/// Who else can read or change the file, or put another in its place.
fn access(path: &Path) -> Vec<Finding> {
    // Whoever can change what a link leads to changes the config.
    let Ok(file) = path.canonicalize() else { return Vec::new() };
    let Ok(metadata) = fs::metadata(&file) else { return Vec::new() };
    let mut findings: Vec<Finding> = file_access(&file, &metadata).into_iter().collect();
    let mut directories: Vec<PathBuf> =
        [path, &file].iter().filter_map(|path| Some(path.parent()?.into())).collect();
    directories.dedup();
    for directory in directories {
        if let Ok(metadata) = fs::metadata(&directory)
            && let Some(who) = who_can_write(&metadata)
            // With the sticky bit only owners replace files.
            && metadata.mode() & 0o1000 == 0
        {
            let found = format!("{who} can replace the config: {}", with_mode(&directory, &metadata));
            let fix = format!("chmod go-w {}", shell_path(&directory));
            findings.push(SECTION.error("config-directory", found).fix(fix));
        }
    }
    findings
}

fn file_access(file: &Path, metadata: &Metadata) -> Option<Finding> {
    if metadata.is_file() && metadata.uid() != rustix::process::geteuid().as_raw() {
        let found =
            format!("the config belongs to another user (uid {}): {}", metadata.uid(), file.display());
        let fix = format!("sudo chown {} {}", rustix::process::geteuid().as_raw(), shell_path(file));
        return Some(SECTION.error("config-access", found).fix(fix));
    }
    let fix = format!("chmod 600 {}", shell_path(file));
    if let Some(who) = who_can_write(metadata) {
        let found = format!("{who} can change the config: {}", with_mode(file, metadata));
        return Some(SECTION.error("config-access", found).fix(fix));
    }
    if metadata.mode() & 0o044 != 0 {
        let found = format!("others can read the config: {}", with_mode(file, metadata));
        return Some(SECTION.note("config-access", found).fix(fix));
    }
    Some(SECTION.ok(
        "config-access",
        format!("only you can read and change it (mode {:04o})", metadata.mode() & 0o7777),
    ))
}

fn with_mode(path: &Path, metadata: &Metadata) -> String {
    format!("{} (mode {:04o})", path.display(), metadata.mode() & 0o7777)
}

fn who_can_write(metadata: &Metadata) -> Option<&'static str> {
    match metadata.mode() {
        mode if mode & 0o002 != 0 => Some("everybody"),
        mode if mode & 0o020 != 0 => Some("the group"),
        _ => None,
    }
}

/// The command that gives an agent's field a value.
pub(super) fn update(agent: &str, option: &str, value: &str) -> String {
    let command = format!("agent-dispatch agents update {agent}");
    format!("{command} {option} {}", shell_word(value))
}

#[cfg(test)]
mod tests;
