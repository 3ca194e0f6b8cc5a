//! What is made of the command line and kept in the repository: the help of every command, and its man page.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command as Process, Stdio};

use agent_dispatch::engine::RUN_OPTIONS;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use test_support::{skip, snapshots};

/// As wide as help ever gets.
const COLUMNS: usize = 100;

/// Every command as it is typed, with those that have commands of their own.
fn commands() -> Vec<Command> {
    fn add(command: &Command, commands: &mut Vec<Command>) {
        commands.push(command.clone());
        command.get_subcommands().for_each(|command| add(command, commands));
    }
    let mut root = agent_dispatch::command().term_width(COLUMNS).disable_help_subcommand(true);
    root.build();
    let mut commands = Vec::new();
    add(&root, &mut commands);
    commands
}

/// `agent-dispatch-agents-add`.
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

fn has_commands(command: &Command) -> bool {
    command.get_subcommands().next().is_some()
}

#[test]
fn the_help_of_every_command_is_kept() {
    let help = |command: &Command| {
        let words = command.get_bin_name().unwrap_or(command.get_name()).split(' ').chain(["--help"]);
        let asked = agent_dispatch::command().term_width(COLUMNS).try_get_matches_from(words);
        asked.unwrap_err().to_string()
    };
    let helps: BTreeMap<String, String> =
        commands().iter().map(|command| (format!("{}.txt", name(command)), help(command))).collect();
    for (name, help) in &helps {
        assert!(!help.contains("__"), "{name} tells what is not to be typed");
        let long = help.lines().find(|line| line.chars().count() > COLUMNS);
        assert_eq!(long, None, "{name} is too wide");
    }
    snapshots::assert_kept("tests/snapshots/help", &helps);
}

#[test]
fn every_command_says_what_it_does_and_shows_how() {
    for command in commands() {
        let name = name(&command);
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.starts_with(char::is_uppercase) && !about.ends_with('.'), "{name}: {about:?}");
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let is_for_people = !has_commands(&command) && name != "agent-dispatch-hook-claude-code";
        assert!(!is_for_people || after.contains("Example"), "{name} has no example");
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with(char::is_uppercase), "{name} {}: {help:?}", argument.get_id());
            assert!(!help.ends_with('.'), "{name} {}: {help:?}", argument.get_id());
        }
    }
}

#[test]
fn every_option_of_a_run_is_one_of_the_commands_that_make_one() {
    for command in commands().iter().filter(|command| ["run", "submit"].contains(&command.get_name())) {
        for row in RUN_OPTIONS {
            let long = row.name.replace('_', "-");
            let option = command.get_arguments().find(|option| option.get_long() == Some(&long));
            let help = option.and_then(clap::Arg::get_help).map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with(row.summary()), "{} --{long}: {help:?}", command.get_name());
        }
    }
}

/// Environment variables, each with the commands that read it; none stands for all.
const ENVIRONMENT: [(&str, &[&str], &str); 10] = [
    ("AGENT_DISPATCH_CONFIG", &[], "The config file, when --config is not given."),
    ("AGENT_DISPATCH_JOBS_DIR", &[], "The directory with the jobs, when --jobs-dir is not given."),
    ("AGENT_DISPATCH_PAGER", &["result"], "The pager, with arguments; empty: none. Otherwise less -FRX."),
    ("AGENT_DISPATCH_USAGE_LOG", &[], "The usage journal, instead of what the config says."),
    ("CLAUDE_CONFIG_DIR", &["init", "doctor"], "Where the files of Claude Code are."),
    ("NO_COLOR", &[], "No colour, unless --color always is given."),
    ("PAGER", &["result"], "The pager, when AGENT_DISPATCH_PAGER is not set."),
    ("PATH", &[], "Where the agent CLIs are looked for."),
    ("TERM", &[], "Where it is dumb or not set: no colour, no spinner, no pager, no screen to watch."),
    ("XDG_CONFIG_HOME", &[], "Where agent-dispatch/agents.yaml is, instead of ~/.config."),
];

const FILES: [(&str, &str); 3] = [
    ("~/.config/agent-dispatch/agents.yaml", "The config: agents, groups and settings."),
    ("~/.config/agent-dispatch/jobs/", "The jobs: a record each, and a directory with its working files."),
    ("~/.config/agent-dispatch/usage.jsonl", "The usage journal: a line for each job that has finished."),
];

#[test]
fn the_man_page_of_every_command_is_kept() {
    let commands = commands();
    let pages = commands.iter().map(|command| (format!("{}.1", name(command)), page(command, &commands)));
    snapshots::assert_kept("man", &pages.collect());
}

/// The man page of a command, one of all `commands`.
fn page(command: &Command, commands: &[Command]) -> String {
    let this = name(command);
    // Without a date, which would be another each day.
    let man = Man::new(command.clone())
        .title(this.to_uppercase())
        .date(" ")
        .source(concat!("agent-dispatch ", env!("CARGO_PKG_VERSION")))
        .manual("agent-dispatch manual");
    let mut text = Vec::new();
    man.render_title(&mut text).expect("memory");
    man.render_name_section(&mut text).expect("memory");
    man.render_synopsis_section(&mut text).expect("memory");
    man.render_description_section(&mut text).expect("memory");
    man.render_options_section(&mut text).expect("memory");
    if has_commands(command) {
        man.render_subcommands_section(&mut text).expect("memory");
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (exits, examples): (Vec<&str>, Vec<&str>) = after
        .split("\n\n")
        .filter(|block| !block.is_empty())
        .partition(|block| block.to_lowercase().contains("exit code"));
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    exits.iter().for_each(|block| add_block(&mut roff, block));
    if command.get_name() != "agent-dispatch" {
        roff.control("PP", []);
        roff.text([bold("agent-dispatch"), roman("(1) lists what each number means.")]);
    }
    let is_read = |by: &[&str]| by.is_empty() || by.contains(&command.get_name());
    let variables = ENVIRONMENT.iter().filter(|(_, by, _)| is_read(by));
    let variables: Vec<(&str, &str)> = variables.map(|(name, _, meaning)| (*name, *meaning)).collect();
    for (heading, entries) in [("ENVIRONMENT", &variables[..]), ("FILES", &FILES)] {
        roff.control("SH", [heading]);
        for (entry, meaning) in entries {
            roff.control("TP", []).text([bold(*entry)]).text([roman(*meaning)]);
        }
    }
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        examples.iter().for_each(|block| add_block(&mut roff, block));
    }
    let family =
        this.rsplit_once('-').map(|(family, _)| family.to_owned()).filter(|_| !has_commands(command));
    let related = commands.iter().map(name).filter(|other| {
        let of_this = |family: &str| other.strip_prefix(family).is_some_and(|rest| rest.starts_with('-'));
        *other != this
            && (other == "agent-dispatch"
                || of_this(&this)
                || family.as_deref().is_some_and(|family| family != "agent-dispatch" && of_this(family)))
    });
    roff.control("SH", ["SEE ALSO"]);
    let mut pages = Vec::new();
    for page in related {
        pages.extend([roman(if pages.is_empty() { "" } else { ", " }), bold(page), roman("(1)")]);
    }
    roff.text(pages);
    roff.to_writer(&mut text).expect("memory");
    String::from_utf8(text).expect("UTF-8")
}

/// Lines of a help: those that are indented are shown as they are, those before them are text.
fn add_block(roff: &mut Roff, block: &str) {
    roff.control("PP", []);
    let mut is_literal = false;
    for line in block.lines() {
        if ["Examples:", "Example:", "Exit codes:"].contains(&line) {
            continue;
        }
        if line.starts_with("  ") != is_literal {
            is_literal = !is_literal;
            roff.control(if is_literal { "nf" } else { "fi" }, []);
        }
        roff.text([roman(line)]);
    }
    if is_literal {
        roff.control("fi", []);
    }
}

#[test]
fn every_man_page_is_rendered_without_a_warning() {
    let commands = commands();
    for command in &commands {
        let name = name(command);
        let Some((text, warnings)) = render(&page(command, &commands)) else {
            return skip("groff is not installed");
        };
        assert_eq!(warnings, "", "{name}");
        for heading in ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"] {
            assert!(text.contains(heading), "{name} has no {heading}: {text}");
        }
    }
}

/// What `man` shows of a page, and what is wrong with it; `None` without groff.
fn render(page: &str) -> Option<(String, String)> {
    let mut groff = Process::new("groff");
    groff.args(["-man", "-ww", "-Tutf8", "-P-c", "-P-bou", "-rLL=100n"]).stdin(Stdio::piped());
    let mut groff = groff.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    // It reads all before it writes.
    groff.stdin.take()?.write_all(page.as_bytes()).expect("groff reads");
    let output = groff.wait_with_output().expect("groff ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}
