//! Directories that are there and that this user cannot enter: nothing says that they do not exist.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use test_support::{Output, TestEnvironment, quoted};

fn set_mode(directory: &Path, mode: u32) {
    fs::set_permissions(directory, fs::Permissions::from_mode(mode)).expect("a directory of ours");
}

#[test]
fn a_directory_that_cannot_be_entered_is_not_told_as_missing() {
    let environment = TestEnvironment::new();
    let closed = environment.project("closed");
    let above = environment.root().join("above");
    fs::create_dir_all(above.join("below")).expect("a directory");
    environment.command(["agents", "add", "below"]).arg(above.join("below")).run().expect_code(0);
    let run = |arguments: &[&str]| environment.command(arguments).bound_by_modes().run();
    set_mode(&closed, 0o000);
    set_mode(&above, 0o000);
    let outputs: Vec<Output> = [
        &["run", "closed", "hello"][..],
        &["run", "below", "hello"],
        &["agents", "list"],
        &["doctor"],
        &["agents", "list", "--json"],
    ]
    .into_iter()
    .map(run)
    .collect();
    set_mode(&closed, 0o700);
    set_mode(&above, 0o700);
    let [in_closed, in_below, list, doctor, json] = outputs.try_into().expect("five");
    for output in [&in_closed, &in_below, &list, &doctor] {
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(!text.contains("does not exist") && !text.contains("missing"), "{text}");
    }
    assert_eq!((in_closed.code, in_below.code), (Some(3), Some(3)));
    assert!(in_closed.stderr.contains("cannot be entered (Permission denied"), "{}", in_closed.stderr);
    assert!(in_closed.stderr.contains(&format!("chmod u+x {}`", quoted(&closed))), "{}", in_closed.stderr);
    let barrier = format!("cannot be reached, because {} cannot be entered", above.display());
    assert!(in_below.stderr.contains(&barrier), "{}", in_below.stderr);
    assert!(in_below.stderr.contains(&format!("chmod u+x {}`", quoted(&above))), "{}", in_below.stderr);
    assert!(
        list.stdout.contains("(cannot be entered)") && list.stdout.contains("(cannot be reached)"),
        "{}",
        list.stdout
    );
    assert!(doctor.stdout.contains(&format!("chmod u+x {}", quoted(&above))), "{}", doctor.stdout);
    let json = json.expect_code(0).json();
    assert_eq!((json[1].get("exists"), &json[0]["exists"]), (None, &true.into()), "{json}");
}
