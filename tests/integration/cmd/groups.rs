//! `groups`: working sets of agents, in the config.

use std::fs;

use serde_json::json;

use test_support::{Output, TestEnvironment};

fn groups(environment: &TestEnvironment, arguments: &[&str]) -> Output {
    environment.command(["groups"]).args(arguments).run()
}

fn with_agents() -> TestEnvironment {
    let environment = TestEnvironment::new();
    for name in ["api", "web", "db"] {
        environment.project(name);
    }
    environment
}

#[test]
fn a_group_is_made_shown_changed_and_forgotten() {
    let environment = with_agents();
    let member = ["--member", "api=routes, and their tests", "--member", "web"];
    let add = ["add", "shop", "--description", "the shop", "--shared-context", "Prices are in cents."];
    let output = groups(&environment, &[&add[..], &member[..]].concat()).expect_code(0);
    assert_eq!(output.stdout, "added shop: 2 members\n");
    let show = |environment: &_| groups(environment, &["show", "shop", "--json"]).expect_code(0).json();
    assert_eq!(
        show(&environment),
        json!({
            "name": "shop", "description": "the shop", "shared_context": "Prices are in cents.",
            "members": [{"agent": "api", "use_for": "routes, and their tests"}, {"agent": "web"}],
        })
    );
    let listed = groups(&environment, &["list"]).expect_code(0).stdout;
    assert_eq!(listed, "GROUP  MEMBERS   DESCRIPTION\nshop   api, web  the shop\n");

    let update =
        ["update", "shop", "--member", "db=migrations", "--remove-member", "web", "--unset", "description"];
    groups(&environment, &update).expect_code(0);
    let members = json!([{"agent": "api", "use_for": "routes, and their tests"}, {"agent": "db", "use_for": "migrations"}]);
    let shown = show(&environment);
    assert_eq!((&shown["members"], shown.get("description")), (&members, None));

    groups(&environment, &["remove", "shop"]).expect_code(0);
    assert_eq!(groups(&environment, &["list", "--json"]).expect_code(0).json(), json!([]));
}

#[test]
fn what_a_member_is_told_goes_with_its_task() {
    let environment = with_agents();
    groups(&environment, &["add", "shop", "--member", "api", "--shared-context", "Prices are in cents."])
        .expect_code(0);
    let output =
        environment.command(["run", "api", "fake: echo-prompt", "--group", "shop"]).run().expect_code(0);
    assert!(output.stdout.contains("Prices are in cents."), "{}", output.stdout);
}

#[test]
fn wrong_names_change_nothing_and_are_met_with_the_right_ones() {
    let environment = with_agents();
    groups(&environment, &["add", "shop", "--member", "api"]).expect_code(0);
    let before = fs::read_to_string(environment.config()).unwrap();
    for (arguments, code, said) in [
        (&["add", "shop"][..], 2, "agent-dispatch groups update shop --member "),
        (&["add", "new", "--member", "apj"], 3, "did you mean 'api'?"),
        (&["show", "shp"], 3, "did you mean 'shop'?"),
        (&["update", "shop", "--remove-member", "web"], 3, "'web' is not a member"),
        (&["update", "shop"], 2, "there is nothing to change"),
        (&["update", "shop", "--description", "x", "--unset", "description"], 2, "both set and unset"),
        (&["remove", "zzz"], 3, "agent-dispatch groups list"),
    ] {
        let output = groups(&environment, arguments).expect_code(code);
        assert!(output.stderr.contains(said), "{arguments:?}: {}", output.stderr);
    }
    assert_eq!(fs::read_to_string(environment.config()).unwrap(), before);
}
