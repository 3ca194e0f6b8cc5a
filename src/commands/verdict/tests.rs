use super::*;
use crate::store::{JobId, Unfinished, UnfinishedState, WorkKind};

#[test]
fn strictness_turns_a_poor_success_into_a_failure() {
    let good = JobResult::answer(JobId::generate(), "infra", "hi");
    let denied = JobResult { denied_tools: vec!["Bash".into()], ..good.clone() };
    let partial = JobResult { outcome: Some(Outcome::Partial), ..good.clone() };
    let left = Unfinished { kind: WorkKind::Command, what: "serve".into(), state: UnfinishedState::Stopped };
    let cut_off = JobResult { unfinished: vec![left], ..good.clone() };
    let empty = JobResult { result: " \n".into(), ..good.clone() };
    let cases = [
        (&good, Exit::Success),
        (&denied, Exit::Denied),
        (&partial, Exit::Unsatisfactory),
        (&empty, Exit::Unsatisfactory),
        (&cut_off, Exit::Unsatisfactory),
    ];
    for (result, strict) in cases {
        assert_eq!(exit_of_result(result, Strictness { strict: false }), Exit::Success);
        assert_eq!(exit_of_result(result, Strictness { strict: true }), strict);
    }
}
