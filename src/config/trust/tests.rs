use super::*;

fn vouched(given: &str) -> Vouched {
    Vouched { given: Some(given.into()) }
}

#[test]
fn the_user_vouches_for_what_is_named_and_for_what_is_below_it() {
    let paths = vouched("/srv/a/agents.yaml:/srv/b:relative");
    assert!(paths.covers(Path::new("/srv/a/agents.yaml")));
    assert!(paths.covers(Path::new("/srv/b/deep/agents.yaml")));
    assert!(!paths.covers(Path::new("/srv/a/other.yaml")));
    assert!(!paths.covers(Path::new("/srv/bb/agents.yaml")));
    assert!(!paths.covers(&std::env::current_dir().unwrap().join("relative")));
    assert!(!Vouched::default().covers(Path::new("/srv/b")));
    assert!(!vouched("::").covers(Path::new("/srv/b")));
}

#[test]
fn what_is_to_be_set_keeps_what_is_set_already() {
    assert_eq!(Vouched::default().with(Path::new("/a b/c")), "AGENT_DISPATCH_TRUST='/a b/c'");
    assert_eq!(vouched("/srv/b").with(Path::new("/x")), "AGENT_DISPATCH_TRUST=/srv/b:/x");
}
