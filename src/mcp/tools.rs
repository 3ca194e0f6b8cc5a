//! Which tools there are, as a model sees them. Every byte of it is in the model's context, so each word counts.

use rmcp::model::{JsonObject, MetaObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::arguments::{MOST_DAYS, MOST_JOBS};
use super::authority::Authority;
use super::configure::settable;
use super::suggest::as_many_as_fit;
use super::tool::{Name, Need};
use crate::config::{AgentName, Config};
use crate::engine::{RUN_OPTIONS, Request};
use crate::model::Row;

impl Name {
    fn describe(self) -> Tool {
        let starts = || hints(false, true, false, true);
        let looks = || hints(true, false, true, false);
        let removes = || hints(false, true, true, false);
        let (title, description, input, annotations) = match self {
            Self::Dispatch => (
                "Dispatch a task",
                "Hand a task to an agent in another project directory and get its answer. If it takes longer than \
                 wait_seconds the answer is status running and a job_id for dispatch_result; the job goes on.",
                dispatch_input(),
                starts(),
            ),
            Self::DispatchParallel => (
                "Dispatch several tasks",
                "Hand tasks to several agents at once. Nothing starts unless all are valid. aggregate names an agent \
                 that gets all answers and sums them up.",
                parallel_input(),
                starts(),
            ),
            Self::DispatchDialogue => (
                "Let two agents talk",
                "Two agents work out a topic in turns until they call it resolved.",
                object(
                    json!({
                        "requester": {"type": "string"},
                        "responder": {"type": "string"},
                        "topic": {"type": "string"},
                        "max_rounds": {"type": "integer", "minimum": 1, "maximum": 100},
                        "background": {"type": "boolean"},
                        "wait_seconds": {"type": "number", "minimum": 0},
                    }),
                    &["requester", "responder", "topic"],
                ),
                starts(),
            ),
            Self::DispatchResult => (
                "Get a job's result",
                "Wait for a job and get its answer, or a later part of it (offset). One job a call; several calls can wait at once.",
                object(
                    json!({
                        "job_id": {"type": "string"},
                        "wait_seconds": {"type": "number", "minimum": 0, "description": "0: only look"},
                        "part": {"enum": ["answer", "log", "stderr"]},
                        "offset": {"type": "integer", "minimum": 0},
                        "max_chars": {"type": "integer", "minimum": 0},
                    }),
                    &["job_id"],
                ),
                looks(),
            ),
            Self::DispatchJobs => (
                "List jobs",
                "The newest jobs.",
                object(
                    json!({
                        "status": {"enum": ["pending", "running", "done", "failed", "cancelled"]},
                        "agent": {"type": "string"},
                        "limit": {"type": "integer", "minimum": 1, "maximum": MOST_JOBS},
                    }),
                    &[],
                ),
                looks(),
            ),
            Self::DispatchCancel => (
                "Stop a job",
                "Stop a job and all jobs it led to. Its session can be resumed.",
                object(json!({"job_id": {"type": "string"}}), &["job_id"]),
                removes(),
            ),
            Self::DispatchGc => (
                "Delete old jobs",
                "Delete jobs that ended more than max_age_days ago.",
                object(
                    json!({
                        "max_age_days": {"type": "number", "minimum": 0, "maximum": MOST_DAYS,
                                         "description": "0: all that are over. Needed unless job_retention_days is set"},
                        "dry_run": {"type": "boolean"},
                    }),
                    &[],
                ),
                removes(),
            ),
            Self::ListAgents => (
                "List agents",
                "The agents and what they know, can do, usually take and cost. name: one in full.",
                object(json!({"name": {"type": "string"}, "group": {"type": "string"}}), &[]),
                looks(),
            ),
            Self::ConfigureAgent => (
                "Change an agent",
                "Add, update or remove an agent. unset: fields to remove.",
                configure_input(),
                hints(false, true, false, false),
            ),
        };
        let mut tool =
            Tool::new(self.as_str(), description, input).with_title(title).with_annotations(annotations);
        tool.output_schema = self.output().map(|schema| into_object(schema).into());
        if matches!(self, Self::Dispatch | Self::DispatchResult) {
            // Claude Code shows a model only names until it asks for more, except for these.
            let mut meta = MetaObject::new();
            meta.insert("anthropic/alwaysLoad".to_owned(), true.into());
            tool.meta = Some(meta);
        }
        tool
    }

    fn output(self) -> Option<Value> {
        let text = || json!({"type": "string"});
        match self {
            Self::Dispatch | Self::DispatchDialogue | Self::DispatchResult | Self::DispatchCancel => {
                Some(json!({
                    "type": "object",
                    "properties": {"job_id": text(), "agent": text(), "status": text(), "result": text()},
                    "required": ["job_id", "status"],
                }))
            }
            Self::DispatchParallel | Self::DispatchJobs => Some(json!({
                "type": "object",
                "properties": {"jobs": {"type": "array", "items": {"type": "object"}}},
                "required": ["jobs"],
            })),
            Self::DispatchGc | Self::ListAgents | Self::ConfigureAgent => Some(json!({"type": "object"})),
        }
    }
}

/// The tools a client may use, described.
pub(super) fn list(authority: &Authority) -> Vec<Tool> {
    authority.tools().map(Name::describe).collect()
}

fn hints(read_only: bool, destructive: bool, idempotent: bool, open_world: bool) -> ToolAnnotations {
    let hints = ToolAnnotations::new().read_only(read_only).open_world(open_world);
    if read_only { hints } else { hints.destructive(destructive).idempotent(idempotent) }
}

/// A schema of arguments; one that is not in it is refused.
#[expect(clippy::needless_pass_by_value, reason = "a schema is written where it is used")]
fn object(properties: Value, required: &[&str]) -> JsonObject {
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    into_object(schema)
}

fn into_object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

fn dispatch_input() -> JsonObject {
    let mut properties = into_object(json!({
        "agent": {"type": "string"},
        "task": {"type": "string", "description": "What to do. The agent sees nothing of this conversation"},
    }));
    for (row, mut schema) in run_options() {
        schema["description"] = row.summary().into();
        properties.insert(row.json.to_owned(), schema);
    }
    properties.append(&mut into_object(json!({
        "background": {"type": "boolean", "description": "Return at once"},
        "wait_seconds": {"type": "number", "minimum": 0, "description": "How long to wait here"},
        "return_ref": {"type": "boolean", "description": "Only the answer's beginning; dispatch_result has the rest"},
        "summary_chars": {"type": "integer", "minimum": 0, "description": "How much of it"},
    })));
    object(properties.into(), &["agent", "task"])
}

fn parallel_input() -> JsonObject {
    let text = || json!({"type": "string"});
    let mut item = into_object(json!({"agent": text(), "task": text()}));
    item.extend(run_options().map(|(row, schema)| (row.json.to_owned(), schema)));
    object(
        json!({
            "dispatches": {"type": "array", "minItems": 1, "items": object(item.into(), &["agent", "task"])},
            "aggregate": text(),
            "background": {"type": "boolean"},
            "wait_seconds": {"type": "number", "minimum": 0},
        }),
        &["dispatches"],
    )
}

/// The options of a run that a client may set, and their schemas.
fn run_options() -> impl Iterator<Item = (&'static Row<Request>, Value)> {
    RUN_OPTIONS.iter().filter(|row| row.mcp).map(|row| (row, row.slot.json_schema()))
}

fn configure_input() -> JsonObject {
    let mut properties = JsonObject::new();
    properties.insert("action".to_owned(), json!({"enum": ["add", "update", "remove"]}));
    properties.insert("name".to_owned(), json!({"type": "string"}));
    properties.extend(settable().map(|row| (row.json.to_owned(), row.slot.json_schema())));
    properties.insert("unset".to_owned(), json!({"type": "array", "items": {"type": "string"}}));
    object(properties.into(), &["action", "name"])
}

/// The most that instructions may have, in characters: Claude Code cuts them at 2,048.
const INSTRUCTIONS_CHARS: usize = 1_500;

/// When to use these tools and how, with the names of the agents there are.
pub(super) fn instructions<'a>(
    authority: &Authority,
    config: Option<&Config>,
    names: impl Iterator<Item = &'a AgentName>,
) -> String {
    let mut text = String::from(if authority.read_only { LOOKING } else { DISPATCHING });
    if authority.grants(Need::Configure) {
        text.push_str("- configure_agent adds, changes and removes agents: only when the user wants that.\n");
    }
    let groups = config.map(|config| config.groups.keys().map(AsRef::as_ref).collect::<Vec<&str>>());
    append_names(&mut text, "Agents", names.map(AgentName::as_str));
    append_names(&mut text, "Groups", groups.unwrap_or_default().into_iter());
    text.push_str("list_agents tells what each one knows and can do.");
    text
}

/// For clients that may dispatch.
const DISPATCHING: &str = "\
    Dispatch when a task or question belongs to another project: its agent works in that directory with that \
    project's CLAUDE.md, tools and permissions, and knows nothing of this conversation, so put what it needs \
    into task and context. Do not dispatch what you can do here.\n\
    - One answer: dispatch. A long run answers status \"running\" with a job_id: it goes on, nothing is lost; \
    call dispatch_result with that job_id. Never dispatch the same task again while its job runs.\n\
    - Several at once: dispatch_parallel, or dispatch with background true for each and then one \
    dispatch_result for each.\n\
    - Follow-up questions: pass the session_id of the answer.\n\
    - success is about the run; outcome partial or blocked is the agent's own verdict on its task. On a failure \
    the text says what to do next.\n";

/// For clients that may only look.
const LOOKING: &str = "\
    Look at the jobs of agents, each of which works in a project directory of its own. These tools only look: they \
    start, stop and change nothing.\n\
    - dispatch_jobs lists the newest jobs.\n\
    - dispatch_result with a job_id waits for a job and has its answer; part log tells what its agent does or did.\n\
    - success is about the run; outcome partial or blocked is the agent's own verdict on its task.\n";

/// Adds a line of names, as many as there is room for.
fn append_names<'a>(text: &mut String, what: &str, names: impl Iterator<Item = &'a str>) {
    const ROOM_FOR_THE_REST: usize = 150;
    let room = INSTRUCTIONS_CHARS.saturating_sub(text.len() + ROOM_FOR_THE_REST);
    let line = as_many_as_fit(names, room);
    if !line.is_empty() {
        text.push_str(&format!("{what}: {line}.\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tool::ALL;

    fn everything() -> Authority {
        Authority { allow_configure: true, ..Authority::default() }
    }

    #[test]
    fn what_a_model_sees_of_the_tools_is_short() {
        let tools = list(&Authority::default());
        let visible: usize = tools
            .iter()
            .map(|tool| {
                let description = tool.description.as_deref().unwrap_or_default();
                tool.name.len()
                    + description.len()
                    + Value::Object((*tool.input_schema).clone()).to_string().len()
            })
            .sum();
        assert!(visible <= 5_000, "{visible} bytes");
    }

    #[test]
    fn a_client_is_offered_what_it_may_use() {
        let names =
            |authority: &Authority| -> Vec<&'static str> { authority.tools().map(Name::as_str).collect() };
        let read_only = Authority { read_only: true, allow_configure: true, ..Authority::default() };
        assert_eq!(names(&read_only), ["dispatch_result", "dispatch_jobs", "list_agents"]);
        let scoped = Authority { agents: Some(Vec::new()), ..Authority::default() };
        assert!(!names(&scoped).contains(&"dispatch_gc"));
        assert!(!names(&Authority::default()).contains(&"configure_agent"));
        assert!(
            names(&Authority { allow_configure: true, ..Authority::default() }).contains(&"configure_agent")
        );
    }

    #[test]
    fn instructions_stay_short_however_many_agents_there_are() {
        let names: Vec<AgentName> = (0..500).map(|n| format!("agent-{n}").parse().expect("a name")).collect();
        let text = instructions(&everything(), None, names.iter());
        assert!(text.len() <= INSTRUCTIONS_CHARS, "{} characters", text.len());
        assert!(text.contains("Agents: agent-0, agent-1, "));
    }

    #[test]
    fn instructions_name_no_tool_that_is_not_offered() {
        let read_only = Authority { read_only: true, ..Authority::default() };
        let scoped = Authority { agents: Some(Vec::new()), ..Authority::default() };
        for authority in [Authority::default(), read_only, scoped, everything()] {
            let text = instructions(&authority, None, std::iter::empty());
            let named = |tool: &Name| {
                let mut words = text.split(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
                words.any(|word| word == tool.as_str())
            };
            let hidden: Vec<Name> =
                ALL.into_iter().filter(|tool| named(tool) && !authority.grants(tool.need())).collect();
            assert_eq!(hidden, [], "{authority:?}: {text}");
            assert_eq!(named(&Name::ConfigureAgent), authority.allow_configure);
            assert_eq!(text.contains("Dispatch"), !authority.read_only);
        }
    }
}
