use super::*;

#[test]
fn only_what_ended_long_enough_ago_is_deleted() {
    let job = |completed_at| Candidate { id: JobId::generate(), completed_at };
    let jobs = [job(None), job(Some(100.0)), job(Some(199.0)), job(Some(300.0))];
    let plan_for = |policy| plan(jobs, policy, 200.0);
    let old = plan_for(Policy::OlderThan(Duration::from_secs(50)));
    assert_eq!(old, Plan { delete: vec![jobs[1].id], unfinished: 1, recent: 2 });
    let all = plan_for(Policy::All);
    assert_eq!(all, Plan { delete: vec![jobs[1].id, jobs[2].id, jobs[3].id], unfinished: 1, recent: 0 });
}
