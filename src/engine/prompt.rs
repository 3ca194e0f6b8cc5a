//! What an agent is told: the prompt from the request, and the rules of a dispatch.

use super::Request;
use crate::backend::{fenced, folded};
use crate::config::{Agent, BudgetUsd, Timeout};

/// The prompt: the bare task, or the task under its own heading after whatever else the caller gave.
pub(super) fn prompt(request: &Request, shared_context: Option<&str>) -> String {
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let shared_context = shared_context.map(str::trim).filter(|text| !text.is_empty());
    let line = |text: &Option<String>| given(text).map(|text| folded(&text) + "\n");
    // Who writes one of these cannot write in the name of another.
    let sections = [
        ("Goal", line(&request.goal)),
        ("Dispatched by", line(&request.caller)),
        ("Shared context", shared_context.map(fenced)),
        ("Context", given(&request.context).map(|text| fenced(&text))),
    ];
    let task = request.task.as_str();
    if sections.iter().all(|(_, text)| text.is_none()) {
        return task.to_owned();
    }
    let mut prompt = String::with_capacity(task.len() + 256);
    for (heading, text) in sections {
        if let Some(text) = text {
            prompt.push_str(&format!("## {heading}\n{text}\n"));
        }
    }
    prompt.push_str("## Task\n");
    prompt.push_str(task);
    prompt
}

/// What is appended to the agent's system prompt: the dispatch protocol and the agent's own instructions.
pub(super) fn system_prompt(
    agent: &Agent,
    with_protocol: bool,
    timeout: Timeout,
    budget: Option<BudgetUsd>,
) -> Option<String> {
    let instructions = agent.instructions.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let protocol = with_protocol.then(|| protocol(timeout, budget));
    match (protocol, instructions) {
        (Some(protocol), Some(instructions)) => {
            Some(format!("{protocol}\n\n## Instructions\n{instructions}"))
        }
        (Some(text), None) => Some(text),
        (None, instructions) => instructions.map(str::to_owned),
    }
}

fn protocol(timeout: Timeout, budget: Option<BudgetUsd>) -> String {
    let spend = budget.map(|budget| format!(" and {budget}")).unwrap_or_default();
    format!(
        "## Dispatch protocol\n\
         Another program dispatched this task to you; nobody is there to answer questions or to approve tools.\n\
         - Do not ask: choose the most sensible reading, say which one you chose, and go on.\n\
         - You have {timeout}{spend}. Leave enough of it to write the answer; a partial answer in time is worth \
         more than a complete one too late.\n\
         - Only your last message reaches the caller. Lead with the outcome, then what it rests on: files, \
         commands, figures.\n\
         - If a tool is denied or something is missing, say exactly what, and do what can be done without it.\n\
         - End with a line of its own: `STATUS: done`, `STATUS: partial` or `STATUS: blocked`."
    )
}

#[cfg(test)]
mod tests;
