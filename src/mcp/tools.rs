//! The tools as a client sees them, and when to use them.

use rmcp::model::{MetaObject, Tool, ToolAnnotations};
use serde_json::json;

use super::authority::Authority;
use super::inputs::into_object;
use super::suggest::as_many_as_fit;
use super::tool::{Effect, Need, Output, ToolSpec};
use crate::config::{AgentName, Config};

/// The tools a client may use, described.
pub(super) fn list(authority: &Authority) -> Vec<Tool> {
    authority.tools().map(|tool| describe(tool.spec())).collect()
}

fn describe(spec: &ToolSpec) -> Tool {
    let hints = ToolAnnotations::new();
    let annotations = match spec.effect {
        Effect::Looks => hints.read_only(true).open_world(false),
        Effect::Starts => hints.read_only(false).open_world(true).destructive(true).idempotent(false),
        Effect::Removes => hints.read_only(false).open_world(false).destructive(true).idempotent(true),
        Effect::Changes => hints.read_only(false).open_world(false).destructive(true).idempotent(false),
    };
    let mut tool = Tool::new(spec.word, spec.description, (spec.input)());
    tool = tool.with_title(spec.title).with_annotations(annotations);
    let text = || json!({"type": "string"});
    let output = match spec.output {
        Output::Job => json!({
            "type": "object",
            "properties": {"job_id": text(), "agent": text(), "status": text(), "result": text()},
            "required": ["job_id", "status"],
        }),
        Output::Jobs => json!({
            "type": "object",
            "properties": {"jobs": {"type": "array", "items": {"type": "object"}}},
            "required": ["jobs"],
        }),
        Output::Object => json!({"type": "object"}),
    };
    tool.output_schema = Some(into_object(output).into());
    if spec.is_always_loaded {
        // Claude Code shows a model only names until it asks for more, except for these.
        let mut meta = MetaObject::new();
        meta.insert("anthropic/alwaysLoad".to_owned(), true.into());
        tool.meta = Some(meta);
    }
    tool
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
    use crate::mcp::tool::{Name, TOOLS};
    use serde_json::Value;

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
            let hidden: Vec<Name> = TOOLS
                .iter()
                .map(|tool| tool.name)
                .filter(|tool| named(tool) && !authority.grants(tool.need()))
                .collect();
            assert_eq!(hidden, [], "{authority:?}: {text}");
            assert_eq!(named(&Name::ConfigureAgent), authority.allow_configure);
            assert_eq!(text.contains("Dispatch"), !authority.read_only);
        }
    }
}
