//! Completing a command line in the real bash, zsh, fish and elvish, and how the scripts ask.

use std::fs;
use std::path::Path;
use std::process::Command;

use test_support::dispatch::{AGENT, submit, submit_and_finish, submit_endless, with_agent};
use test_support::{Output, Terminal, TestEnvironment, programs, skip};

/// The shells, each with what asks its completion for the line in `$LINE` and prints the words it offers.
const SHELLS: [(&str, &str); 4] = [
    (
        "bash",
        r#"source "$SCRIPT"
        # What readline does: it splits also at `=`, and hands over the word up to the cursor.
        read -ra words <<< "${LINE//=/ = }"
        [[ $LINE == *' ' || $LINE == *= ]] && words+=('')
        COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
        [[ $LINE == *= ]] && { unset 'COMP_WORDS[COMP_CWORD]'; ((COMP_CWORD--)); }
        current=${COMP_WORDS[COMP_CWORD]}
        [[ $current == = ]] && current=''
        _agent_dispatch agent-dispatch "$current" ''
        printf '%s\n' "${COMPREPLY[@]}""#,
    ),
    (
        "zsh",
        // What its completion system does: it splits the words, and `_describe` takes what is offered.
        r#"compdef() { : }
        _describe() {
            local offer
            for offer in "${(@P)3}"; do print -r -- "${offer%%:*}"; done
        }
        source $SCRIPT
        words=(${(z)LINE})
        [[ $LINE == *' ' ]] && words+=('')
        CURRENT=$#words PREFIX=$words[-1]
        _agent-dispatch || true"#,
    ),
    ("fish", r#"source $SCRIPT; complete --do-complete "$LINE""#),
    (
        "elvish",
        // Its editor, which only a terminal has, asks the function the script sets.
        r#"use str
        var edit: = (ns [
          &completion:=(ns [&arg-completer=[&]])
          &complex-candidate~={|value &display=''| echo $value}
        ])
        eval &ns=(ns [&edit:=$edit:]) (slurp < $E:SCRIPT)
        $edit:completion:arg-completer[agent-dispatch] (str:split ' ' $E:LINE)"#,
    ),
];

/// Says that a shell is not here; CI installs them all.
fn is_missing(shell: &str) -> bool {
    let missing = Command::new(shell).args(["-c", "true"]).output().is_err();
    if missing {
        skip(&format!("{shell} is not installed"));
    }
    missing
}

/// Two agents, a group and a finished job.
fn scene() -> (TestEnvironment, String) {
    let environment = with_agent();
    environment.project("inventory");
    environment.configure("groups:\n  shop:\n    description: what is sold\n    members: [inventory]\n");
    environment.link("agent-dispatch", programs::agent_dispatch());
    let id = submit_and_finish(&environment, "count the boxes");
    (environment, id)
}

/// What a shell offers for this line, without descriptions.
fn offered(environment: &TestEnvironment, shell: &str, line: &str) -> Vec<String> {
    let (_, ask) = SHELLS.iter().find(|(name, _)| *name == shell).expect("a shell");
    let script = environment.root().join(format!("completions.{shell}"));
    fs::write(&script, environment.command(["completions", shell]).run().expect_code(0).stdout)
        .expect("a script");
    let _ = fs::remove_dir_all(environment.root().join("tmp"));
    fs::create_dir(environment.root().join("tmp")).expect("a directory");
    let arguments: &[&str] = match shell {
        "bash" => &["--noprofile", "--norc", "-c", ask],
        "zsh" => &["-f", "-c", ask],
        "elvish" => &["-norc", "-c", ask],
        _ => &["--no-config", "-c", ask],
    };
    let asked = environment.program(Path::new(shell), arguments).env("SCRIPT", &script).env("LINE", line);
    let output = asked.env("TERM", "xterm").run().expect_code(0);
    assert_eq!(output.stderr, "", "{shell}: {line}");
    let words = output.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_shell_completes_commands_options_agents_groups_and_jobs() {
    let (environment, id) = scene();
    fs::write(environment.root().join("elsewhere.yaml"), "agents:\n  faraway: {directory: .}\n")
        .expect("a config");
    let prefix = format!("agent-dispatch result {}", &id[..6]);
    for (shell, _) in SHELLS {
        if is_missing(shell) {
            continue;
        }
        let offered = |line: &str| offered(&environment, shell, line);
        let all = offered("agent-dispatch ");
        for command in ["run", "agents", "jobs", "completions", "help"] {
            assert!(all.iter().any(|offer| offer == command), "{shell}: {all:?}");
        }
        assert!(
            !all.iter().any(|offer| offer.starts_with('_') || offer.starts_with('-')),
            "{shell}: {all:?}"
        );
        assert_eq!(offered("agent-dispatch agents sh"), ["show"], "{shell}");
        assert_eq!(offered("agent-dispatch run "), ["inventory", AGENT], "{shell}");
        assert_eq!(offered("agent-dispatch run inv"), ["inventory"], "{shell}");
        assert_eq!(offered("agent-dispatch groups show "), ["shop"], "{shell}");
        assert_eq!(offered("agent-dispatch run inventory task --group "), ["shop"], "{shell}");
        assert_eq!(offered("agent-dispatch run inventory task --max-b"), ["--max-budget-usd"], "{shell}");
        assert_eq!(offered("agent-dispatch wait "), ["latest", &id], "{shell}");
        assert_eq!(offered(&prefix), [id.as_str()], "{shell}");
        assert_eq!(offered("agent-dispatch jobs --status run"), ["running"], "{shell}");
        assert_eq!(offered("agent-dispatch --config elsewhere.yaml run "), ["faraway"], "{shell}");
        // bash takes the word apart and completes what is behind the `=`.
        let before = if shell == "bash" { "" } else { "--agent=" };
        assert_eq!(offered("agent-dispatch jobs --agent=inv"), [format!("{before}inventory")], "{shell}");
    }
}

#[test]
fn paths_stay_as_the_shell_expands_them() {
    let environment = with_agent();
    fs::create_dir_all(environment.home().join("two words")).expect("a directory");
    fs::create_dir_all(environment.root().join("p/two words")).expect("a directory");
    fs::write(environment.home().join("other.yaml"), "").expect("a file");
    let far = environment.root().join("p/two words/far.yaml");
    fs::write(far, "agents:\n  faraway: {directory: .}\n").expect("a config");
    let Some(terminal) = Terminal::open(&environment, 120, 24) else { return };
    let shells = [
        ("bash", "bash --noprofile --norc", "source <(agent-dispatch completions bash)"),
        ("zsh", "zsh -f", "autoload -U compinit; compinit -D; source <(agent-dispatch completions zsh)"),
        ("fish", "fish --no-config", "agent-dispatch completions fish | source"),
    ];
    for (shell, start, teach) in shells {
        if is_missing(shell) {
            continue;
        }
        terminal.enter(&format!("{start}; echo left")).enter(&format!("{teach}; echo ta''ught"));
        terminal.wait_for("taught");
        let mut lines = vec![
            ("batch ~/oth", "batch ~/other.yaml"),
            ("--config ~/oth", "--config ~/other.yaml"),
            ("agents add x ~/two", r"agents add x ~/two\ words/"),
            ("batch $HOME/oth", "batch $HOME/other.yaml"),
            ("--config 'p/two words/far.yaml' run fa", "far.yaml' run faraway"),
            (r"--config p/two\ words/far.yaml run fa", "far.yaml run faraway"),
        ];
        if shell != "fish" {
            lines.push(("agents add x \"p/two wo", "agents add x \"p/two words/"));
        }
        for (typed, completed) in lines {
            terminal.type_in(&format!("agent-dispatch {typed}")).wait_for(typed);
            terminal.press("Tab").wait_for(completed);
            terminal.press("C-u").press("C-l");
            terminal.wait("an empty line", |screen| !screen.contains(typed));
        }
        terminal
            .enter("exit")
            .wait_for("left")
            .enter("clear")
            .wait("an empty screen", |screen| screen == "$");
    }
}

#[test]
fn the_newest_jobs_are_offered_with_and_without_a_journal() {
    let environment = with_agent();
    let mut ids: Vec<String> = (0..23).map(|_| submit(&environment, "hi")).collect();
    environment.command(["wait"]).args(&ids).run().expect_code(0);
    ids.reverse();
    let offered = |typed: &str| offers(&environment, &["result", typed]);
    let newest: Vec<String> = ["latest".to_owned()].into_iter().chain(ids[..20].iter().cloned()).collect();
    assert_eq!(offered(""), newest);
    assert_eq!(offered(&ids[22]), ids[22..]);
    let journal = environment.config().with_file_name("usage.jsonl");
    let noted = fs::read_to_string(&journal).expect("the journal");
    // What it does not tell is looked for in the directory.
    fs::write(&journal, noted.lines().next().expect("a line").to_owned() + "\n").expect("a journal");
    assert_eq!(offered(""), newest);
    fs::remove_file(&journal).expect("the journal");
    assert_eq!(offered(""), newest);
    assert_eq!(offered(&ids[22]), ids[22..]);
}

#[test]
fn jobs_that_are_not_over_come_first_to_wait_for_and_alone_to_stop() {
    let environment = with_agent();
    let running = submit_endless(&environment);
    let mut over: Vec<String> = (0..21).map(|_| submit(&environment, "hi")).collect();
    environment.command(["wait"]).args(&over).run().expect_code(0);
    over.reverse();
    let latest = "latest".to_owned();
    assert_eq!(offers(&environment, &["cancel", ""]), [latest.as_str(), &running]);
    let waited_for: Vec<String> = [latest, running.clone()].into_iter().chain(over).take(22).collect();
    assert_eq!(offers(&environment, &["wait", ""]), waited_for);
    assert_eq!(offers(&environment, &["wait", &running]), [running.as_str()]);
    environment.command(["cancel", &running]).run().expect_code(0);
    assert_eq!(offers(&environment, &["cancel", ""]), ["latest"]);
}

#[test]
fn known_permission_modes_are_offered_and_names_in_a_list_once() {
    let (environment, _) = scene();
    let offered = |words: &[&str]| offers(&environment, words);
    assert_eq!(offered(&["agents", "add", "x", ".", "--permission-mode", "a"]), ["acceptEdits", "auto"]);
    assert_eq!(offered(&["agents", "update", "x", "--permission-mode=p"]), ["--permission-mode=plan"]);
    if cfg!(feature = "mcp") {
        let inventory = format!("{AGENT},inventory");
        assert_eq!(offered(&["serve-mcp", "--agents", &format!("{AGENT},")]), [inventory.as_str()]);
        let attached = format!("--agents={AGENT},");
        assert_eq!(offered(&["serve-mcp", &attached]), [format!("--agents={inventory}")]);
    }
}

/// What this tool answers a script.
fn answer(environment: &TestEnvironment, words: &[&str]) -> Output {
    environment.command(["__complete", "agent-dispatch"]).args(words).run().expect_code(0)
}

/// The same without descriptions.
fn offers(environment: &TestEnvironment, words: &[&str]) -> Vec<String> {
    let answer = answer(environment, words).stdout;
    answer.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_job_is_described_by_its_agent_status_and_task() {
    let (environment, id) = scene();
    let answer = answer(&environment, &["result", ""]);
    let described = format!("latest\tthe newest job\n{id}\t{AGENT}, done: count the boxes\n");
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), (described.as_str(), ""));
}

#[test]
fn nothing_is_said_whatever_is_wrong_and_nothing_is_made() {
    let environment = TestEnvironment::new();
    let quiet = |words: &[&str]| {
        let answer = answer(&environment, words);
        assert_eq!(answer.stderr, "", "{words:?}");
        answer.stdout
    };
    for words in [&[] as &[&str], &["run", ""], &["no-such-command", ""], &["run", "--no-such-option", ""]] {
        quiet(words);
    }
    assert_eq!(quiet(&["wait", ""]), "latest\tthe newest job\n");
    assert!(!environment.jobs_directory().exists());
    environment.write_config("agents: [\n");
    assert!(!quiet(&["run", "i"]).contains("error"));
    environment.command(["jobs"]).run().expect_code(0);
    let damaged = environment.jobs_directory().join("0190163d8694739baea5966c26f8ad91.json");
    fs::write(&damaged, "{").expect("a record");
    assert_eq!(quiet(&["wait", ""]), "latest\tthe newest job\n");
    assert!(damaged.exists(), "a completion moves no damaged record");
}

#[test]
fn the_supervisor_cannot_be_completed_nor_found_in_any_help() {
    let environment = TestEnvironment::new();
    let everything = answer(&environment, &["_"]).stdout + &environment.command(["help"]).run().stdout;
    assert!(everything.contains("run") && !everything.contains("__"), "{everything}");
}

#[test]
fn init_says_how_to_complete_in_the_users_shell() {
    let environment = TestEnvironment::without_claude();
    let said = |shell: &str| {
        environment.command(["init", "--no-register"]).env("SHELL", shell).run().expect_code(0).stderr
    };
    assert!(said("/usr/bin/zsh").contains("completions zsh)' >> ~/.zshrc"), "{}", said("/usr/bin/zsh"));
    assert_eq!(said("/bin/dash"), "");
}
