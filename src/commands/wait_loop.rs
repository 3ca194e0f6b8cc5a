//! Waiting for jobs at a terminal: what they do is shown, and signals end the wait.

use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::{Context, Problem, summary};
use crate::engine::{
    Activity, Attention, Backlog, Bell, Event, Interrupt, Jobs, Now, Ownership, PendingReason, Step,
    WaitLoop, Waited, Watcher,
};
use crate::error::{Exit, Failure};
use crate::model::JobId;
use crate::os::{SignalWatch, is_ignored, wait_readable};
use crate::store::Record;
use crate::ui::{Board, Progress, Ui, human};

/// How often the spinners turn.
const SPIN: Duration = Duration::from_millis(100);

/// The signals that ask this process to stop, kept from ending it at once as long as this lives.
pub(crate) struct SignalGuard(SignalWatch);

impl Drop for SignalGuard {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl SignalGuard {
    /// From now on.
    pub(crate) fn install() -> Result<Self, Failure> {
        // Under `nohup` the end of the terminal is none of this process's business.
        let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        let signals: Vec<i32> = [SIGINT, SIGTERM].into_iter().chain(hangup).collect();
        SignalWatch::new(&signals).map(Self).map_err(|error| {
            Failure::new(Exit::Failure, format_args!("failed to watch for signals: {error}"))
        })
    }

    /// Sleeps until one comes, until the bell rings, or for `pause`.
    fn sleep(&self, bell: &Bell, pause: Duration) {
        wait_readable(&[self.0.descriptor(), bell.descriptor()], pause);
        bell.silence();
    }

    /// What the last one that came asks for.
    fn take(&self) -> Option<Exit> {
        let exit = |signal| if signal == SIGINT { Exit::Interrupted } else { Exit::Terminated };
        self.0.take().into_iter().map(exit).next_back()
    }
}

/// A bell for the ends of jobs.
pub(crate) fn bell() -> Result<Bell, Failure> {
    Bell::new().map_err(|error| Failure::new(Exit::Failure, format_args!("failed to wait for jobs: {error}")))
}

/// Waits for jobs until `deadline` or until the watcher leaves, and says which are left. `sleep` waits for the bell and for
/// what else ends a pause.
pub(crate) fn wait_until<W: Watcher<Error = Problem>>(
    jobs: &dyn Jobs,
    ids: impl IntoIterator<Item = JobId>,
    deadline: Option<Instant>,
    watcher: &mut W,
    mut sleep: impl FnMut(&Bell, Duration),
) -> Result<(Waited, Vec<JobId>), Problem> {
    let bell = bell()?;
    let mut waiting = WaitLoop::new(jobs, ids, deadline, &bell.waker())?;
    loop {
        match waiting.step(jobs, Now::read(), watcher)? {
            Step::Sleep(pause) => sleep(&bell, pause),
            Step::Over(waited) => return Ok((waited, waiting.unfinished().collect())),
        }
    }
}

/// One job that a caller waits for.
pub(crate) struct JobWait<'a> {
    pub(crate) context: &'a Context,
    pub(crate) jobs: &'a dyn Jobs,
    pub(crate) signals: &'a SignalGuard,
    pub(crate) agent: &'a str,
    pub(crate) id: JobId,
    /// What an interrupt stops, in a word; `None` where it stops nothing.
    pub(crate) stops: Option<&'static str>,
}

impl JobWait<'_> {
    /// Shows what the job does until it is finished, and hands its events on if they are wanted; `None` when it was left
    /// before: at a second interrupt, or at the first one if that stops nothing.
    pub(crate) fn until_finished<'a>(
        &'a self,
        interrupted: &'a mut Option<Exit>,
        on_event: Option<&'a mut (dyn FnMut(&Event) + 'a)>,
    ) -> Result<Option<Record>, Problem> {
        let ui = self.context.ui;
        let progress = Progress::start(ui, self.agent);
        progress.note(&format!("{}: job {}", self.agent, self.id));
        let (activity, is_new, record) = (Activity::default(), false, None);
        let mut one = JobWatcher { watch: self, interrupted, on_event, progress, activity, is_new, record };
        let waited = wait_until(self.jobs, [self.id], None, &mut one, |bell, pause| {
            self.signals.sleep(bell, pause);
        });
        one.progress.finish();
        waited?;
        Ok(one.record)
    }
}

/// A job that is shown until it is finished.
struct JobWatcher<'a> {
    watch: &'a JobWait<'a>,
    interrupted: &'a mut Option<Exit>,
    on_event: Option<&'a mut (dyn FnMut(&Event) + 'a)>,
    progress: Progress,
    activity: Activity,
    /// Whether that is to be shown.
    is_new: bool,
    record: Option<Record>,
}

impl Watcher for JobWatcher<'_> {
    type Error = Problem;

    fn attention(&self) -> Attention {
        attention(self.watch.context.ui, self.on_event.is_some())
    }

    fn interrupt(&mut self) -> Option<Interrupt> {
        let exit = self.watch.signals.take()?;
        let again = self.interrupted.replace(exit).is_some();
        let Some(what) = self.watch.stops.filter(|_| !again) else { return Some(Interrupt::Leave) };
        self.progress.note(&format!("stopping the {what}; once more to leave at once"));
        Some(Interrupt::Stop)
    }

    fn event(&mut self, _number: usize, event: &Event) {
        self.activity.observe(event);
        let lines = read_along(self.watch.context.ui, self.watch.agent, event);
        lines.iter().for_each(|lines| self.progress.note(lines));
        if let Some(on_event) = &mut self.on_event {
            on_event(event);
        }
        self.is_new = true;
    }

    fn pending(&mut self, _number: usize, reason: Option<PendingReason>) {
        self.progress.doing(&reason.map_or_else(
            || doing(&self.activity),
            |reason| summary::waiting(reason, self.watch.context.ui.commands()),
        ));
    }

    fn finished(&mut self, _number: usize, record: Record) -> Result<(), Problem> {
        self.record = Some(record);
        Ok(())
    }

    fn looked(&mut self, _pending: usize) {
        if std::mem::take(&mut self.is_new) {
            self.progress.doing(&doing(&self.activity));
        }
        self.progress.tick();
    }
}

/// Several jobs that are shown until they are finished.
pub(crate) struct JobsWatcher<'a> {
    context: &'a Context,
    signals: &'a SignalGuard,
    board: Board,
    names: &'a [String],
    activities: Vec<Activity>,
    /// Whether an interrupt stops them, and how far they are is said now and then.
    ownership: Ownership,
    /// What the first interrupt asked for.
    interrupted: Option<Exit>,
    /// Says something about a job that is finished, and takes note of it.
    on_finish: &'a mut dyn FnMut(usize, Record) -> Result<(), Problem>,
    finished: usize,
}

impl<'a> JobsWatcher<'a> {
    pub(crate) fn new(
        context: &'a Context,
        signals: &'a SignalGuard,
        names: &'a [String],
        ownership: Ownership,
        on_finish: &'a mut dyn FnMut(usize, Record) -> Result<(), Problem>,
    ) -> Self {
        let (board, activities) = (Board::new(context.ui), vec![Activity::default(); names.len()]);
        let (interrupted, finished) = (None, 0);
        Self { context, signals, board, names, activities, ownership, interrupted, on_finish, finished }
    }

    /// Shows a job that has gone on for so long.
    pub(crate) fn begin(&mut self, number: usize, elapsed: Duration) {
        self.board.begin(number, &self.names[number], elapsed);
    }

    pub(crate) fn note(&self, text: &str) {
        self.board.note(text);
    }

    /// Waits for the jobs until `deadline`, an interrupt or the last of them; says which are left.
    pub(crate) fn wait(
        mut self,
        jobs: &dyn Jobs,
        ids: impl IntoIterator<Item = JobId>,
        deadline: Option<Instant>,
    ) -> Result<(Option<Exit>, Vec<JobId>), Problem> {
        let signals = self.signals;
        let waited = wait_until(jobs, ids, deadline, &mut self, |bell, pause| signals.sleep(bell, pause));
        self.board.finish();
        let (_, left) = waited?;
        Ok((self.interrupted, left))
    }
}

impl Watcher for JobsWatcher<'_> {
    type Error = Problem;

    fn attention(&self) -> Attention {
        let ui = self.context.ui;
        let is_looked_at = self.ownership == Ownership::Caller || self.board.is_shown() || ui.is_verbose();
        if is_looked_at { attention(ui, false) } else { Attention::Ends }
    }

    fn interrupt(&mut self) -> Option<Interrupt> {
        let exit = self.signals.take()?;
        let again = self.interrupted.replace(exit).is_some();
        if again || self.ownership == Ownership::Detached {
            return Some(Interrupt::Leave);
        }
        self.board.note("stopping all jobs; once more to leave at once");
        Some(Interrupt::Stop)
    }

    fn event(&mut self, number: usize, event: &Event) {
        let (name, activity) = (&self.names[number], &mut self.activities[number]);
        activity.observe(event);
        let lines = read_along(self.context.ui, name, event);
        lines.iter().for_each(|lines| self.board.note(lines));
        self.board.doing(number, name, &doing(activity));
    }

    fn pending(&mut self, number: usize, reason: Option<PendingReason>) {
        let doing = reason.map_or_else(
            || doing(&self.activities[number]),
            |reason| summary::waiting(reason, self.context.ui.commands()),
        );
        self.board.doing(number, &self.names[number], &doing);
    }

    fn finished(&mut self, number: usize, record: Record) -> Result<(), Problem> {
        let mut noted = Ok(());
        self.board.over(number, || noted = (self.on_finish)(number, record));
        self.finished += 1;
        noted
    }

    fn looked(&mut self, pending: usize) {
        if self.ownership == Ownership::Detached {
            return self.board.turn();
        }
        self.board.tick(|| {
            let waiting = if pending == 0 { String::new() } else { format!(", {pending} waiting") };
            format!("{}{waiting}", how_many_finished(self.finished, self.names.len()))
        });
    }
}

/// How far several jobs are: `2 of 3 jobs have finished`.
pub(crate) fn how_many_finished(finished: usize, all: usize) -> String {
    let have = if all == 1 { "job has" } else { "jobs have" };
    format!("{finished} of {all} {have} finished")
}

/// How closely jobs are watched that are shown.
fn attention(ui: Ui, is_handed_on: bool) -> Attention {
    // All that agents did is shown, also what could not be read by the time they finished.
    let is_all_shown = is_handed_on || ui.is_verbose();
    let backlog = if is_all_shown { Backlog::Delivered } else { Backlog::Skipped };
    Attention::Events { backlog, every: ui.is_interactive().then_some(SPIN) }
}

/// What an agent does as lines with its name, for those who asked for all.
fn read_along(ui: Ui, name: &str, event: &Event) -> Option<String> {
    let text = event.narrate().filter(|text| ui.is_verbose() && !text.trim().is_empty())?;
    Some(text.lines().map(|line| format!("{name} │ {line}")).collect::<Vec<_>>().join("\n"))
}

/// What an agent does and has cost, on one line.
fn doing(activity: &Activity) -> String {
    let cost = activity.spend.usd().map(|cost| format!(" · {}", human::dollars(cost))).unwrap_or_default();
    format!("{}{cost}", activity.line().unwrap_or_default())
}
