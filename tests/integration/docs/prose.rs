//! The documents as texts: sentences that can be read at once, and links that lead somewhere.

use std::fs;

use super::readme::checkout;

/// From this number of words on, a sentence is too long.
const LONG_SENTENCE: usize = 40;

/// From this number of words on, a cell of a table is a section.
const LONG_CELL: usize = 30;

fn document(name: &str) -> String {
    fs::read_to_string(checkout().join(name)).expect("a document")
}

/// The lines of a document that are not in blocks of code.
fn lines_outside_code(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let outside = |line: &&str| {
        is_code ^= line.starts_with("```");
        !is_code && !line.starts_with("```")
    };
    text.lines().filter(outside).collect()
}

/// The sentences of a document: of its paragraphs, and of each item of a list.
fn sentences(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in lines_outside_code(text).into_iter().filter(|line| !line.starts_with(['|', '#', '<'])) {
        if line.is_empty() || line.trim_start().starts_with("- ") {
            blocks.push(String::new());
        }
        let block = blocks.last_mut().expect("a block");
        block.push_str(line);
        block.push(' ');
    }
    let ends = |block: &str| {
        block.replace("? ", ". ").replace(".** ", ". ").split(". ").map(str::to_owned).collect::<Vec<_>>()
    };
    blocks.iter().flat_map(|block| ends(block)).collect()
}

fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

#[test]
fn no_sentence_of_the_readme_is_long_and_no_cell_a_section() {
    let readme = document("README.md");
    let long: Vec<String> =
        sentences(&readme).into_iter().filter(|sentence| words(sentence) >= LONG_SENTENCE).collect();
    assert!(long.is_empty(), "{long:#?}");
    let rows = lines_outside_code(&readme).into_iter().filter(|line| line.starts_with('|'));
    let cells: Vec<&str> =
        rows.flat_map(|row| row.split('|')).filter(|cell| words(cell) >= LONG_CELL).collect();
    assert!(cells.is_empty(), "{cells:#?}");
    assert!(sentences(&readme).len() > 200, "they are found");
    let planted = format!("One. {}end.\n\n- two\n", "word ".repeat(39));
    assert_eq!(sentences(&planted).iter().map(|sentence| words(sentence)).max(), Some(LONG_SENTENCE));
}

/// The part of a link after `#` that leads to a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.trim_start_matches('#')
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut seen = 0;
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = document(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            seen += 1;
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { name } else { file };
            assert!(checkout().join(file).exists(), "{name}: {link}: there is no such file");
            if !place.is_empty() {
                let target = document(file);
                let mut headings =
                    lines_outside_code(&target).into_iter().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|heading| anchor(heading) == place),
                    "{name}: {link}: there is no such heading"
                );
            }
        }
    }
    assert!(seen > 40, "{seen} links were found");
}

#[test]
fn every_file_that_the_guides_name_is_there() {
    let folders = ["src/", "tests/", "examples/", "benches/", ".ci/"];
    let (mut seen, mut missing) = (0, Vec::new());
    for (name, base) in
        [("CONTRIBUTING.md", ""), ("SECURITY.md", ""), ("README.md", ""), ("src/lib.rs", "src/")]
    {
        for path in document(name).split('`').skip(1).step_by(2) {
            let is_path = if base.is_empty() {
                folders.iter().any(|folder| path.starts_with(folder))
            } else {
                path.ends_with(".rs")
            };
            if is_path && !path.contains(['*', '{', ' ']) && !path.contains("NAME") {
                seen += 1;
                if !checkout().join(base).join(path).exists() {
                    missing.push(format!("{name}: {path}"));
                }
            }
        }
    }
    assert_eq!(missing, [""; 0]);
    assert!(seen > 60, "{seen} were found");
}

#[test]
fn every_word_of_the_fake_agent_is_in_the_guide() {
    let language = document("tests/fake-agent/script.rs");
    let parser = language.split("    Ok(match name {").nth(1).and_then(|rest| rest.split("\n    })").next());
    let words: Vec<&str> = parser
        .expect("the words")
        .lines()
        .filter_map(|line| line.strip_prefix("        \"")?.split_once("\" =>"))
        .map(|(word, _)| word)
        .collect();
    let guide = document("CONTRIBUTING.md");
    let guide = guide.split("### The language of the fake agent").nth(1).expect("the section");
    let is_there = |word: &&str| [' ', '`'].iter().any(|end| guide.contains(&format!("`{word}{end}")));
    let missing: Vec<&str> = words.iter().copied().filter(|word| !is_there(word)).collect();
    assert_eq!(missing, [""; 0]);
    assert!(words.len() > 35, "{words:?}");
}
