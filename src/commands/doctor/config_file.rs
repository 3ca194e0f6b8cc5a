//! The config: whether it can be read, what looks wrong in it, and who can change it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::finding::{Finding, Fix, Section, shell_path};
use crate::config::{Config, ConfigError, Exposure, Vouched, directories_of};
use crate::engine::{FileSystem, file_system};
use crate::ui::human;

const SECTION: Section = Section::Config;

/// What the config says, or why that cannot be known.
pub(super) fn findings(path: &Path, loaded: &Result<Config, ConfigError>) -> Vec<Finding> {
    let mut findings = match loaded {
        Ok(config) if config.is_missing => {
            let found = format!("there is no config yet: {} would be it", path.display());
            return vec![SECTION.note("config", found).fix(Fix::own(["init"]))];
        }
        Ok(config) => content(config),
        Err(error) => vec![SECTION.error("config", error.to_string()).fix(fix(path, error))],
    };
    findings.extend(access(path));
    findings
}

/// The command that mends a config that cannot be read.
fn fix(path: &Path, error: &ConfigError) -> Fix {
    let with_config = |path: &Path| Fix::own(["doctor", "--config", &*path.to_string_lossy()]);
    match error {
        ConfigError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            format!("chmod u+r {}", shell_path(path)).into()
        }
        ConfigError::IsADirectory { .. } => with_config(&path.join("agents.yaml")),
        ConfigError::Untrusted(untrusted) => untrusted.commands(shell_path).join(" && ").into(),
        ConfigError::NoHome => with_config(Path::new("agents.yaml")),
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } | ConfigError::Invalid { .. } => {
            edit(path).into()
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
            let fix = ["groups", "update", group.as_str(), "--remove-member", member.agent.as_str()];
            findings.push(SECTION.warning("group-member", found).fix(Fix::own(fix)));
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
    // A user who can change what a link leads to changes the config.
    let Ok(file) = path.canonicalize() else { return Vec::new() };
    let Ok(metadata) = fs::metadata(&file) else { return Vec::new() };
    let is_vouched_for = Vouched::by_this_process().covers(path);
    let exposed = |id, exposure: &Exposure| {
        let found = format!("{} {exposure}", exposure.path.display());
        if is_vouched_for {
            return SECTION.note(id, format!("{found}; it is trusted, because AGENT_DISPATCH_TRUST says so"));
        }
        let found = format!("the config is refused as untrusted: {found}");
        SECTION.error(id, found).fix(exposure.remedies(shell_path).join(" && "))
    };
    let mut findings = match Exposure::of(&file) {
        Some(exposure) => vec![exposed("config-access", &exposure)],
        None => vec![readers(&file, &metadata)],
    };
    findings.extend(directories_of(path).map(|exposure| exposed("config-directory", &exposure)));
    if let Ok(FileSystem { without_modes: Some(kind), .. }) = file_system(&file) {
        let found = format!(
            "{} is on {kind}, where owners and modes may be made up: who can change it is not known",
            file.display()
        );
        findings.push(SECTION.note("config-file-system", found));
    }
    findings
}

fn readers(file: &Path, metadata: &Metadata) -> Finding {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o044 != 0 {
        let found = format!("others can read the config: {} (mode {mode:04o})", file.display());
        return SECTION.note("config-access", found).fix(format!("chmod 600 {}", shell_path(file)));
    }
    SECTION.ok("config-access", format!("only you can read and change it (mode {mode:04o})"))
}

/// The command that gives an agent's field a value.
pub(super) fn update(agent: &str, option: &str, value: &str) -> Fix {
    Fix::own(["agents", "update", agent, option, value])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_warnings_about_members_are_left_to_their_own_finding() {
        assert!(is_about_a_member("groups.shop.members[0]"));
        assert!(!is_about_a_member("groups.shop.members[0].use_fro"));
        assert!(!is_about_a_member("groups.shop.mebmers"));
        assert!(!is_about_a_member("agents.a.timeot"));
    }
}
