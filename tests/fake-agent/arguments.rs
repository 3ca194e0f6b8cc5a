//! claude's command line: the flags this tool may pass, and claude's own complaints about wrong ones.

/// What the command line asked for.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// A plain program instead of claude: the answer as text, no stream.
    pub(crate) plain: bool,
    pub(crate) print: bool,
    pub(crate) verbose: bool,
    pub(crate) fork_session: bool,
    pub(crate) output_format: OutputFormat,
    pub(crate) session_id: Option<String>,
    pub(crate) resume: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) permission_mode: Option<String>,
    pub(crate) json_schema: Option<String>,
    pub(crate) append_system_prompt_file: Option<String>,
    /// A prompt given as an argument.
    pub(crate) prompt: Option<String>,
}

/// What claude's help says of the flags this tool may pass.
pub(crate) const HELP: &str = "\
Usage: claude [options] [command] [prompt]

Options:
  --allowedTools, --allowed-tools <tools...>
  --append-system-prompt <prompt>
  --disallowedTools, --disallowed-tools <tools...>
  --json-schema <schema>
  --max-budget-usd <amount>
  --model <model>
  --output-format <format>
  --permission-mode <mode>
  -p, --print
  -r, --resume [value]
  --session-id <uuid>
  --verbose";

/// claude's `--output-format`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    #[default]
    Text,
    Json,
    StreamJson,
}

const PERMISSION_MODES: [&str; 7] =
    ["default", "acceptEdits", "auto", "bypassPermissions", "manual", "dontAsk", "plan"];

impl Arguments {
    /// Reads claude's flags; the error is the line claude writes to stderr before it exits with 1.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut rest = arguments.iter().peekable();
        while let Some(argument) = rest.next() {
            let (name, mut value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let mut one = || {
                value
                    .take()
                    .or_else(|| rest.next().cloned())
                    .ok_or_else(|| format!("error: option '{name}' argument missing"))
            };
            match name {
                "--plain" => parsed.plain = true,
                "-p" | "--print" => parsed.print = true,
                "--verbose" => parsed.verbose = true,
                "--fork-session" => parsed.fork_session = true,
                "--include-partial-messages" | "--strict-mcp-config" | "--dangerously-skip-permissions" => {}
                "--output-format" => {
                    parsed.output_format = match one()?.as_str() {
                        "text" => OutputFormat::Text,
                        "json" => OutputFormat::Json,
                        "stream-json" => OutputFormat::StreamJson,
                        other => {
                            return Err(format!(
                                "error: option '--output-format <format>' argument '{other}' is invalid."
                            ));
                        }
                    }
                }
                "--session-id" => {
                    let id = one()?;
                    if !is_uuid(&id) {
                        return Err("Error: Invalid session ID. Must be a valid UUID.".to_owned());
                    }
                    parsed.session_id = Some(id);
                }
                "-r" | "--resume" => parsed.resume = Some(one()?),
                "--model" => parsed.model = Some(one()?),
                "--permission-mode" => {
                    let mode = one()?;
                    if !PERMISSION_MODES.contains(&mode.as_str()) {
                        return Err(format!(
                            "error: option '--permission-mode <mode>' argument '{mode}' is invalid."
                        ));
                    }
                    parsed.permission_mode = Some(mode);
                }
                "--max-budget-usd" => {
                    let amount = one()?;
                    if !amount.parse::<f64>().is_ok_and(|usd| usd.is_finite() && usd > 0.0) {
                        return Err(format!(
                            "error: option '--max-budget-usd <amount>' argument '{amount}' is invalid. --max-budget-usd must be a number greater than 0"
                        ));
                    }
                }
                "--json-schema" => parsed.json_schema = Some(one()?),
                "--append-system-prompt-file" => parsed.append_system_prompt_file = Some(one()?),
                "--append-system-prompt"
                | "--fallback-model"
                | "--max-turns"
                | "--settings"
                | "--setting-sources"
                | "--system-prompt"
                | "--effort"
                | "--name" => drop(one()?),
                // Variadic: without `=` they take every word up to the next flag, a prompt included.
                "--allowed-tools" | "--allowedTools" | "--disallowed-tools" | "--disallowedTools"
                | "--add-dir" | "--mcp-config" | "--tools" => {
                    if value.is_none() {
                        while rest.next_if(|word| !word.starts_with('-')).is_some() {}
                    }
                }
                _ if name.starts_with('-') => return Err(format!("error: unknown option '{name}'")),
                // A plain program may be given any words.
                _ => parsed.prompt = Some(argument.clone()),
            }
        }
        if parsed.plain {
            parsed.prompt = None;
        } else if parsed.output_format == OutputFormat::StreamJson && !parsed.verbose {
            return Err(
                "Error: When using --print, --output-format=stream-json requires --verbose".to_owned()
            );
        }
        Ok(parsed)
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}
