use super::*;

fn of(line: &str) -> (Option<String>, Option<String>) {
    let words = format!("agent-dispatch {ENTRY} {line}");
    let global = places(words.split(' ').map(OsString::from).collect::<Vec<_>>().into_iter());
    let text = |path: Option<std::path::PathBuf>| path.map(|path| path.display().to_string());
    (text(global.config), text(global.jobs_dir))
}

#[test]
fn the_places_on_the_line_are_those_that_are_looked_at() {
    let both = (Some("a.yaml".to_owned()), Some("j".to_owned()));
    assert_eq!(of("agent-dispatch --config a.yaml --jobs-dir j run "), both);
    assert_eq!(of("agent-dispatch run x --config=a.yaml --jobs-dir=j "), both);
    assert_eq!(of("agent-dispatch run x --config"), (None, None));
    let home = config::home_directory().unwrap().join("a.yaml");
    assert_eq!(of("agent-dispatch --config ~/a.yaml").0, Some(home.display().to_string()));
}
