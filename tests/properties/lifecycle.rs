//! The life cycle of jobs, in every order: whatever happens when, a job ends once and for good, and only what is
//! over is deleted.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use agent_dispatch::engine::{collect, collectable};
use agent_dispatch::model::{JobId, UnixSeconds};
use agent_dispatch::store::{
    ErrorType, Finished, HeldJob, JobResult, Liveness, Policy, Record, State, Status, Store, StoreError,
    Verdict,
};
use agent_dispatch::supervisor::load_and_recover;
use proptest::prelude::*;

/// When every job is created. Only the ages of files come from the real clock.
const START: UnixSeconds = 1_700_000_000.0;

/// Something that happens. The number chooses the job, the newest ones more often.
#[derive(Debug, Clone)]
enum Step {
    Create,
    Start(usize),
    Progress(usize, Progress),
    Finish(usize, Verdict),
    Cancel(usize),
    /// Whoever holds the job dies.
    Crash(usize),
    Recover(usize),
    Read(usize),
    Damage(usize, Damage),
    Collect {
        everything: bool,
        a_day_later: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Progress {
    Text,
    HalfALine,
    Answer,
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Truncated,
    Empty,
    Garbage,
    OfAnotherJob,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let job = || 0..4_usize;
    let progress = prop_oneof![Just(Progress::Text), Just(Progress::HalfALine), Just(Progress::Answer)];
    let damage = prop_oneof![
        Just(Damage::Truncated),
        Just(Damage::Empty),
        Just(Damage::Garbage),
        Just(Damage::OfAnotherJob)
    ];
    let verdict = prop_oneof![Just(Verdict::Done), Just(Verdict::Failed), Just(Verdict::Cancelled)];
    let step = prop_oneof![
        4 => Just(Step::Create),
        4 => job().prop_map(Step::Start),
        4 => (job(), progress).prop_map(|(job, progress)| Step::Progress(job, progress)),
        4 => (job(), verdict).prop_map(|(job, verdict)| Step::Finish(job, verdict)),
        1 => job().prop_map(Step::Cancel),
        3 => job().prop_map(Step::Crash),
        3 => job().prop_map(Step::Recover),
        2 => job().prop_map(Step::Read),
        1 => (job(), damage).prop_map(|(job, damage)| Step::Damage(job, damage)),
        2 => (any::<bool>(), any::<bool>())
            .prop_map(|(everything, a_day_later)| Step::Collect { everything, a_day_later }),
    ];
    prop::collection::vec(step, 1..40)
}

/// What a job is expected to be.
struct Job<'a> {
    held: Option<HeldJob<'a>>,
    record: Record,
    /// What its record's file must hold; `None` when it was damaged.
    bytes: Option<Vec<u8>>,
    /// Whether the agent's last words are its answer.
    answered: bool,
    cut: bool,
    /// Whether somebody asked to stop it.
    cancelled: bool,
}

struct Model<'a> {
    store: &'a Store,
    jobs: BTreeMap<JobId, Job<'a>>,
    /// Damaged records that were moved aside.
    aside: Vec<JobId>,
}

impl<'a> Model<'a> {
    fn file(&self, id: JobId) -> PathBuf {
        self.store.path().join(format!("{id}.json"))
    }

    fn chosen(&self, number: usize) -> Option<JobId> {
        self.jobs.keys().rev().nth(number).copied()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Create => {
                let record = Record::pending(JobId::generate(), "infra", "look", START);
                let held = Some(self.store.create(&record).expect("a job"));
                let bytes = Some(record.to_json());
                self.jobs.insert(
                    record.id,
                    Job { held, record, bytes, answered: false, cut: false, cancelled: false },
                );
            }
            Step::Start(number) => self.with_held(number, |job| {
                job.record.state = State::Running { started_at: START + 1.0 };
                job.held.as_ref().expect("it is held").save(&job.record).expect("room");
                job.bytes = Some(job.record.to_json());
            }),
            Step::Progress(number, progress) => self.with_held(number, |job| job.progress(progress)),
            Step::Finish(number, verdict) => self.with_held(number, |job| job.finish(verdict)),
            Step::Cancel(number) => {
                let Some(id) = self.chosen(number) else { return };
                let folder = self.store.folder(id).expect("a folder");
                folder.request_cancel().expect("room");
                assert!(folder.is_cancel_requested());
                self.jobs.get_mut(&id).expect("it was chosen").cancelled = true;
            }
            Step::Crash(number) => self.with_held(number, |job| job.held = None),
            Step::Recover(number) => {
                let Some(id) = self.chosen(number) else { return };
                let outcome = load_and_recover(self.store, id);
                self.looked_at(id, outcome);
            }
            Step::Read(number) => {
                let Some(id) = self.chosen(number) else { return };
                match self.store.read(id) {
                    Ok(record) => assert_eq!(record, self.jobs[&id].record, "reading changes nothing"),
                    Err(error) => self.was_damaged(id, &error),
                }
            }
            Step::Damage(number, damage) => {
                let Some(id) = self.chosen(number) else { return };
                let Some(bytes) = &self.jobs[&id].bytes else { return };
                let content = match damage {
                    Damage::Truncated => bytes[..bytes.len() - 1].to_vec(),
                    Damage::Empty => Vec::new(),
                    Damage::Garbage => vec![0xff; 100],
                    Damage::OfAnotherJob => Record::pending(JobId::generate(), "x", "y", 0.0).to_json(),
                };
                fs::write(self.file(id), content).expect("a file");
                self.jobs.get_mut(&id).expect("it was chosen").bytes = None;
            }
            Step::Collect { everything, a_day_later } => self.collect(everything, a_day_later),
        }
    }

    fn with_held(&mut self, number: usize, act: impl FnOnce(&mut Job<'a>)) {
        let Some(id) = self.chosen(number) else { return };
        let job = self.jobs.get_mut(&id).expect("it was chosen");
        if job.held.is_some() {
            act(job);
        }
    }

    /// What `recover` must have said and done.
    fn looked_at(&mut self, id: JobId, outcome: Result<Record, StoreError>) {
        let file = self.file(id);
        let job = self.jobs.get_mut(&id).expect("it was chosen");
        if job.bytes.is_none() {
            return self.was_damaged(id, &outcome.expect_err("its record was damaged"));
        }
        let record = outcome.expect("its record is whole");
        if job.held.is_some() || job.record.finished().is_some() {
            assert_eq!(record, job.record, "looking at a job that lives or has finished changes nothing");
            return;
        }
        let finished =
            record.finished().expect("a job without a holder has finished once somebody has looked");
        let is_done = job.answered && !job.cancelled;
        assert_eq!(finished.verdict == Verdict::Done, is_done, "{record:?}");
        assert_eq!(finished.started_at, job.record.started_at());
        let result = finished.result.as_ref().expect("a result");
        let error = if job.cancelled { ErrorType::Cancelled } else { ErrorType::Lost };
        assert_eq!(result.error_type, (!is_done).then_some(error));
        assert_eq!(result.result.is_empty(), !job.answered, "an answer is kept in any case: {record:?}");
        let bytes = fs::read(file).expect("a record");
        assert_eq!(bytes, record.to_json(), "what is said is what is recorded");
        job.bytes = Some(bytes);
        job.record = record;
    }

    /// A damaged record is reported, and moved out of the way unless its holder is going to write it again.
    fn was_damaged(&mut self, id: JobId, error: &StoreError) {
        let StoreError::Damaged { moved_to, .. } = error else { panic!("{error}") };
        let job = &self.jobs[&id];
        assert!(job.bytes.is_none(), "{error}");
        assert_eq!(moved_to.is_none(), job.held.is_some(), "{error}");
        if let Some(moved_to) = moved_to {
            assert!(moved_to.exists());
            assert!(matches!(self.store.read(id), Err(StoreError::NoSuchJob(_))), "reported once");
            self.put_aside(id);
        }
    }

    fn put_aside(&mut self, id: JobId) {
        self.jobs.remove(&id);
        self.aside.push(id);
    }

    fn collect(&mut self, everything: bool, a_day_later: bool) {
        let real = std::time::UNIX_EPOCH.elapsed().expect("a time after 1970").as_secs_f64();
        let now = if a_day_later { real + 86_400.0 } else { real };
        let policy = if everything { Policy::All } else { Policy::OlderThan(Duration::from_secs(3_600)) };
        // What nobody holds is concluded first, which cannot be told from here otherwise.
        let lost: Vec<JobId> =
            self.jobs.iter().filter(|(_, job)| job.held.is_none()).map(|(id, _)| *id).collect();
        for id in lost {
            let outcome = load_and_recover(self.store, id);
            self.looked_at(id, outcome);
        }
        let collection = collectable(self.store, policy, now).expect("a collection");
        let plan = &collection.jobs;
        let damaged = self.jobs.values().filter(|job| job.bytes.is_none()).count();
        let counted = plan.delete.len() + plan.unfinished + plan.recent;
        let recorded = self.jobs.len();
        assert!((recorded - damaged..=recorded).contains(&counted), "{plan:?} of {recorded} jobs");
        for id in &plan.delete {
            assert!(self.jobs[id].record.finished().is_some(), "only what has finished is deleted");
        }
        if everything {
            let over = |job: &&Job<'_>| job.bytes.is_some() && job.record.finished().is_some();
            assert_eq!(plan.delete.len(), self.jobs.values().filter(over).count());
        }
        collect(self.store, &collection).expect("room");
        for id in &plan.delete {
            self.jobs.remove(id);
            assert!(!self.file(*id).exists());
            assert!(!self.store.path().join(id.to_string()).exists());
        }
        if a_day_later {
            for id in self.aside.drain(..) {
                let left = self.store.path().join(format!("{id}.damaged"));
                assert!(!left.exists(), "a damaged record goes when it is old");
            }
            assert!(collectable(self.store, policy, now).expect("a collection").leftovers.is_empty());
        }
    }

    /// What holds at every moment.
    fn check(&self) {
        let listed = self.store.ids().expect("a list");
        let expected: Vec<JobId> = self.jobs.keys().rev().copied().collect();
        assert_eq!(listed, expected, "every record is listed, the newest first");
        for (id, job) in &self.jobs {
            let alive = self.store.liveness(*id).expect("a lock") == Liveness::Alive;
            assert_eq!(alive, job.held.is_some(), "alive means held");
            if let Some(bytes) = &job.bytes {
                assert_eq!(
                    &fs::read(self.file(*id)).expect("a record"),
                    bytes,
                    "nobody else writes a record"
                );
                assert_eq!(&Record::from_json(bytes).expect("a record"), &job.record);
            }
            assert!(job.held.is_none() || job.record.finished().is_none());
        }
        for id in &self.aside {
            assert!(self.store.path().join(format!("{id}.damaged")).exists(), "evidence stays");
        }
        let active_ids = self.store.active_ids().expect("a list");
        for (id, job) in &self.jobs {
            assert!(job.held.is_none() || active_ids.contains(id), "a job that lives is found by its lock");
        }
    }
}

impl Job<'_> {
    fn progress(&mut self, progress: Progress) {
        use std::io::Write;
        if self.cut {
            return;
        }
        let text: &[u8] = match progress {
            Progress::Text => b"{\"type\":\"system\",\"subtype\":\"status\"}\n",
            Progress::HalfALine => b"{\"type\":\"assis",
            Progress::Answer => {
                b"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"hi\",\"num_turns\":1}\n"
            }
        };
        self.cut = matches!(progress, Progress::HalfALine);
        self.answered |= matches!(progress, Progress::Answer);
        let folder = self.held.as_ref().expect("it is held").folder().expect("a folder");
        folder.append_to_stdout().expect("a file").write_all(text).expect("room");
    }

    fn finish(&mut self, verdict: Verdict) {
        let id = self.record.id;
        let result = match verdict {
            Verdict::Done => JobResult::answer(id, "infra", "hi"),
            Verdict::Failed => JobResult::failure(id, "infra", ErrorType::CliError, "it broke"),
            Verdict::Cancelled => JobResult::failure(id, "infra", ErrorType::Cancelled, "stopped"),
        };
        self.record.state = State::Finished(Box::new(Finished {
            started_at: self.record.started_at(),
            completed_at: START + 2.0,
            verdict,
            error: result.error.clone(),
            result: Some(result),
        }));
        self.held.take().expect("it is held").finish(&self.record, None).expect("room");
        self.bytes = Some(self.record.to_json());
        assert!(matches!(self.record.status(), Status::Done | Status::Failed | Status::Cancelled));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_job_ends_once_and_for_good_whatever_happens_when(steps in steps()) {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(&directory.path().join("jobs")).expect("the jobs directory");
        let mut model = Model { store: &store, jobs: BTreeMap::new(), aside: Vec::new() };
        for step in &steps {
            model.step(step);
            model.check();
        }
    }
}
