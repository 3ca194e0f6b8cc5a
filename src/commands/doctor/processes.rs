//! What runs: supervisors, MCP servers, jobs that lost theirs, and processes that outlived their job.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::finding::{Finding, Fix, Section};
use crate::engine::{Binary, Copy, Jobs, JobsError, LocalJobs, Marked, Role, census};
use crate::model::JobId;
use crate::os::ask;
use crate::ui::human;

const SECTION: Section = Section::Processes;

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells about the copies of this program that run, the jobs that lost theirs, and what outlived a job.
pub(super) fn findings(path: &Path, jobs: Option<&LocalJobs>) -> Vec<Finding> {
    // First, because it ends what the agents of lost jobs have left running.
    let lost = jobs.map_or(Ok(Vec::new()), lost).unwrap_or_else(|error| {
        vec![
            SECTION
                .warning("jobs-alive", format!("jobs that have not finished cannot be looked at: {error}")),
        ]
    });
    let (copies, marked) = census();
    let mut findings: Vec<Finding> = copies.iter().filter_map(|copy| running(copy, path)).collect();
    findings.extend(lost);
    findings.extend(jobs.map_or(Vec::new(), |jobs| orphans(jobs, marked)).iter().map(orphan));
    if findings.is_empty() {
        findings.push(SECTION.ok("processes", "nothing runs"));
    }
    findings
}

/// The processes whose job has finished. Its record says so after its agent has ended, so they are looked for again: a job
/// may have come to its end since the census.
fn orphans(jobs: &LocalJobs, marked: Vec<Marked>) -> Vec<Marked> {
    let mut orphans: Vec<Marked> = marked.into_iter().filter(|process| is_over(jobs, process.job)).collect();
    if !orphans.is_empty() {
        let (_, now) = census();
        orphans.retain(|orphan| now.contains(orphan));
    }
    orphans
}

/// A copy that serves these jobs, or a client.
fn running(copy: &Copy, jobs: &Path) -> Option<Finding> {
    let since = copy.age.map(|age| format!(", for {}", human::duration(age))).unwrap_or_default();
    let (id, what, remedy) = match &copy.role {
        Role::Supervisor { jobs: others, .. } if others != jobs => return None,
        Role::Supervisor { job, .. } => {
            ("supervisor", format!("job {job}: supervisor {}{since}", copy.pid), "that ends with the job")
        }
        Role::McpServer => (
            "mcp-running",
            format!("MCP server {}{since}", copy.pid),
            "its client starts the new one after a restart",
        ),
    };
    if copy.suspended {
        let found =
            format!("{what}, is stopped or frozen: nothing that waits for it goes on, and no limit holds");
        return Some(SECTION.warning("suspended", found).fix(format!("kill -CONT {}", copy.pid)));
    }
    let finding = match &copy.binary {
        Binary::This => {
            return Some(SECTION.ok(id, format!("{what}, version {}", env!("CARGO_PKG_VERSION"))));
        }
        Binary::Unknown => return Some(SECTION.ok(id, what)),
        Binary::Other(path) => {
            let version = version_of(path).map(|version| format!(", version {version}")).unwrap_or_default();
            SECTION.note(
                id,
                format!("{what}, runs another agent-dispatch{version}: {}; {remedy}", path.display()),
            )
        }
        Binary::Gone(path) => SECTION.note(
            id,
            format!("{what}, runs a file that was deleted or replaced: {}; {remedy}", path.display()),
        ),
    };
    Some(match &copy.role {
        Role::Supervisor { job, .. } => finding.fix(Fix::own(["wait".to_owned(), job.to_string()])),
        Role::McpServer => finding,
    })
}

/// What another copy of this program says its version is. Only files of this user and of root are asked.
fn version_of(program: &Path) -> Option<String> {
    let owner = program.metadata().ok()?.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return None;
    }
    let said = ask(program, &["--version"], PATIENCE).ok()?;
    Some(said.trim().strip_prefix(concat!(env!("CARGO_PKG_NAME"), " "))?.to_owned())
}

/// The jobs whose supervisor is gone. To look at one is to record its end.
fn lost(jobs: &LocalJobs) -> Result<Vec<Finding>, JobsError> {
    let mut findings = Vec::new();
    for id in jobs.unfinished()? {
        // Damaged records are told of elsewhere.
        let is_open =
            jobs.glance(id).is_some_and(|record| record.finished().is_none() && !record.is_foreign());
        if !is_open || jobs.is_alive(id)? {
            continue;
        }
        let Ok(record) = jobs.get(id) else { continue };
        let found = format!(
            "job {id} of {} was lost: its supervisor died; recorded as {}",
            record.agent,
            record.status().name()
        );
        findings
            .push(SECTION.warning("job-lost", found).fix(Fix::own(["status".to_owned(), id.to_string()])));
    }
    Ok(findings)
}

fn is_over(jobs: &LocalJobs, job: JobId) -> bool {
    !jobs.is_alive(job).unwrap_or(false) && jobs.glance(job).is_some_and(|record| record.finished().is_some())
}

fn orphan(process: &Marked) -> Finding {
    let Marked { pid, job, command } = process;
    let command: String = command.chars().take(80).collect();
    let found = format!("process {pid} outlived its job {job}: {command}");
    SECTION.warning("orphan", found).fix(format!("kill {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Level;

    fn copy(role: Role, binary: Binary) -> Copy {
        Copy { pid: 7, role, binary, age: None, suspended: false }
    }

    #[test]
    fn a_copy_that_runs_another_file_is_noted_with_what_ends_that() {
        let jobs = Path::new("/jobs");
        let found = running(&copy(Role::McpServer, Binary::Gone("/bin/x".into())), jobs).unwrap();
        assert!(found.level == Level::Note && found.found.contains("restart"), "{found:?}");
        let job = JobId::generate();
        let supervisor = |jobs: &str| Role::Supervisor { job, jobs: jobs.into() };
        let found = running(&copy(supervisor("/jobs"), Binary::This), jobs).unwrap();
        assert!(found.level == Level::Ok && found.found.contains(&job.to_string()));
        assert_eq!(running(&copy(supervisor("/elsewhere"), Binary::This), jobs), None);
        let found = running(&copy(supervisor("/jobs"), Binary::Other("/bin/x".into())), jobs).unwrap();
        assert_eq!(found.fix, Some(Fix::own(["wait".to_owned(), job.to_string()])));
    }

    #[test]
    fn another_copy_is_asked_for_its_version() {
        let directory = tempfile::tempdir().unwrap();
        let other = directory.path().join("agent-dispatch");
        // A program of the system: one that this test had written could not be run while another test forks.
        std::os::unix::fs::symlink("/bin/echo", &other).unwrap();
        assert_eq!(version_of(&other), None, "what says something else has no version");
        assert_eq!(version_of(&directory.path().join("missing")), None);
    }
}
