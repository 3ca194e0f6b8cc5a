use super::*;

#[test]
fn a_command_is_taken_apart_as_a_shell_would() {
    let words = |text: &str| text.parse::<OnDone>().map(|command| command.words().join("|"));
    assert_eq!(
        words("notify-send 'it is done' \"a b\" c\\ d $HOME;x").unwrap(),
        "notify-send|it is done|a b|c d|$HOME;x"
    );
    assert_eq!(words(" "), Err(OnDoneError::Empty));
    assert_eq!(words("'' x"), Err(OnDoneError::Empty));
    assert_eq!(words("say 'what"), Err(OnDoneError::Unfinished));
}

#[test]
fn a_request_comes_back_from_the_record_it_led_to() {
    let mut record = Record::pending(JobId::generate(), "infra", "look", 1.0);
    record.goal = Some("ship".into());
    record.launch.timeout_seconds = Some(90.5.into());
    record.launch.model = Some("opus".into());
    record.launch.max_budget_usd = Some(0.5.into());
    record.launch.session_id = Some("old".into());
    let request = Request::again(&record).unwrap();
    assert_eq!((request.agent.as_str(), request.task.as_str()), ("infra", "look"));
    assert_eq!(request.timeout.map(Timeout::seconds), Some(90.5));
    assert_eq!((request.goal.as_deref(), request.model.as_deref()), (Some("ship"), Some("opus")));
    assert_eq!(request.session, None);
    let on = Request::go_on(&record, "old".into(), Task::new("more").unwrap()).unwrap();
    assert_eq!((on.session.as_deref(), on.goal, on.task.as_str()), (Some("old"), None, "more"));
    assert_eq!(on.max_budget_usd.map(BudgetUsd::dollars), Some(0.5));
    record.launch.backend = Some("command".into());
    assert_eq!(Request::again(&record).unwrap().max_budget_usd, None);
}

#[test]
fn a_task_has_something_in_it_and_is_not_too_long() {
    assert_eq!(Task::new(" \n\t"), Err(TaskError::Empty));
    assert_eq!(Task::new("x").unwrap().as_str(), "x");
    assert!(Task::new("x".repeat(PROMPT_LIMIT_BYTES)).is_ok());
    let bytes = PROMPT_LIMIT_BYTES + 1;
    assert_eq!(Task::new("x".repeat(bytes)), Err(TaskError::TooLong { bytes }));
}
