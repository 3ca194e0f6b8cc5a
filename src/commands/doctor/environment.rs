//! What surrounds this process: a sandbox, another agent, secrets that agents would see.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::examinations::Examinations;
use super::finding::{Finding, Section, shell_path};
use crate::backend::Backends;
use crate::engine::{CallerContext, is_short_lived_sandbox, umask};
use crate::os::{absolute_entries, relative_entries};
use crate::text::is_secret_name;

const SECTION: Section = Section::Environment;

/// Looks at the caller_context; `depth_limit` is how deep dispatches may nest, if the config says it.
pub(super) fn findings(
    examinations: &Examinations<'_>,
    caller_context: &CallerContext,
    depth_limit: Option<u32>,
) -> Vec<Finding> {
    let variable = |name: &str| std::env::var_os(name);
    let mut findings = Vec::new();
    if is_short_lived_sandbox() {
        let found =
            "this is a sandbox that kills every process when its command ends: jobs cannot be started in it";
        findings.push(SECTION.error("sandbox", found));
    }
    findings.extend(nested(caller_context, depth_limit));
    let names = std::env::vars_os().map(|(name, _)| name);
    // Of those that agents get, an agent CLI may need some itself.
    let is_needed = |name: &OsString| name.to_str().is_some_and(|name| examinations.need_variable(name));
    let is_seen = |name: &OsString| !Backends::of_this_program().strip(name) && !is_needed(name);
    findings.extend(secrets(names.filter(is_seen)));
    if variable("HOME").is_none_or(|home| home.is_empty()) {
        let home = directories::BaseDirs::new().map(|base| shell_path(base.home_dir()));
        let found = "HOME is not set: agent CLIs do not find their settings and their login";
        findings.push(
            SECTION.warning("home", found).fix(format!("export HOME={}", home.unwrap_or("DIR".to_owned()))),
        );
    }
    findings.extend(variable("PATH").as_deref().and_then(relative_path));
    findings.extend(umask().and_then(file_mask));
    if findings.is_empty() {
        findings.push(
            SECTION.ok("environment", "no sandbox, no agent around this, no secret that agents would see"),
        );
    }
    findings
}

fn nested(caller_context: &CallerContext, limit: Option<u32>) -> Option<Finding> {
    let depth = caller_context.depth;
    if let Some(said) = &caller_context.unknown_depth {
        let found =
            format!("AGENT_DISPATCH_DEPTH is '{said}', which is no number: nothing is dispatched from here");
        return Some(SECTION.warning("nested", found).fix("unset AGENT_DISPATCH_DEPTH".to_owned()));
    }
    if depth == 0 && caller_context.parent.is_none() {
        return None;
    }
    let job = caller_context.parent.map(|id| format!(" of job {id}")).unwrap_or_default();
    let found = format!("this runs inside the agent{job}, at dispatch depth {depth}");
    Some(match limit {
        Some(limit) if depth >= limit => {
            SECTION.warning("nested", format!("{found}: no more can be made (max_dispatch_depth is {limit})"))
        }
        _ => SECTION.note("nested", found),
    })
}

/// Names of variables that are secrets by their looks. Values are not looked at.
fn secrets(names: impl Iterator<Item = OsString>) -> Option<Finding> {
    let mut secret: Vec<String> =
        names.filter_map(|name| name.into_string().ok()).filter(|name| is_secret_name(name)).collect();
    secret.sort();
    if secret.is_empty() {
        return None;
    }
    let found = format!("agents started from here see these variables: {}", secret.join(", "));
    Some(SECTION.warning("secrets", found).fix(format!("unset {}", secret.join(" "))))
}

/// Entries of `PATH` that mean places in the working directory.
fn relative_path(path: &OsStr) -> Option<Finding> {
    let relative = relative_entries(path);
    if relative.is_empty() {
        return None;
    }
    let shown: Vec<String> = relative.iter().map(|entry| format!("'{}'", entry.display())).collect();
    let found = format!(
        "PATH has entries that are not absolute: {}; agent-dispatch skips them, but agents inherit them, and run what a \
         directory they work in has there",
        shown.join(", ")
    );
    let kept = absolute_entries(path).unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    Some(SECTION.warning("path", found).fix(format!("export PATH={}", shell_path(Path::new(&kept)))))
}

fn file_mask(mask: u32) -> Option<Finding> {
    let found = format!("the umask is {mask:03o}: everybody can change the files that agents make");
    (mask & 0o002 == 0).then(|| SECTION.warning("umask", found).fix("umask 022"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Level;

    #[test]
    fn secrets_are_named_and_never_shown() {
        let names = [
            "GITHUB_TOKEN",
            "PATH",
            "DATABASE_URL",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "TOKENS",
            "npm_token",
        ];
        let found = secrets(names.into_iter().map(OsString::from)).unwrap();
        let fix = "unset AWS_SECRET_ACCESS_KEY DATABASE_URL GITHUB_TOKEN npm_token";
        assert_eq!(found.fix, Some(fix.into()));
        assert_eq!(secrets([OsString::from("PATH")].into_iter()), None);
    }

    #[test]
    fn only_a_mask_that_lets_everybody_write_is_warned_of() {
        assert_eq!(file_mask(0o022), None);
        assert_eq!(file_mask(0o077), None);
        assert_eq!(file_mask(0).unwrap().level, Level::Warning);
    }

    #[test]
    fn a_nested_dispatch_is_a_note_until_there_is_no_room_for_another() {
        let at = |depth| CallerContext { depth, ..CallerContext::default() };
        assert_eq!(nested(&at(0), Some(3)), None);
        assert_eq!(nested(&at(1), Some(3)).unwrap().level, Level::Note);
        assert_eq!(nested(&at(3), Some(3)).unwrap().level, Level::Warning);
        let unknown = CallerContext { unknown_depth: Some("abc".to_owned()), ..CallerContext::default() };
        assert_eq!(nested(&unknown, Some(3)).unwrap().level, Level::Warning);
    }
}
