//! `jobs --watch`: the jobs as they go on.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

use crate::commands::wait_loop::bell;
use crate::commands::{CommandResult, Context, Problem, summary};
use crate::engine::{Filter, Jobs, Overview, Watched};
use crate::error::{Exit, Failure};
use crate::model::{JobId, Remedy};
use crate::os::{SignalWatch, wait_readable};
use crate::store::Status;
use crate::ui::{Cell, NoScreen, Screen, Style, Table, human};

/// How often the jobs are looked at. The end of one is noticed at once.
const LOOK: Duration = Duration::from_millis(500);

/// How often the times are brought up to date.
const TICK: Duration = Duration::from_secs(1);

/// Lines that are no jobs: the summary and the headings.
const OTHER_LINES: usize = 2;

pub(super) fn run(filter: Filter<'_>, jobs: &dyn Jobs, context: &Context) -> CommandResult {
    let mut screen = Screen::take().map_err(refused)?;
    let watched = watch(filter, jobs, context, &mut screen);
    drop(screen);
    let (exit, last) = watched?;
    context.ui.data(&last)?;
    Ok(exit)
}

/// What to do where there is no screen.
fn refused(reason: NoScreen) -> Problem {
    let message = match reason {
        NoScreen::NoTerminal => "--watch needs a terminal to show the jobs on",
        NoScreen::Dumb => {
            "--watch cannot draw on a terminal whose TERM is `dumb` or not set: it has to be what the terminal is, as in \
             `TERM=xterm`"
        }
        NoScreen::Output(error) => return error.into(),
    };
    Failure::new(Exit::Usage, message).remedy(Remedy::ListOrWait {}).into()
}

/// Shows the jobs until the user has seen enough; returns what was shown last.
fn watch(
    filter: Filter<'_>,
    jobs: &dyn Jobs,
    context: &Context,
    screen: &mut Screen,
) -> Result<(Exit, String), Problem> {
    let signals = SignalWatch::new(&[SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH])
        .map_err(|error| Failure::new(Exit::Failure, format_args!("failed to watch for signals: {error}")))?;
    let bell = bell()?;
    let mut overview = Overview::new(jobs, filter, bell.waker());
    let mut drawn: Option<Instant> = None;
    let mut last = String::new();
    loop {
        let room = screen.size().rows.saturating_sub(OTHER_LINES).max(1);
        let is_new = overview.look(room.min(filter.limit))?;
        if is_new || drawn.is_none_or(|drawn| drawn.elapsed() >= TICK) {
            last = table(context, overview.jobs(), &jobs.queue()?);
            screen.show(&format!("{}\n{last}", headline(context, overview.jobs())))?;
            drawn = Some(Instant::now());
        }
        let keys = screen.keys();
        let mut descriptors: Vec<BorrowedFd<'_>> = vec![signals.descriptor(), bell.descriptor()];
        descriptors.extend(keys);
        let readable = wait_readable(&descriptors, LOOK);
        bell.silence();
        let is_pressed = keys.is_some() && readable[2];
        if is_pressed && screen.pressed().iter().any(|key| matches!(key, b'q' | b'Q')) {
            return Ok((Exit::Success, last));
        }
        for signal in signals.take() {
            match signal {
                SIGINT => return Ok((Exit::Interrupted, last)),
                SIGTSTP => {
                    screen.suspend()?;
                    drawn = None;
                }
                SIGWINCH => {
                    screen.redraw();
                    drawn = None;
                }
                _ => return Ok((Exit::Terminated, last)),
            }
        }
    }
}

/// How many jobs there are of what kind, and how to leave.
fn headline(context: &Context, jobs: &[Watched]) -> String {
    let count = |status| jobs.iter().filter(|job| job.record.status() == status).count();
    let counts = format!("{} running, {} waiting", count(Status::Running), count(Status::Pending));
    format!("{counts}  {}", context.ui.style("q quits", Style::Faint))
}

fn table(context: &Context, jobs: &[Watched], queued: &[JobId]) -> String {
    if jobs.is_empty() {
        return "no jobs".to_owned();
    }
    let rows = jobs.iter().map(|Watched { record, activity, .. }| {
        let result = record.finished().map(|_| record.conclusion());
        let since = record.started_at().unwrap_or(record.created_at);
        let (time, cost) = match &result {
            Some(result) => (
                result
                    .duration_ms
                    .map(|millis| human::duration(Duration::from_millis(millis)))
                    .unwrap_or_default(),
                result.cost_usd,
            ),
            None => (human::elapsed(context.now() - since), activity.spend.usd()),
        };
        let doing = record.progress.as_deref().or(activity.line()).filter(|_| result.is_none());
        vec![
            record.id.to_string().into(),
            record.agent.as_str().into(),
            summary::status_cell(
                record,
                queued.iter().position(|id| *id == record.id).map(|place| place + 1),
            ),
            time.into(),
            cost.map(human::dollars).unwrap_or_default().into(),
            match doing {
                Some(doing) => human::one_line(doing, 160).into(),
                None => Cell::styled(human::one_line(&record.task, 160), Style::Faint),
            },
        ]
    });
    let table = Table {
        headings: &["JOB", "AGENT", "STATUS", "TIME", "COST", "DOING"],
        spare: &["COST", "TIME", "AGENT", "DOING"],
        last_at_least: 8,
        rows: rows.collect(),
    };
    table.for_output(context.ui)
}
