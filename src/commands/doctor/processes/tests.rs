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
    assert_eq!(found.fix, Some(format!("agent-dispatch wait {job}")));
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
