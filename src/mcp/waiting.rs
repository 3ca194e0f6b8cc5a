//! Waiting for a job: until it is over, until the client has waited long enough, until it gives up, or until the
//! server has to go.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

use super::refused::Refused;
use super::server_state::ServerState;
use super::session::Session;
use crate::engine::{Activity, Engine, Reading};
use crate::model::JobId;
use crate::store::Record;
use crate::ui::human;

/// How long a call waits by default: most clients give up after a minute.
const PATIENCE: Duration = Duration::from_secs(50);

/// How often a client that wants to know is told what goes on, at most.
const NEWS: Duration = Duration::from_secs(3);

/// How long the agent's output is read for that.
const LOOK_TIME: Duration = Duration::from_millis(250);

/// The client that waits as long as it takes.
const PATIENT_CLIENT: &str = "claude-code";

/// Why a wait ended before the job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// The job is over.
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
    end: Option<tokio::time::Instant>,
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
        Self { context, session, end: wait.map(|wait| tokio::time::Instant::now() + wait) }
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
        let ids = jobs.to_vec();
        let waited_for = state.blocking(move |state| {
            let engine = state.engine()?;
            let wait = |id: &JobId| {
                let ending = state.ending(engine.store(), *id)?;
                Ok((ending, state.lend_slot(engine.store(), *id)))
            };
            ids.iter().map(wait).collect::<Result<Vec<_>, Refused>>()
        });
        let (mut endings, _loans): (Vec<_>, Vec<_>) = waited_for.await?.into_iter().unzip();
        let mut over = std::pin::pin!(async {
            for ending in &mut endings {
                while ending.changed().await.is_ok() {}
            }
        });
        let mut news = News::new(self.context, jobs);
        loop {
            tokio::select! {
                biased;
                () = &mut over => return Ok(Waited::Over),
                // The server leaves, or the client has cancelled the call.
                () = self.context.ct.cancelled() => return Ok(self.waited_in_vain()),
                () = self.session.leaving.cancelled() => return Ok(self.waited_in_vain()),
                () = until(self.end) => return Ok(Waited::LongEnough),
                () = news.tell(state), if news.is_wanted() => {}
            }
        }
    }
}

/// How long a client of this name waits, if there is an end to it: as long as it says, or as such clients do.
fn patience(client: Option<&str>, said: Option<Duration>) -> Option<Duration> {
    said.or_else(|| (client != Some(PATIENT_CLIENT)).then_some(PATIENCE))
}

async fn until(end: Option<tokio::time::Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// What a client that gave a progress token is told.
struct News<'a> {
    context: &'a RequestContext<RoleServer>,
    reports: Vec<JobReport>,
    /// How often there was something to tell: what is told must grow.
    count: u32,
    last: String,
    next: tokio::time::Instant,
}

/// One job as its watcher knows it.
struct JobReport {
    id: JobId,
    reading: Option<Reading>,
    activity: Activity,
    line: String,
}

impl<'a> News<'a> {
    fn new(context: &'a RequestContext<RoleServer>, jobs: &[JobId]) -> Self {
        let report = |id: &JobId| JobReport {
            id: *id,
            reading: None,
            activity: Activity::default(),
            line: String::new(),
        };
        Self {
            context,
            reports: jobs.iter().map(report).collect(),
            count: 0,
            last: String::new(),
            next: tokio::time::Instant::now(),
        }
    }

    fn is_wanted(&self) -> bool {
        self.context.meta.get_progress_token().is_some()
    }

    /// Tells what is new, when it is time to.
    ///
    /// Dropped at any point it loses at most one line.
    async fn tell(&mut self, state: &ServerState) {
        tokio::time::sleep_until(self.next).await;
        self.next = tokio::time::Instant::now() + NEWS;
        let Some(token) = self.context.meta.get_progress_token() else { return };
        let reports = std::mem::take(&mut self.reports);
        let looked = state.blocking(move |state| {
            let engine = state.engine()?;
            Ok(reports.into_iter().map(|report| report.look(&engine)).collect::<Vec<_>>())
        });
        self.reports = looked.await.unwrap_or_default();
        let lines: Vec<&str> =
            self.reports.iter().map(|report| report.line.as_str()).filter(|line| !line.is_empty()).collect();
        let line = lines.join(" | ");
        if line.is_empty() || line == self.last {
            return;
        }
        self.count += 1;
        self.last.clone_from(&line);
        let news = ProgressNotificationParam::new(token, f64::from(self.count)).with_message(line);
        let _ = self.context.peer.notify_progress(news).await;
    }
}

impl JobReport {
    /// Looks at what the job does now.
    fn look(mut self, engine: &Engine) -> Self {
        let store = engine.store();
        let Ok(record) = store.read(self.id) else { return self };
        if let Ok(Some((place, _))) = store.place_in_queue(&record) {
            self.line = format!("{}: number {place} in the queue", record.agent);
            return self;
        }
        let activity = &mut self.activity;
        let reading = self.reading.get_or_insert_with(|| Reading::new(&record));
        // What cannot be read now can be read later.
        let _ = reading.catch_up_within(store, LOOK_TIME, &mut |event| activity.observe(&event));
        self.line = describe(&record, activity);
        self
    }
}

/// A job in a few words: `infra: Read src/lib.rs, $0.0123`.
fn describe(record: &Record, activity: &Activity) -> String {
    if record.finished().is_some() {
        return format!("{}: {}", record.agent, record.status().name());
    }
    let doing = activity.line().unwrap_or_else(|| record.status().name());
    let cost = activity.spend.usd().map(|cost| format!(", {}", human::dollars(cost))).unwrap_or_default();
    format!("{}: {doing}{cost}", record.agent)
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
