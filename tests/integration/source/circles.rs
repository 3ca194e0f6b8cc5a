//! No circle: neither between files nor between the modules at the top.

use std::collections::{BTreeMap, BTreeSet};

use super::architecture::sources;
use super::rust::{self as source, Source};

/// Which file needs which.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// The sources by the module that each is.
struct Tree<'a> {
    by_module: BTreeMap<&'a [String], &'a Source>,
    /// What each module passes on under a name, and where it has it from.
    passed_on: BTreeMap<&'a [String], BTreeMap<String, Vec<String>>>,
}

impl<'a> Tree<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let by_module: BTreeMap<&[String], &Source> =
            sources.iter().map(|source| (source.module.as_slice(), source)).collect();
        let passed_on = sources.iter().map(|source| (source.module.as_slice(), source::re_exports(source)));
        Self { passed_on: passed_on.collect(), by_module }
    }

    /// The file in which that which a path names is defined.
    fn file(&self, path: &[String]) -> Option<&'a str> {
        let mut path = path.to_vec();
        // As often as something can be passed on.
        for _ in 0..10 {
            let depth = (0..=path.len()).rev().find(|depth| self.by_module.contains_key(&path[..*depth]))?;
            let module = &path[..depth];
            let passed_on = path.get(depth).and_then(|item| self.passed_on[module].get(item));
            match passed_on {
                Some(origin) => path = origin.iter().chain(&path[depth + 1..]).cloned().collect(),
                None => return Some(&self.by_module[module].name),
            }
        }
        None
    }

    fn needs(&self) -> Needs {
        let needs = self.by_module.values().map(|source| {
            let own = |name: &str| name == source.name;
            let paths = source::needed_paths(source, |child| {
                let mut module = source.module.clone();
                module.push(child.to_owned());
                self.by_module.contains_key(module.as_slice())
            });
            let files = paths.iter().filter_map(|path| self.file(path)).filter(|name| !own(name));
            (source.name.clone(), files.map(str::to_owned).collect())
        });
        needs.collect()
    }
}

/// The groups that need each other, each in the order of their names.
fn circles(needs: &Needs) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = needs
        .keys()
        .map(|from| {
            let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(at) = next.pop() {
                next.extend(needs.get(at).into_iter().flatten().filter(|to| reached.insert(*to)));
            }
            (from, reached)
        })
        .collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, reached) in &reach {
        let back = reached.iter().filter(|to| reach.get(**to).is_some_and(|reached| reached.contains(from)));
        let circle: Vec<String> = back.map(|name| (*name).clone()).collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// Which of a circle needs which, a line each.
fn arrows(circle: &[String], needs: &Needs) -> String {
    let line = |from: &String| {
        let to: Vec<&str> =
            circle.iter().filter(|to| needs[from].contains(*to)).map(String::as_str).collect();
        format!("  {from} needs {}", to.join(", "))
    };
    circle.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The same for the modules at the top.
fn rooms(needs: &Needs) -> Needs {
    let room = |file: &str| file.split('/').next().unwrap_or(file).trim_end_matches(".rs").to_owned();
    let mut rooms = Needs::new();
    for (from, to) in needs {
        let others = to.iter().map(|to| room(to)).filter(|to| *to != room(from));
        rooms.entry(room(from)).or_default().extend(others);
    }
    rooms
}

#[test]
fn no_file_and_no_module_needs_itself_by_way_of_others() {
    let sources = sources();
    let needs = Tree::new(&sources).needs();
    assert!(needs.values().map(BTreeSet::len).sum::<usize>() > 300, "what needs what is found");
    for needs in [&needs, &rooms(&needs)] {
        let found: Vec<String> = circles(needs).iter().map(|circle| arrows(circle, needs)).collect();
        assert!(found.is_empty(), "in circles:\n{}", found.join("\n\n"));
    }
}

#[test]
fn planted_circles_are_found() {
    let planted = |files: &[(&str, &str)]| {
        let sources: Vec<Source> = files.iter().map(|(name, text)| Source::new(name, text)).collect();
        circles(&Tree::new(&sources).needs())
    };
    let lobby = ("a/mod.rs", "mod b;\nmod c;\npub use b::{B, x as y};\npub use c::C;");
    let circle = vec![vec!["a/b.rs".to_owned(), "a/c.rs".to_owned()]];
    for (b, c) in [
        ("use super::C; pub struct B;", "use crate::a::B; pub struct C;"),
        ("use super::C; pub fn x() {}", "fn f() { super::y() } pub struct C;"),
        ("use super::c; pub struct B;", "fn f() { super::b::g() } pub struct C;"),
    ] {
        assert_eq!(planted(&[lobby, ("a/b.rs", b), ("a/c.rs", c)]), circle, "{b} {c}");
    }
    let child = [("a/mod.rs", "mod b;\nfn f() { b::g() }\nconst N: u8 = 1;"), ("a/b.rs", "use super::N;")];
    assert_eq!(planted(&child), [["a/b.rs", "a/mod.rs"]]);
    // A lobby that only passes on is in no circle, and tests may name what they like.
    let fine = [
        lobby,
        ("a/b.rs", "use super::C; pub struct B;"),
        ("a/c.rs", "pub struct C;\n#[cfg(test)]\nmod tests { use super::super::B; }"),
    ];
    assert_eq!(planted(&fine), Vec::<Vec<String>>::new());
}
