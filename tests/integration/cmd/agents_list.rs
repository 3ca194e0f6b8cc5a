//! `agents list`: who there is.

use std::fs;

use serde_json::json;

use test_support::TestEnvironment;

#[test]
fn without_a_config_it_says_how_to_add_an_agent() {
    let environment = TestEnvironment::new();
    for setup in ["", "agents: {}\n", "# nothing\n"] {
        if !setup.is_empty() {
            environment.write_config(setup);
        }
        let output = environment.command(["agents", "list"]).run().expect_code(0);
        assert_eq!(output.stdout, "");
        assert!(output.stderr.contains("agent-dispatch agents add NAME DIR"), "{}", output.stderr);
        let output = environment.command(["agents", "list", "--json"]).run().expect_code(0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("[]\n", ""));
    }
    fs::remove_file(environment.config()).unwrap();
    environment.command(["agents", "list"]).run().expect_code(0);
    assert!(!environment.config().exists(), "looking creates nothing");
}

#[test]
fn agents_are_a_table_in_the_order_of_the_file() {
    let environment = TestEnvironment::new();
    let (alpha, zeta) = (environment.project("alpha"), environment.project("zeta"));
    let output = environment.command(["agents", "list"]).run().expect_code(0);
    let rows: Vec<Vec<&str>> =
        output.stdout.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    let cells =
        |row: &[&str]| row.iter().copied().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("|");
    let rows: Vec<String> = rows.iter().map(|row| cells(row)).collect();
    assert_eq!(
        rows,
        [
            "AGENT|DIRECTORY|DESCRIPTION".to_owned(),
            format!("zeta|{}|the zeta project", zeta.display()),
            format!("alpha|{}|the alpha project", alpha.display()),
        ]
    );
    assert_eq!(output.stderr, "");
}

#[test]
fn json_has_what_is_configured_and_nothing_else() {
    let environment = TestEnvironment::new();
    let infra = environment.project_with("infra", "timeout: 1.5m\nallowed_tools: []\nmodel: opus");
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0).json();
    assert_eq!(
        listed,
        json!([{
            "name": "infra",
            "directory": infra,
            "description": "the infra project",
            "timeout": 90,
            "model": "opus",
            "allowed_tools": [],
            "backend": "claude",
            "exists": true,
        }])
    );
}

#[test]
fn a_directory_that_is_gone_is_marked() {
    let environment = TestEnvironment::new();
    let (gone, here) = (environment.project("gone"), environment.project("here"));
    fs::remove_dir(&gone).unwrap();
    let output = environment.command(["agents", "list"]).run().expect_code(0);
    assert!(output.stdout.contains(&format!("{} (missing)", gone.display())), "{}", output.stdout);
    assert!(!output.stdout.contains(&format!("{} (missing)", here.display())), "{}", output.stdout);
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0).json();
    assert_eq!((&listed[0]["name"], &listed[0]["exists"]), (&json!("here"), &json!(true)));
    assert_eq!((&listed[1]["name"], &listed[1]["exists"]), (&json!("gone"), &json!(false)));
}

#[test]
fn a_description_stays_on_its_line_and_drives_no_terminal() {
    let environment = TestEnvironment::new();
    environment.write_config(
        "agents:\n  a:\n    directory: /\n    description: \"one\\ntwo \\e[31mred\\e[0m\"\n  b: {directory: /}\n",
    );
    let output = environment.command(["agents", "list"]).run().expect_code(0);
    assert_eq!(output.stdout.lines().count(), 3, "{}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}'), "{}", output.stdout.escape_debug());
}
