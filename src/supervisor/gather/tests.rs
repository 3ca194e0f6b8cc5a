use super::*;
use crate::store::{ErrorType, Outcome};

#[test]
fn what_short_answers_leave_over_goes_to_long_ones() {
    assert_eq!(shares(&[10, 20, 30], 100), [10, 20, 30]);
    assert_eq!(shares(&[1_000, 10, 1_000], 100), [45, 10, 45]);
    assert_eq!(shares(&[5, 5], 0), [0, 0]);
    assert_eq!(shares(&[], 10), [0; 0]);
}

#[test]
fn each_job_has_a_section_and_a_cut_answer_says_where_the_rest_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    let (one, two, three) = (JobId::generate(), JobId::generate(), JobId::generate());
    let long =
        JobResult { outcome: Some(Outcome::Partial), ..JobResult::answer(one, "infra", "ä".repeat(1_000)) };
    let salvaged = JobResult {
        result: "half".into(),
        ..JobResult::failure(two, "web", ErrorType::Timeout, "timed out after 5s")
    };
    let over = [
        Awaited { id: one, agent: "infra".into(), result: Ok(long) },
        Awaited { id: two, agent: "web".into(), result: Ok(salvaged) },
        Awaited { id: three, agent: "unknown".into(), result: Err("there is no job".into()) },
    ];
    assert_eq!(
        results(&store, &over, 15),
        format!(
            "\n\n## Results\n\n\
                 ### infra, job {one}: done, and says that its work is partial\n```\näääää\n```\n\
                 (This is only its beginning. The whole answer: `agent-dispatch result {one}`)\n\n\
                 ### web, job {two}: failed (timeout)\nError: timed out after 5s\n```\nhalf\n```\n\n\
                 ### unknown, job {three}: lost\nError: there is no job\n"
        )
    );
}
