//! What a person sees: a shell in a real terminal, its keys and its screen.

use std::fs;

use test_support::dispatch::{
    AGENT, ENDLESS, submit, submit_and_finish, submit_endless, wait_for_begin, with_agent,
};
use test_support::{PATIENCE, Terminal, TestEnvironment, quoted, wait_until};

/// A task without an end, quiet about it, that can be told from others.
fn submit_saying(environment: &TestEnvironment, agent: &str, text: &str) -> String {
    let task = format!("fake: text {text}\nfake: write-file begun x\nfake: hang");
    let output = environment.command(["submit", agent, &task]).run().expect_code(0);
    let begun = environment.root().join("projects").join(agent).join("begun");
    wait_until(PATIENCE, "the agent begins", || begun.exists());
    fs::remove_file(begun).expect("the file was just there");
    output.stdout.trim_end().to_owned()
}

fn cancel(environment: &TestEnvironment, id: &str) {
    environment.command(["cancel", id]).run().expect_code(0);
}

#[test]
fn run_shows_a_spinner_and_ends_with_the_answer_alone() {
    let environment = with_agent();
    environment.script(AGENT, "text looking around; write-file begun x; sleep 2s; answer all is well");
    let Some(terminal) = Terminal::open(&environment, 80, 24) else { return };
    terminal.enter(&format!("agent-dispatch run {AGENT} look; echo code $?"));
    terminal.wait("a spinner", |screen| {
        screen.lines().any(|line| line.contains(&format!(" {AGENT} ")) && line.ends_with("looking around"))
    });
    terminal.wait_for("code 0");
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[1].starts_with(&format!("{AGENT}: job ")), "{screen}");
    assert_eq!(lines[2], "all is well", "{screen}");
    assert!(lines[3].starts_with(&format!("{AGENT}: done in ")), "{screen}");
    assert!(!screen.contains("looking around"), "nothing is left of the spinner:\n{screen}");
}

#[test]
fn ctrl_c_once_stops_the_job_and_waits_for_its_record() {
    let environment = with_agent();
    environment.script(AGENT, &ENDLESS.replace("fake: ", ""));
    let Some(terminal) = Terminal::open(&environment, 80, 24) else { return };
    terminal.enter(&format!("agent-dispatch run {AGENT} look; echo code $?"));
    wait_for_begin(&environment);
    terminal.press("C-c").wait_for("code 130");
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[1].starts_with(&format!("{AGENT}: job ")), "{screen}");
    assert_eq!(lines[2], "stopping the job; once more to leave at once", "no spinner is left:\n{screen}");
    assert_eq!(environment.only_record()["status"], "cancelled");
}

#[test]
fn ctrl_c_twice_leaves_at_once() {
    let environment = with_agent();
    environment.script(AGENT, &format!("ignore INT,TERM\n{}", ENDLESS.replace("fake: ", "")));
    let Some(terminal) = Terminal::open(&environment, 80, 24) else { return };
    terminal.enter(&format!("agent-dispatch run {AGENT} look; echo code $?"));
    wait_for_begin(&environment);
    terminal.press("C-c").wait_for("once more").press("C-c").wait_for("code 130");
    assert_eq!(environment.only_record()["status"], "running", "it did not wait for the end");
    wait_until(PATIENCE, "the job is stopped", || environment.only_record()["status"] == "cancelled");
}

#[test]
fn watching_the_jobs_shows_what_they_do_until_q() {
    let environment = with_agent();
    let done = submit_and_finish(&environment, "fake: answer hi");
    let first = submit_saying(&environment, AGENT, "reading the logs");
    let Some(terminal) = Terminal::open(&environment, 120, 24) else { return };
    terminal.enter("agent-dispatch jobs --watch; echo code $?");
    terminal.wait_for("1 running, 0 waiting  q quits").wait_for("reading the logs");
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[1].starts_with("JOB ") && lines[1].contains("DOING"), "{screen}");
    assert!(lines[2].starts_with(&format!("{first}  {AGENT}  running  ")), "{screen}");
    assert!(lines[3].starts_with(&format!("{done}  {AGENT}  done     ")), "{screen}");
    let time = |screen: &str| {
        screen.lines().nth(2).and_then(|line| Some(line.split_whitespace().nth(3)?.to_owned()))
    };
    terminal.wait("the time goes on", |now| now.contains("reading") && time(now) != time(&screen));

    // Another begins, one ends.
    let second = submit_saying(&environment, AGENT, "writing a file");
    terminal.wait_for("2 running").wait_for("writing a file");
    cancel(&environment, &first);
    terminal.wait_for("1 running").wait_for("cancelled");

    // Narrow, low, and wide again.
    terminal.resize(60, 4);
    terminal.wait("what fits", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        lines.len() == 4
            && lines[0].starts_with("1 running")
            && lines[2].starts_with(&format!("{second}  {AGENT}"))
            && !lines[1].contains("COST")
    });
    terminal.resize(120, 24).wait_for("COST").wait_for(&done);

    terminal.press("q").wait_for("code 0");
    let screen = terminal.screen();
    assert!(screen.starts_with("$ agent-dispatch jobs --watch; echo code $?\nJOB "), "{screen}");
    assert!(screen.contains("writing a file") && screen.contains(&done), "the last table stays:\n{screen}");
    // The keyboard is what it was.
    terminal.enter("echo typed").wait_for("echo typed\ntyped");
    cancel(&environment, &second);
}

#[test]
fn a_watched_line_as_wide_as_the_terminal_is_shown_to_its_end() {
    let environment = with_agent();
    submit_and_finish(&environment, &format!("fake: answer {}", "word ".repeat(30)));
    let Some(terminal) = Terminal::open(&environment, 80, 24) else { return };
    terminal.enter("agent-dispatch jobs --watch");
    terminal.wait("a line that was cut", |screen| {
        screen.lines().nth(2).is_some_and(|line| line.chars().count() == 80 && line.ends_with('…'))
    });
    // Also where it is the last one of the screen.
    terminal.resize(80, 3).wait("its end", |screen| screen.lines().count() == 3 && screen.ends_with('…'));
    terminal.press("q");
}

#[test]
fn a_dumb_terminal_gets_neither_a_spinner_nor_a_pager_nor_a_screen() {
    let environment = with_agent();
    let lines: Vec<String> = (1..=100).map(|number| format!("line {number}")).collect();
    let id = submit_and_finish(&environment, &format!("fake: answer {}", lines.join("\\n")));
    environment.script(AGENT, "text looking around; sleep 700ms; answer all is well");
    let Some(terminal) = Terminal::open(&environment, 120, 24) else { return };
    for dumb in ["TERM=dumb", "TERM=", "env -u TERM"] {
        let enter = |command: &str| {
            terminal.enter("clear").wait("an empty screen", |screen| screen == "$");
            terminal.enter(&format!("{dumb} agent-dispatch {command}; echo code $?"));
        };
        enter(&format!("result {id}"));
        terminal.wait_for("line 100\ncode 0");
        enter("jobs --watch");
        terminal.wait_for("--watch cannot draw on a terminal whose TERM is `dumb`").wait_for("code 2");
        enter(&format!("run {AGENT} look"));
        terminal.wait("the end without a spinner", |screen| {
            assert!(!screen.contains("looking around"), "{screen}");
            screen.contains("all is well") && screen.contains("code 0")
        });
    }
}

#[test]
fn ctrl_c_ends_the_watch_too_and_the_jobs_go_on() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let Some(terminal) = Terminal::open(&environment, 100, 10) else { return };
    terminal.enter("agent-dispatch jobs -w --status running; echo code $?").wait_for("q quits");
    terminal.press("C-c").wait_for("code 130");
    assert_eq!(environment.record(&id)["status"], "running");
    cancel(&environment, &id);
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_the_watch_goes_on() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let Some(terminal) = Terminal::open(&environment, 100, 10) else { return };
    for _ in 0..2 {
        terminal.enter("agent-dispatch jobs -w").wait_for("1 running");
        terminal
            .press("C-z")
            .wait("the shell", |screen| !screen.contains("q quits") && screen.ends_with("$"));
        terminal.enter("echo ty''ped").wait_for("\ntyped");
        terminal.enter("fg").wait_for("1 running").press("q").wait("the end", |screen| {
            !screen.contains("q quits") && screen.contains(&id) && screen.ends_with("$")
        });
        terminal.enter("clear").wait("an empty screen", |screen| screen == "$");
    }
    // Without a shell to go on from there is nothing to stop.
    terminal.enter("sh -c 'agent-dispatch jobs -w; :'").wait_for("1 running");
    terminal.press("C-z").press("q").wait("the end", |screen| {
        !screen.contains("q quits") && screen.contains(&id) && screen.ends_with("$")
    });
    cancel(&environment, &id);
}

#[test]
fn in_the_background_no_spinner_is_drawn_over_the_shell() {
    let environment = with_agent();
    environment.script(AGENT, "text looking around; write-file begun x; hang");
    let Some(terminal) = Terminal::open(&environment, 80, 24) else { return };
    let id = || environment.only_record()["id"].as_str().expect("an id").to_owned();
    for command in [format!("run {AGENT} look"), "wait latest".to_owned()] {
        terminal.enter(&format!("agent-dispatch {command} &"));
        wait_until(PATIENCE, "the agent begins", || environment.root().join("projects/infra/begun").exists());
        // Long enough for several redraws.
        terminal.enter("sleep 0.7; echo sl''ept").wait("the end of a pause", |screen| {
            assert!(!screen.contains("looking around"), "{screen}");
            screen.contains("slept")
        });
        terminal.enter("fg").wait_for("looking around");
        terminal
            .press("C-z")
            .wait_for("Stopped")
            .enter("clear")
            .wait("an empty screen", |screen| screen == "$");
    }
    cancel(&environment, &id());
}

#[test]
fn a_lost_job_is_noticed_while_watching() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let Some(terminal) = Terminal::open(&environment, 100, 10) else { return };
    terminal.enter("agent-dispatch jobs -w").wait_for("1 running");
    environment.kill_supervisor(&id);
    terminal.wait_for("0 running").wait_for("failed");
    terminal.press("q");
}

#[test]
fn waiting_for_several_shows_a_line_each() {
    let environment = with_agent();
    environment.project("web");
    let first = submit_saying(&environment, AGENT, "reading the logs");
    let second = submit_saying(&environment, "web", "painting buttons");
    let Some(terminal) = Terminal::open(&environment, 100, 24) else { return };
    terminal.enter(&format!("agent-dispatch wait {first} {second}; echo code $?"));
    let has_line = |screen: &str, agent: &str, doing: &str| {
        screen.lines().any(|line| line.contains(&format!(" {agent} ")) && line.ends_with(doing))
    };
    terminal.wait("both lines", |screen| {
        has_line(screen, AGENT, "reading the logs") && has_line(screen, "web", "painting buttons")
    });
    cancel(&environment, &first);
    terminal.wait("one line", |screen| {
        screen.contains(&format!("{first} {AGENT}: cancelled in "))
            && !screen.contains("reading the logs")
            && has_line(screen, "web", "painting buttons")
    });
    cancel(&environment, &second);
    terminal.wait_for("code 130");
    let screen = terminal.screen();
    assert!(
        screen.contains(&format!("{second} web: cancelled in ")) && !screen.contains("painting"),
        "{screen}"
    );
}

#[test]
fn an_interrupted_wait_leaves_the_jobs_alone() {
    let environment = with_agent();
    let id = submit_saying(&environment, AGENT, "reading the logs");
    let Some(terminal) = Terminal::open(&environment, 100, 24) else { return };
    terminal.enter("agent-dispatch wait latest; echo code $?").wait_for("reading the logs");
    terminal
        .press("C-c")
        .wait_for("code 130")
        .wait_for(&format!("the job goes on: agent-dispatch wait {id}\n"));
    assert_eq!(environment.record(&id)["status"], "running");
    terminal.enter("clear; agent-dispatch result latest --wait; echo code $?").wait_for("reading the logs");
    let go_on = format!("the job goes on: agent-dispatch result {id} --wait\ncode 130");
    terminal.press("C-c").wait_for(&go_on);
    assert_eq!(environment.record(&id)["status"], "running");
    cancel(&environment, &id);
}

#[test]
fn the_lines_of_jobs_of_one_agent_can_be_told_apart() {
    let environment = with_agent();
    environment.project("web");
    let [first, second, third] = [(AGENT, "one"), (AGENT, "two"), ("web", "three")]
        .map(|(agent, text)| submit_saying(&environment, agent, text));
    let Some(terminal) = Terminal::open(&environment, 150, 24) else { return };
    terminal.enter(&format!("agent-dispatch wait {first} {second} {third}"));
    terminal.wait("a name for each", |screen| {
        let has = |name: &str, doing: &str| {
            screen.lines().any(|line| line.contains(&format!(" {name} ")) && line.ends_with(doing))
        };
        has(&format!("{AGENT} {}", &first[28..]), "one")
            && has(&format!("{AGENT} {}", &second[28..]), "two")
            && screen
                .lines()
                .any(|line| line.split_whitespace().nth(1) == Some("web") && line.ends_with("three"))
            && !screen.contains(&format!("web {}", &third[28..]))
    });
    environment.command(["cancel", &first, &second, &third]).run().expect_code(0);
}

#[test]
fn a_job_that_waits_for_its_turn_says_so_until_it_begins() {
    let environment = with_agent();
    environment.project("web");
    environment.configure("settings:\n  max_concurrency: 1\n");
    let running = submit_endless(&environment);
    environment.script("web", "sleep 1500ms; text on it; hang");
    let Some(terminal) = Terminal::open(&environment, 100, 24) else { return };
    let commands =
        ["wait latest", "result latest --wait", "run web look", "dialogue web infra look", "batch two.yaml"];
    let batch = "- {agent: web, task: look}\n- {agent: web, task: look}\n";
    fs::write(environment.root().join("two.yaml"), batch).expect("a batch");
    for command in commands {
        let waiting = environment.command(["submit", "web", "x"]).run().expect_code(0).stdout;
        terminal.enter(&format!("agent-dispatch {command}; echo code $?"));
        terminal.wait_for("s waiting, number ");
        terminal.press("C-c").wait_for("code 130").enter("clear");
        terminal.wait("an empty screen", |screen| screen == "$");
        cancel(&environment, waiting.trim());
    }
    let waiting = environment.command(["submit", "web", "x"]).run().expect_code(0).stdout;
    let after = ["submit", "web", "x", "--after", waiting.trim()];
    let later = environment.command(after).run().expect_code(0).stdout;
    terminal.enter(&format!("agent-dispatch wait {} {}", waiting.trim(), later.trim()));
    terminal.wait_for("s waiting, number 1 of 1").wait_for("s waiting for 1 job");
    cancel(&environment, &running);
    terminal
        .wait("the first begins", |screen| !screen.contains("number 1 of 1") && screen.contains("for 1 job"));
    terminal.wait_for("on it");
    environment.command(["cancel", waiting.trim(), later.trim()]).run().expect_code(0);
}

#[test]
fn the_logs_of_two_jobs_can_be_told_apart() {
    let environment = with_agent();
    environment.project("frontend");
    let first = submit_saying(&environment, AGENT, "reading the logs");
    let second = submit_saying(&environment, "frontend", "painting buttons");
    let Some(terminal) = Terminal::open(&environment, 100, 24) else { return };
    terminal.enter(&format!("agent-dispatch logs -f {first} {second}; echo code $?"));
    terminal.wait_for(&format!("\n{AGENT}    {} │ reading the logs\n", &first[28..]));
    terminal.wait_for(&format!("\nfrontend {} │ painting buttons", &second[28..]));
    cancel(&environment, &first);
    cancel(&environment, &second);
    terminal.wait_for("code 0").wait_for(&format!("{} │ frontend: cancelled in ", &second[28..]));
}

#[test]
fn a_long_answer_goes_through_a_pager() {
    let environment = with_agent();
    let lines: Vec<String> = (1..=100).map(|number| format!("line {number}")).collect();
    let id = submit_and_finish(&environment, &format!("fake: answer {}", lines.join("\\n")));
    let short = submit_and_finish(&environment, "fake: answer one\\ntwo");
    let Some(terminal) = Terminal::open(&environment, 80, 10) else { return };
    if std::path::Path::new("/usr/bin/less").exists() {
        terminal.enter(&format!("agent-dispatch result {id}; echo code $?"));
        terminal.wait("the first page", |screen| screen.contains("line 9\n:") && !screen.contains("code"));
        terminal.press("q").wait_for("code 0").enter("clear");
    }
    terminal.enter(&format!("agent-dispatch result {short}; echo code $?"));
    terminal.wait_for("one\ntwo\ncode 0").enter("clear");
    terminal.enter(&format!("agent-dispatch result --no-pager {id}; echo code $?"));
    terminal.wait_for("line 100\ncode 0").enter("clear");

    let pager = "PAGER=nothing AGENT_DISPATCH_PAGER=\"sed -n 's/^line \\(50\\|9\\)$/paged: &/p;52q'\"";
    terminal.enter(&format!("{pager} agent-dispatch result {id}; echo code $?"));
    terminal.wait_for("paged: line 9\npaged: line 50\ncode 0").enter("clear");
    // One that cannot be started, and one that is switched off.
    for variable in ["PAGER=no-such-program", "PAGER="] {
        terminal.enter(&format!("{variable} agent-dispatch result {id}; echo code $?"));
        terminal.wait_for("line 99\nline 100\ncode 0").enter("clear");
    }
}

#[test]
fn tables_fit_a_narrow_terminal() {
    let environment = with_agent();
    let id = submit(&environment, "a long task that does not fit into what is left of the line");
    wait_until(PATIENCE, "the job has finished", || environment.record(&id)["completed_at"].is_number());
    let long = "all that has to do with what runs where, how and for whom, in one place";
    environment.command(["agents", "update", AGENT, "--description", long]).run().expect_code(0);
    environment
        .command(["groups", "add", "shop", "--member", AGENT, "--description", long])
        .run()
        .expect_code(0);
    let file = environment.root().join("batch.yaml");
    fs::write(&file, format!("- {{agent: {AGENT}, task: \"fake: answer a word and another, and so on\"}}\n"))
        .unwrap();
    let Some(terminal) = Terminal::open(&environment, 80, 30) else { return };
    let batch = format!("batch -q {}", quoted(&file));
    for (columns, command, begins) in [
        (80, "jobs", format!("{id}  {AGENT}  done    now ")),
        (60, "jobs --tree", format!("{id}  {AGENT}  done    ")),
        (60, "jobs", format!("{id}  {AGENT}  done    ")),
        (40, "jobs", format!("{id}  done")),
        (60, "agents list", format!("{AGENT}  /")),
        (40, "agents list", format!("{AGENT}  /")),
        (20, "agents list", format!("{AGENT}  /")),
        (40, "groups list", format!("shop   {AGENT}    all that")),
        (40, "stats", format!("{AGENT}  ")),
        (60, &batch, format!("1  {AGENT}  done    01")),
        (40, &batch, format!("1  {AGENT}  done    a word and")),
    ] {
        terminal.resize(columns, 30);
        // What is typed would wrap too, and a new size takes a moment to arrive.
        let sized = format!("until stty size | grep -q ' {columns}$'; do :; done");
        let run = format!("c() {{ {sized}; clear; agent-dispatch {command}; echo code $?; }}");
        terminal
            .enter(&run)
            .enter("c")
            .wait("a screen of its own", |screen| screen.ends_with("\ncode 0\n$") && !screen.contains("c()"));
        let screen = terminal.screen();
        let lines: Vec<&str> = screen.lines().collect();
        assert_eq!(lines.len(), 4, "{columns}, {command}: a heading and a line\n{screen}");
        assert!(lines[1].starts_with(&begins), "{columns}, {command}:\n{screen}");
    }
}

#[test]
fn a_pager_is_run_without_a_shell() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let lines = (1..=60).map(|number| format!("fake: answer line {number}")).collect::<Vec<_>>().join("\n");
    environment.command(["run", "infra", &lines]).run().expect_code(0);
    let Some(terminal) = Terminal::open(&environment, 80, 24) else { return };
    let words = "touch shell-was-run; $(touch shell-was-run) | `touch shell-was-run`";
    terminal
        .enter(&format!("AGENT_DISPATCH_PAGER='echo {words}' agent-dispatch result latest; echo code $?"));
    // The words reach the program as they are.
    terminal.wait_for("touch shell-was-run; $(touch").wait_for("code 0");
    assert!(!environment.root().join("shell-was-run").exists());
}
