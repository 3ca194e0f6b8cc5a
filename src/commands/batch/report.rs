//! What a batch came to.

use std::time::Duration;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::commands::verdict::{Strictness, exit_of};
use crate::commands::wait_loop::how_many_finished;
use crate::commands::{Context, Problem, summary};
use crate::engine::{Batch, Jobs, JobsError};
use crate::error::Exit;
use crate::model::JobId;
use crate::store::{JobResult, Record};
use crate::ui::{Cell, Table, Ui, human};

/// How much of an answer the table shows, in characters.
const EXCERPT: usize = 200;

/// How many hints are given.
const HINTS: usize = 5;

/// How many rows are named that a hint is about.
const ROWS: usize = 3;

/// The jobs of a batch, and in short how each ended. The answers stay where they are until they are printed.
pub(super) struct Report<'a> {
    pub(super) jobs: &'a dyn Jobs,
    ids: Vec<JobId>,
    aggregate: Option<JobId>,
    strictness: Strictness,
    ui: Ui,
    /// One for each job, the aggregate last; `None` as long as it has not finished.
    ends: Vec<Option<End>>,
    /// What to do about what went wrong, each with the rows it is about.
    hints: Vec<(String, Vec<String>)>,
}

struct End {
    exit: Exit,
    cost_usd: Option<f64>,
    row: Vec<Cell>,
}

impl<'a> Report<'a> {
    pub(super) fn new(jobs: &'a dyn Jobs, batch: &Batch, strictness: Strictness, ui: Ui) -> Self {
        let count = batch.jobs.len() + usize::from(batch.aggregate.is_some());
        Self {
            jobs,
            ids: batch.jobs.clone(),
            aggregate: batch.aggregate,
            strictness,
            ui,
            ends: (0..count).map(|_| None).collect(),
            hints: Vec::new(),
        }
    }

    /// Takes note of a job that has finished.
    pub(super) fn add(&mut self, number: usize, record: &Record) -> Result<(), JobsError> {
        let result = summary::result_of(record, self.ui);
        let duration = result.duration_ms.map(|millis| human::duration(Duration::from_millis(millis)));
        let shown = match (&result.error, summary::remarks(record, &result)) {
            (Some(error), _) if !result.success => human::one_line(error, EXCERPT),
            (_, None) => first_line(self.jobs, record)?,
            (_, Some(remarks)) => {
                let line = first_line(self.jobs, record)?;
                let separator = if line.is_empty() { "" } else { ": " };
                human::one_line(&format!("{remarks}{separator}{line}"), EXCERPT)
            }
        };
        // That of the aggregate stands below its answer.
        if let Some(hint) = result.hint.filter(|_| number < self.ids.len()) {
            let row = format!("{} {}", number + 1, record.agent);
            match self.hints.iter_mut().find(|(known, _)| *known == hint) {
                Some((_, rows)) => rows.push(row),
                None => self.hints.push((hint, vec![row])),
            }
        }
        let row = vec![
            (number + 1).to_string().into(),
            record.agent.as_str().into(),
            Cell::styled(record.status().name(), summary::status_style(record.status())),
            duration.unwrap_or_default().into(),
            result.cost_usd.map(human::dollars).unwrap_or_default().into(),
            record.id.to_string().into(),
            shown.into(),
        ];
        self.ends[number] =
            Some(End { exit: exit_of(record, self.strictness), cost_usd: result.cost_usd, row });
        Ok(())
    }

    /// That of the first job that went wrong, in the order of the file, as `wait` has it.
    pub(super) fn exit(&self) -> Exit {
        let wrong = self.ends.iter().flatten().map(|end| end.exit).find(|exit| *exit != Exit::Success);
        wrong.unwrap_or(Exit::Success)
    }

    /// What all of it cost, in US dollars, as far as the agents tell.
    fn cost_usd(&self) -> Option<f64> {
        JobResult::total_usd(self.ends.iter().flatten().filter_map(|end| end.cost_usd))
    }

    /// Prints the results: as one document, or the table and the answer that puts them together.
    pub(super) fn print(&self, context: &Context, as_json: bool) -> Result<(), Problem> {
        if as_json {
            context.ui.json(self)?;
            return self.say_total(context);
        }
        let headings = ["", "AGENT", "STATUS", "TIME", "COST", "JOB", "ANSWER"];
        let rows: Vec<Vec<Cell>> = self.ends.iter().flatten().map(|end| end.row.clone()).collect();
        let table = Table { headings: &headings, spare: &["COST", "TIME", "JOB"], last_at_least: 8, rows };
        match self.aggregate {
            None => context.ui.data(&table.for_output(context.ui))?,
            // Standard output is for the one answer.
            Some(id) => {
                context.ui.note(table.for_note());
                if self.ends.last().is_some_and(Option::is_some) {
                    let record = self.jobs.get(id)?;
                    summary::print(context, self.jobs, &record, false)?;
                    summary::report(context, &record, self.strictness);
                }
            }
        }
        self.say_total(context)
    }

    fn say_total(&self, context: &Context) -> Result<(), Problem> {
        for (hint, rows) in self.hints.iter().take(HINTS) {
            let more = match rows.len().saturating_sub(ROWS) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            context.ui.hint(&format!("{}{more}: {hint}", rows[..rows.len().min(ROWS)].join(", ")));
        }
        if self.hints.len() > HINTS {
            let status = context.ui.commands().quoted(["status", "JOB"]);
            context.ui.hint(&format!("{status} has that of each of the others"));
        }
        let over = self.ends.iter().flatten().count();
        let failed = self.ends.iter().flatten().filter(|end| end.exit != Exit::Success).count();
        let failed = if failed == 0 { String::new() } else { format!(", {failed} of them went wrong") };
        let cost = self.cost_usd().map(|cost| format!(", {}", human::dollars(cost))).unwrap_or_default();
        context.ui.note(format_args!("{}{failed}{cost}", how_many_finished(over, self.ends.len())));
        Ok(())
    }
}

/// The beginning of an answer's first line that says something.
fn first_line(jobs: &dyn Jobs, record: &Record) -> Result<String, JobsError> {
    let result = record.conclusion();
    // What the table has no room for need not be read; what cannot be read is not shown.
    let (start, _) = jobs.answer(&result)?.beginning(8 * EXCERPT).unwrap_or_default();
    let line = start.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok(human::one_line(line, EXCERPT))
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let over = |(id, end): (&JobId, &Option<End>)| end.as_ref().map(|_| *id);
        let ids: Vec<JobId> = self.ids.iter().zip(&self.ends).filter_map(over).collect();
        let aggregate = self.aggregate.iter().zip(self.ends.last()).find_map(over);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("results", &Results { jobs: self.jobs, ids: &ids, ui: self.ui })?;
        if let Some(id) = aggregate {
            map.serialize_entry("aggregate", &OneResult { jobs: self.jobs, id, ui: self.ui })?;
        }
        if let Some(cost) = self.cost_usd() {
            map.serialize_entry("cost_usd", &cost)?;
        }
        map.end()
    }
}

/// Results that are read one after the other, as they are written.
struct Results<'a> {
    jobs: &'a dyn Jobs,
    ids: &'a [JobId],
    ui: Ui,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut results = serializer.serialize_seq(Some(self.ids.len()))?;
        for id in self.ids {
            results.serialize_element(&OneResult { jobs: self.jobs, id: *id, ui: self.ui })?;
        }
        results.end()
    }
}

struct OneResult<'a> {
    jobs: &'a dyn Jobs,
    id: JobId,
    ui: Ui,
}

impl Serialize for OneResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.jobs.get(self.id).map_err(serde::ser::Error::custom)?;
        let result = summary::result_of(&record, self.ui);
        let answer = self.jobs.answer(&result).map_err(serde::ser::Error::custom)?;
        summary::WholeResult { result: &result, answer: &answer }.serialize(serializer)
    }
}
