//! Telling people and programs what was found.

use serde_json::{Value, json};

use super::finding::{Finding, Level};
use crate::remedy::Commands;
use crate::ui::{Style, Ui, human};

/// How many findings there are of a level.
fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

/// Everything as one document.
pub(super) fn to_json(findings: &[Finding], is_fine: bool, commands: Commands) -> Value {
    let document = |finding: &Finding| {
        let mut document = json!(finding);
        if let Some(fix) = &finding.fix {
            document["fix"] = fix.typed(commands).into();
        }
        document
    };
    json!({
        "ok": is_fine,
        "findings": findings.iter().map(document).collect::<Vec<_>>(),
        "summary": {
            "ok": count(findings, Level::Ok),
            "notes": count(findings, Level::Note),
            "warnings": count(findings, Level::Warning),
            "errors": count(findings, Level::Error),
        },
    })
}

/// Everything for people: a line for each finding, below it the command that mends it. With `only_problems`, what is
/// as it should be and notes are left out.
pub(super) fn to_text(findings: &[Finding], ui: Ui, only_problems: bool) -> String {
    let mut text = String::new();
    let mut section = None;
    for finding in findings.iter().filter(|finding| !only_problems || finding.level >= Level::Warning) {
        if section.replace(finding.section) != Some(finding.section) {
            text.push_str(finding.section.heading());
            text.push('\n');
        }
        let (mark, style) = match finding.level {
            Level::Ok => ("✓", Style::Good),
            Level::Note => ("note", Style::Faint),
            Level::Warning => ("warning", Style::Warning),
            Level::Error => ("error", Style::Bad),
        };
        // Filled up outside of the colour, which has a width of its own.
        let gap = " ".repeat(8 - mark.chars().count());
        let about = finding.agent.as_ref().map(|agent| format!("{agent}: ")).unwrap_or_default();
        let found = human::one_line(&format!("{about}{}", finding.found), usize::MAX);
        text.push_str(&format!("  {}{gap}{found}\n", ui.style(mark, style)));
        if let Some(fix) = &finding.fix {
            let fix = human::one_line(&fix.typed(ui.commands()), usize::MAX);
            text.push_str(&format!("          {}: {fix}\n", ui.style("fix", Style::Faint)));
        }
    }
    text.push_str(&format!(
        "{}, {}, {}, {} fine\n",
        human::count(count(findings, Level::Error), "error"),
        human::count(count(findings, Level::Warning), "warning"),
        human::count(count(findings, Level::Note), "note"),
        count(findings, Level::Ok),
    ));
    text
}
