//! From a job's result to an exit code.

use clap::Args;

use crate::error::Exit;
use crate::store::{ErrorType, JobResult, Outcome, Record, Verdict};
use crate::ui::human;

/// How much is asked of an answer.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Strictness {
    /// Also fail when tools were denied (4), or the agent reports partial or blocked, answers nothing or leaves
    /// commands that had to be stopped (9)
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The exit code of a job that has finished.
pub(crate) fn exit_of(record: &Record, strictness: Strictness) -> Exit {
    let Some(finished) = record.finished() else { return Exit::Failure };
    match (&finished.result, finished.verdict) {
        (Some(result), _) => exit_of_result(result, strictness),
        (None, Verdict::Done) => Exit::Success,
        (None, Verdict::Failed) => Exit::Failure,
        (None, Verdict::Cancelled) => Exit::Interrupted,
    }
}

fn exit_of_result(result: &JobResult, Strictness { strict }: Strictness) -> Exit {
    if !result.success {
        return result.error_type.unwrap_or(ErrorType::CliError).into();
    }
    if strict && denial(result).is_some() {
        Exit::Denied
    } else if strict && (shortcoming(result).is_some() || cut_off(result).is_some()) {
        Exit::Unsatisfactory
    } else {
        Exit::Success
    }
}

/// That a successful run was denied tools.
pub(crate) fn denial(result: &JobResult) -> Option<String> {
    let is_denied = result.success && !result.denied_tools.is_empty();
    is_denied.then(|| format!("tools were denied: {}", result.denied_tools.join(", ")))
}

/// That a successful run had commands going on in the background, which its end stopped.
pub(crate) fn cut_off(result: &JobResult) -> Option<String> {
    let names: Vec<String> = result.unfinished.iter().map(|task| format!("'{}'", task.what)).collect();
    let is_cut_off = result.success && !names.is_empty();
    is_cut_off.then(|| format!("what it had left running was stopped: {}", names.join(", ")))
}

/// That a successful run has cost more than it was allowed to: its cap is checked between its turns only.
pub(crate) fn overspending(record: &Record, result: &JobResult) -> Option<String> {
    let (cost, cap) = (result.cost_usd?, record.launch.max_budget_usd.as_ref()?.number()?);
    let is_over = result.success && result.budget_exceeded;
    is_over.then(|| format!("it cost {}, and its cap is {}", human::dollars(cost), human::dollars(cap)))
}

/// What a successful run's answer lacks.
pub(crate) fn shortcoming(result: &JobResult) -> Option<String> {
    let is_empty =
        result.result.trim().is_empty() && result.parsed_result.is_none() && result.answer_file.is_none();
    match result.outcome.filter(|_| result.success) {
        Some(outcome @ (Outcome::Partial | Outcome::Blocked)) => {
            Some(format!("the agent reports that its work is {}", outcome.name()))
        }
        _ => (result.success && is_empty).then(|| "the answer is empty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;
    use crate::store::{Unfinished, UnfinishedState, WorkKind};

    #[test]
    fn strictness_turns_a_poor_success_into_a_failure() {
        let good = JobResult::answer(JobId::generate(), "infra", "hi");
        let denied = JobResult { denied_tools: vec!["Bash".into()], ..good.clone() };
        let partial = JobResult { outcome: Some(Outcome::Partial), ..good.clone() };
        let left =
            Unfinished { kind: WorkKind::Command, what: "serve".into(), state: UnfinishedState::Stopped };
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
}
