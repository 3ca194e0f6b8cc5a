//! `stats`: what the usage journal tells.

use std::time::Duration;

use clap::Args;

use super::{CommandResult, Context, completions, whole_number};
use crate::engine::{Figures, Selection};
use crate::error::Exit;
use crate::ui::{Cell, Style, Table, human};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch stats --days 30
  agent-dispatch stats --agent infra --json | jq .total.cost_usd";

/// Arguments of `stats`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatsArgs {
    /// Only jobs that ended in the last so many days
    #[arg(long, value_name = "COUNT", value_parser = whole_number(1_u32..), allow_negative_numbers = true)]
    days: Option<u32>,
    /// Only jobs of this agent
    #[arg(long, value_name = "NAME", add = completions::agents())]
    agent: Option<String>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &StatsArgs, context: &Context) -> CommandResult {
    let dispatch = context.dispatch()?;
    let since = args.days.map(|days| context.now() - f64::from(days) * 86_400.0);
    let stats = dispatch.stats(Selection { since, agent: args.agent.as_deref() })?;
    if stats.unreadable_lines > 0 {
        context.ui.warn(format_args!(
            "{} of {} cannot be read: not counted",
            human::count(stats.unreadable_lines, "line"),
            stats.place
        ));
    }
    // One that was removed has its history.
    if stats.agents.is_empty()
        && let Some(unknown) = args.agent.as_deref().and_then(|agent| context.unknown_agent(agent))
    {
        context.ui.note(unknown);
    }
    if args.json {
        context.ui.json(&stats)?;
        return Ok(Exit::Success);
    }
    if stats.agents.is_empty() {
        context.ui.note(format_args!("no jobs in {}", stats.place));
        return Ok(Exit::Success);
    }
    let headings = ["AGENT", "JOBS", "DONE", "COST", "MEDIAN", "P90", "REPORTED", "ERRORS"];
    let mut rows: Vec<Vec<Cell>> = stats.agents.iter().map(|(agent, figures)| row(agent, figures)).collect();
    if stats.agents.len() > 1 {
        rows.push(row("total", &stats.total));
    }
    let spare = ["REPORTED", "P90", "MEDIAN", "COST"];
    let table = Table { headings: &headings, spare: &spare, last_at_least: 24, rows };
    context.ui.data(&table.for_output(context.ui))?;
    Ok(Exit::Success)
}

fn row(name: &str, figures: &Figures) -> Vec<Cell> {
    let time = |millis| human::duration(Duration::from_millis(millis));
    let counts = |counts: &std::collections::BTreeMap<&'static str, u64>| {
        let counts = counts.iter().map(|(name, count)| format!("{count} {name}"));
        counts.collect::<Vec<_>>().join(", ")
    };
    let done = 100.0 * figures.succeeded as f64 / figures.jobs.max(1) as f64;
    let usual = figures.usual;
    vec![
        human::one_line(name, 60).into(),
        figures.jobs.to_string().into(),
        format!("{done:.0} %").into(),
        human::dollars(figures.cost_usd).into(),
        usual.map(|usual| time(usual.median_ms)).unwrap_or_default().into(),
        usual.map(|usual| time(usual.p90_ms)).unwrap_or_default().into(),
        counts(&figures.outcomes).into(),
        Cell::styled(counts(&figures.errors), Style::Bad),
    ]
}
