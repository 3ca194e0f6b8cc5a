//! Stands for `claude` in the tests (and, with `--plain`, for any program that reads a task on standard input):
//! it speaks claude's stream-json and does what a script tells it.
//!
//! The script's lines come from the variable `FAKE_AGENT` (separated by `;`), from the file `.fake-agent` in the
//! working directory, and from the lines of the prompt that start with `fake: `; they are carried out in this
//! order. See [`script`] for the words. Without a script the answer is `ok`.

mod arguments;
mod escape;
mod mcp;
mod run;
mod script;
mod session;
mod signals;
mod stream;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use arguments::Arguments;
use run::Run;
use script::Directive;
use session::Session;
use signals::Interrupts;

/// The version the agent reports.
const VERSION: &str = "9.9.9";

fn main() -> ExitCode {
    let argv: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let outcome = match argv.first().map(String::as_str) {
        Some("--version" | "-v") => writeln!(io::stdout(), "{VERSION} (Claude Code)").map(|()| 0),
        Some("--help" | "-h") => writeln!(io::stdout(), "{}", arguments::HELP).map(|()| 0),
        Some("leftover") => escape::run_leftover(&argv[1..]).map(|()| 0),
        Some("mcp") => mcp::perform(&argv[1..]),
        Some("auth") => {
            writeln!(io::stdout(), "{{\"loggedIn\": true, \"authMethod\": \"api_key\"}}").map(|()| 0)
        }
        _ => answer(argv).map_err(io::Error::other),
    };
    match outcome {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers a prompt; the error is a line for stderr.
fn answer(argv: Vec<String>) -> Result<i32, String> {
    let plain = argv.iter().any(|word| word == "--plain");
    let arguments =
        if plain { Arguments { plain, ..Arguments::default() } } else { Arguments::parse(&argv)? };
    let interrupts = Interrupts::install(plain).map_err(|error| error.to_string())?;
    let cwd = std::env::current_dir().map_err(|error| error.to_string())?.to_string_lossy().into_owned();
    let prompt = prompt(&arguments)?;
    let script = script(&prompt)?;
    let session = if plain {
        Session { id: String::new(), turn: 1, spent: 0.0, file: None }
    } else {
        Session::open(&arguments, &cwd)?
    };
    if !plain && prompt.starts_with('/') {
        // A slash command that does not exist: no turn, no cost, and no failure either.
        let word = prompt.split_whitespace().next().unwrap_or("/").to_owned();
        let mut run = Run::new(arguments, argv, prompt, cwd, interrupts, session);
        run.cost = 0.0;
        run.num_turns = 0;
        return Ok(run.perform(&[Directive::Answer(format!("Unknown command: {word}"))]));
    }
    Ok(Run::new(arguments, argv, prompt, cwd, interrupts, session).perform(&script))
}

fn prompt(arguments: &Arguments) -> Result<String, String> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("stdin: {error}"))?;
    let mut prompt = String::from_utf8_lossy(&bytes).into_owned();
    if let Some(argument) = &arguments.prompt {
        prompt = if prompt.is_empty() { argument.clone() } else { format!("{argument}\n{prompt}") };
    }
    match prompt.trim() {
        _ if arguments.plain => Ok(prompt),
        "" => Err(
            "Error: Input must be provided either through stdin or as a prompt argument when using --print"
                .to_owned(),
        ),
        _ => Ok(prompt),
    }
}

fn script(prompt: &str) -> Result<Vec<Directive>, String> {
    let mut script = script::in_script(&std::env::var("FAKE_AGENT").unwrap_or_default())?;
    script.extend(script::in_script(&std::fs::read_to_string(".fake-agent").unwrap_or_default())?);
    script.extend(script::in_prompt(prompt)?);
    Ok(script)
}
