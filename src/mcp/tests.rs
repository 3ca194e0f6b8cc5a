//! The tools with jobs that are nowhere but in memory: they know of no store, so they do the same for jobs on any host.

use std::task::Waker;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::arguments::{Arguments, Manner};
use super::authority::Authority;
use super::server_state::ServerState;
use super::waiting::News;
use super::{dispatch, jobs, tasks};
use crate::config::Config;
use crate::engine::{Jobs, MemoryJobs, Now, Step, WaitLoop, Waited};
use crate::store::{ErrorType, Status};

fn arguments(of: &str, fields: Value) -> Arguments {
    let Value::Object(fields) = fields else { panic!("{fields}") };
    Arguments::new(of, fields)
}

/// Jobs, and a server for a client that may do what `authority` says.
fn server(authority: Authority) -> (MemoryJobs, ServerState) {
    let memory = MemoryJobs::default();
    let state = ServerState::with_jobs(&memory, Config::default(), authority);
    (memory, state)
}

fn listed(state: &ServerState, fields: Value) -> Vec<String> {
    let reply = jobs::jobs(state, arguments("dispatch_jobs", fields)).unwrap();
    let jobs = reply.fields["jobs"].as_array().unwrap().iter();
    jobs.map(|job| job["job_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn jobs_are_listed_to_a_client_as_far_as_it_may_know_of_them() {
    let (memory, state) = server(Authority::default());
    let (infra, web) = (memory.run("infra", "x"), memory.add("web", "x"));
    let both = memory.run("infra ⇄ web", "x");
    let ids = |ids: &[crate::model::JobId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(listed(&state, json!({})), ids(&[both, web, infra]));
    assert_eq!(listed(&state, json!({"status": "pending"})), ids(&[web]));
    let only = Authority { agents: Some(vec!["infra".parse().unwrap()]), ..Authority::default() };
    let limited = ServerState::with_jobs(&memory, Config::default(), only);
    assert_eq!(listed(&limited, json!({})), ids(&[infra]));
    assert!(limited.look(infra).is_ok() && limited.look(web).is_err() && limited.look(both).is_err());
}

#[test]
fn a_job_is_told_of_before_and_after_its_end_and_can_be_stopped() {
    let (memory, state) = server(Authority::default());
    let id = memory.run("infra", "x");
    memory.write(id, "looking\n");
    let told = |state: &ServerState| dispatch::tell(state, id, Manner::whole()).unwrap();
    assert_eq!(
        (&told(&state).fields["status"], &told(&state).fields["progress"]),
        (&json!("running"), &json!("looking"))
    );
    memory.answer(id, "it runs");
    assert_eq!((&told(&state).fields["result"], told(&state).is_error), (&json!("it runs"), false));
    let below = memory.add_below(id, "infra", "x");
    tasks::cancel(&state, &id.to_string()).unwrap();
    assert_eq!(memory.get(below).unwrap().status(), Status::Cancelled);
}

#[test]
fn a_client_that_waits_hears_what_goes_on_and_when_it_is_over() {
    let (memory, _) = server(Authority::default());
    let (one, other) = (memory.run("infra", "x"), memory.run("web", "x"));
    let mut news = News::new(&memory, &[one, other], true);
    let mut waiting = WaitLoop::new(&memory, [one, other], None, Waker::noop()).unwrap();
    let begin = Now::read();
    let mut step = |news: &mut News, seconds: u64| {
        let instant = begin.instant + Duration::from_secs(seconds);
        let step = waiting.step(&memory, Now { instant, ..begin }, news).unwrap();
        (step, news.take().map(|(_, line)| line))
    };
    let (slept, line) = step(&mut news, 0);
    assert_eq!(line.as_deref(), Some("infra: running | web: running"));
    assert!(matches!(slept, Step::Sleep(pause) if pause > Duration::from_secs(2)), "{slept:?}");
    memory.write(one, "looking\n");
    memory.fail(other, ErrorType::CliError, "no");
    // It was told something a moment ago.
    assert_eq!(step(&mut news, 0).1, None);
    memory.answer(one, "it runs");
    assert_eq!(step(&mut news, 3).0, Step::Over(Waited::Finished));
}

#[test]
fn a_wait_that_nothing_is_told_of_reads_no_output() {
    let (memory, _) = server(Authority::default());
    let id = memory.run("infra", "x");
    let mut news = News::new(&memory, &[id], false);
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut waiting = WaitLoop::new(&memory, [id], Some(deadline), Waker::noop()).unwrap();
    let slept = waiting.step(&memory, Now::read(), &mut news).unwrap();
    assert!(matches!(slept, Step::Sleep(pause) if pause > Duration::from_secs(5)), "{slept:?}");
    assert_eq!((memory.outputs(), news.take()), (0, None));
}

#[test]
fn a_place_that_cannot_be_reached_is_told() {
    let (memory, state) = server(Authority::default());
    let id = memory.run("infra", "x");
    memory.cut_off("gpu", "Connection refused");
    let told = "gpu cannot be reached: Connection refused";
    let listed = jobs::jobs(&state, arguments("dispatch_jobs", json!({}))).unwrap_err();
    assert_eq!(state.text_of(&listed), told);
    let collected = jobs::gc(&state, arguments("dispatch_gc", json!({"max_age_days": 7}))).unwrap_err();
    assert_eq!(state.text_of(&collected), told);
    let looked = dispatch::tell(&state, id, Manner::whole()).unwrap_err();
    assert_eq!(state.text_of(&looked), told);
    assert!(tasks::cancel(&state, &id.to_string()).unwrap_err().message.contains(told));
}
