//! Watching jobs from a terminal: what they do is shown, and interrupts are heard.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::{Context, Problem, summary};
use crate::engine::{Activity, Backlog, Event, Followers, cancel};
use crate::error::{Exit, Failure};
use crate::model::JobId;
use crate::os::{SignalWatch, is_ignored, wait_readable};
use crate::store::{Record, Store};
use crate::ui::{Progress, Ui, human};

/// How often the spinners turn.
pub(crate) const SPIN: Duration = Duration::from_millis(100);

/// The signals that ask this process to stop, kept from ending it at once as long as this lives.
pub(crate) struct Interrupts(SignalWatch);

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Interrupts {
    /// From now on.
    pub(crate) fn hear() -> Result<Self, Failure> {
        // Under `nohup` the end of the terminal is none of this process's business.
        let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        let signals: Vec<i32> = [SIGINT, SIGTERM].into_iter().chain(hangup).collect();
        SignalWatch::new(&signals).map(Self).map_err(|error| {
            Failure::new(Exit::Failure, format_args!("failed to watch for signals: {error}"))
        })
    }

    /// Sleeps until one comes, until a job that is followed is over, or for `pause`.
    pub(crate) fn sleep(&self, followers: &Followers<'_>, pause: Duration) {
        let mut descriptors: Vec<BorrowedFd<'_>> = vec![self.0.descriptor()];
        descriptors.extend(followers.descriptors());
        wait_readable(&descriptors, pause);
    }

    /// What the last one that came asks for.
    pub(crate) fn take(&self) -> Option<Exit> {
        let exit = |signal| if signal == SIGINT { Exit::Interrupted } else { Exit::Terminated };
        self.0.take().into_iter().map(exit).next_back()
    }
}

/// One job that a caller waits for.
pub(crate) struct Watch<'a> {
    pub(crate) context: &'a Context,
    pub(crate) store: &'a Store,
    pub(crate) interrupts: &'a Interrupts,
    pub(crate) agent: &'a str,
    pub(crate) id: JobId,
    /// What an interrupt stops, in a word; `None` where it stops nothing.
    pub(crate) stops: Option<&'static str>,
}

impl Watch<'_> {
    /// Shows what the job does until it is over, and hands its events on if they are wanted; `None` when it was left
    /// before: at a second interrupt, or at the first one if that stops nothing.
    pub(crate) fn to_end(
        &self,
        interrupted: &mut Option<Exit>,
        mut on_event: Option<&mut dyn FnMut(&Event)>,
    ) -> Result<Option<Record>, Problem> {
        let ui = self.context.ui;
        let backlog = backlog(ui, on_event.is_some());
        let mut progress = Progress::start(ui, self.agent);
        progress.note(&format!("{}: job {}", self.agent, self.id));
        let mut followers = Followers::new(self.store, [self.id])?;
        let mut activity = Activity::default();
        loop {
            let pause = match backlog {
                Backlog::Delivered if followers.are_behind() => Duration::ZERO,
                _ if ui.is_interactive() => SPIN,
                _ => followers.pause(),
            };
            self.interrupts.sleep(&followers, pause);
            if let Some(exit) = self.interrupts.take() {
                let again = interrupted.replace(exit).is_some();
                let Some(what) = self.stops.filter(|_| !again) else {
                    progress.finish();
                    return Ok(None);
                };
                progress.note(&format!("stopping the {what}; once more to leave at once"));
                cancel(self.store, self.id)?;
            }
            let mut is_new = false;
            let over = followers.catch_up(backlog, &mut |_, event| {
                activity.observe(&event);
                read_along(ui, self.agent, &event).iter().for_each(|lines| progress.note(lines));
                if let Some(on_event) = &mut on_event {
                    on_event(&event);
                }
                is_new = true;
            })?;
            if is_new {
                progress.doing(&doing(&activity));
            }
            for (_, delay) in followers.delays(self.context.now())? {
                progress.doing(&delay.map_or_else(|| doing(&activity), summary::waiting));
            }
            progress.tick();
            if let Some((_, record)) = over.into_iter().next() {
                progress.finish();
                return Ok(Some(record));
            }
        }
    }
}

/// Whether all that agents did is shown, also what could not be read by the time they finished.
pub(crate) fn backlog(ui: Ui, is_handed_on: bool) -> Backlog {
    if is_handed_on || ui.is_verbose() { Backlog::Delivered } else { Backlog::Skipped }
}

/// What an agent does as lines with its name, for those who asked for all.
pub(crate) fn read_along(ui: Ui, name: &str, event: &Event) -> Option<String> {
    let text = event.narrate().filter(|text| ui.is_verbose() && !text.trim().is_empty())?;
    Some(text.lines().map(|line| format!("{name} │ {line}")).collect::<Vec<_>>().join("\n"))
}

/// What an agent does and has cost, on one line.
pub(crate) fn doing(activity: &Activity) -> String {
    let cost = activity.spend.usd().map(|cost| format!(" · {}", human::dollars(cost))).unwrap_or_default();
    format!("{}{cost}", activity.line().unwrap_or_default())
}
