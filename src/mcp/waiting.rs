//! Waiting for a job: until it has finished, until the client has waited long enough, until it gives up, or until the
//! server has to go.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::sync::Notify;

use super::refused::Refused;
use super::server_state::{ServerState, View};
use super::session::Session;
use crate::engine::{
    self, Activity, Attention, Backlog, Event, Jobs, JobsError, Now, PendingReason, Step, WaitLoop, Watcher,
};
use crate::model::JobId;
use crate::store::{Record, Status};
use crate::ui::human;

/// How long a call waits by default: most clients give up after a minute.
const PATIENCE: Duration = Duration::from_secs(50);

/// How often a client that wants to know is told what goes on, at most.
const NEWS: Duration = Duration::from_secs(3);

/// The client that waits as long as it takes.
const PATIENT_CLIENT: &str = "claude-code";

/// Why a wait ended before the job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// The job has finished.
    Over,
    /// The client has waited long enough.
    LongEnough,
    /// The client has cancelled its call.
    Cancelled,
}

/// A call that waits.
pub(super) struct Caller<'a> {
    context: &'a RequestContext<RoleServer>,
    session: &'a Session,
    end: Option<Instant>,
}

impl<'a> Caller<'a> {
    /// The caller of a request, who waits for `wait` or as long as clients of its kind do.
    pub(super) fn new(
        context: &'a RequestContext<RoleServer>,
        session: &'a Session,
        wait: Option<Duration>,
    ) -> Self {
        let client = context.client_info();
        let wait = patience(client.as_ref().map(|client| client.name.as_str()), wait);
        Self { context, session, end: wait.map(|wait| Instant::now() + wait) }
    }

    /// Whether the client has taken its call back.
    pub(super) fn has_cancelled(&self) -> bool {
        self.session.has_taken_back(&self.context.id)
    }

    fn waited_in_vain(&self) -> Waited {
        if self.has_cancelled() { Waited::Cancelled } else { Waited::LongEnough }
    }

    /// Waits for the jobs, and tells what they do.
    pub(super) async fn wait_for(&self, state: &ServerState, jobs: &[JobId]) -> Result<Waited, Refused> {
        let token = self.context.meta.get_progress_token();
        let woken = Arc::new(Woken::default());
        let (ids, deadline, waker) = (jobs.to_vec(), self.end, Waker::from(Arc::clone(&woken)));
        let is_told = token.is_some();
        let wait = state
            .blocking(move |state| {
                let view = state.view()?;
                let news = News::new(view.jobs(), &ids, is_told);
                match WaitLoop::new(view.jobs(), ids, deadline, &waker) {
                    Ok(waiting) => Ok(Some(Wait { view, waiting, news })),
                    // Without a thread that waits, the caller looks at the job at once, and finds it running.
                    Err(JobsError::Io(_)) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            })
            .await?;
        let Some(mut wait) = wait else { return Ok(Waited::LongEnough) };
        loop {
            let looked = tokio::select! {
                biased;
                // The server leaves, or the client has cancelled the call.
                () = self.context.ct.cancelled() => return Ok(self.waited_in_vain()),
                () = self.session.leaving.cancelled() => return Ok(self.waited_in_vain()),
                stepped = state.blocking(move |_| wait.step()) => stepped?,
            };
            let step;
            (wait, step) = looked;
            if let (Some(token), Some((count, line))) = (&token, wait.news.take()) {
                let news = ProgressNotificationParam::new(token.clone(), f64::from(count)).with_message(line);
                let _ = self.context.peer.notify_progress(news).await;
            }
            let pause = match step {
                Step::Over(engine::Waited::Finished) => return Ok(Waited::Over),
                Step::Over(engine::Waited::TimeUp | engine::Waited::Left) => return Ok(Waited::LongEnough),
                Step::Sleep(pause) => pause,
            };
            tokio::select! {
                biased;
                () = woken.0.notified() => {}
                () = self.context.ct.cancelled() => return Ok(self.waited_in_vain()),
                () = self.session.leaving.cancelled() => return Ok(self.waited_in_vain()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Wakes a call that waits.
#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// A wait and what is told of it.
struct Wait {
    view: View,
    waiting: WaitLoop,
    news: News,
}

impl Wait {
    /// Looks once. What blocks does so on a thread of its own, and comes back from there.
    fn step(mut self) -> Result<(Self, Step), Refused> {
        let step = self.waiting.step(self.view.jobs(), Now::read(), &mut self.news)?;
        Ok((self, step))
    }
}

/// How long a client of this name waits, if there is an end to it: as long as it says, or as such clients do.
fn patience(client: Option<&str>, said: Option<Duration>) -> Option<Duration> {
    said.or_else(|| (client != Some(PATIENT_CLIENT)).then_some(PATIENCE))
}

/// What a client that gave a progress token is told.
pub(super) struct News {
    /// Whether there is one to tell.
    is_wanted: bool,
    /// One for each job; none for one that cannot be read.
    reports: Vec<Option<JobReport>>,
    /// How often there was something to tell: what is told must grow.
    count: u32,
    last: String,
    told: Option<Instant>,
    new: Option<(u32, String)>,
}

/// One job as its watcher knows it.
struct JobReport {
    agent: String,
    status: Status,
    place: Option<usize>,
    activity: Activity,
}

impl News {
    pub(super) fn new(jobs: &dyn Jobs, ids: &[JobId], is_wanted: bool) -> Self {
        let report = |record: Record| JobReport {
            place: jobs.place_in_queue(&record).ok().flatten().map(|(place, _)| place),
            status: record.status(),
            agent: record.agent,
            activity: Activity::default(),
        };
        let ids = if is_wanted { ids } else { &[] };
        let reports = ids.iter().map(|id| jobs.glance(*id).map(report)).collect();
        Self { is_wanted, reports, count: 0, last: String::new(), told: None, new: None }
    }

    /// What is new, with its number, when it is time to tell it.
    pub(super) fn take(&mut self) -> Option<(u32, String)> {
        self.new.take()
    }
}

impl Watcher for News {
    type Error = Refused;

    fn attention(&self) -> Attention {
        match self.is_wanted {
            true => Attention::Events { backlog: Backlog::Skipped, every: Some(NEWS) },
            false => Attention::Ends,
        }
    }

    fn event(&mut self, number: usize, event: &Event) {
        if let Some(Some(report)) = self.reports.get_mut(number) {
            report.activity.observe(event);
            (report.status, report.place) = (Status::Running, None);
        }
    }

    fn pending(&mut self, number: usize, reason: Option<PendingReason>) {
        if let Some(Some(report)) = self.reports.get_mut(number) {
            report.place = match reason {
                Some(PendingReason::Turn { place, .. } | PendingReason::Suspended { place, .. }) => {
                    Some(place)
                }
                _ => None,
            };
            if reason.is_none() {
                report.status = Status::Running;
            }
        }
    }

    fn finished(&mut self, number: usize, record: Record) -> Result<(), Refused> {
        if let Some(Some(report)) = self.reports.get_mut(number) {
            (report.status, report.place) = (record.status(), None);
        }
        Ok(())
    }

    fn looked(&mut self, _pending: usize) {
        if self.told.is_some_and(|told| told.elapsed() < NEWS) {
            return;
        }
        let lines: Vec<String> = self.reports.iter().flatten().map(JobReport::line).collect();
        let line = lines.join(" | ");
        if line.is_empty() || line == self.last {
            return;
        }
        self.count += 1;
        self.last.clone_from(&line);
        self.told = Some(Instant::now());
        self.new = Some((self.count, line));
    }
}

impl JobReport {
    /// A job in a few words: `infra: Read src/lib.rs, $0.0123`.
    fn line(&self) -> String {
        let Self { agent, status, place, activity } = self;
        if let Some(place) = place {
            return format!("{agent}: number {place} in the queue");
        }
        if !matches!(status, Status::Pending | Status::Running) {
            return format!("{agent}: {}", status.name());
        }
        let doing = activity.line().unwrap_or_else(|| status.name());
        let cost = activity.spend.usd().map(|cost| format!(", {}", human::dollars(cost))).unwrap_or_default();
        format!("{agent}: {doing}{cost}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_claude_code_waits_without_an_end_and_only_when_it_says_nothing_else() {
        let said = Some(Duration::from_secs(1));
        assert_eq!(patience(Some("claude-code"), None), None);
        assert_eq!(patience(Some("claude-code"), said), said);
        for client in [None, Some("claude"), Some("Claude Desktop")] {
            assert_eq!(patience(client, None), Some(PATIENCE));
            assert_eq!(patience(client, said), said);
        }
    }
}
