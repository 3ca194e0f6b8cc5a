use super::*;

#[test]
fn the_last_lines_are_kept() {
    let text: String = (0..100).map(|n| format!("line {n}\n\n")).collect();
    assert_eq!(clean(&text).lines().count(), LINES);
    assert!(clean(&text).ends_with("line 99"));
}

#[test]
fn a_printed_exception_loses_its_source_and_frames() {
    let text = format!(
        "104 | function a(){{{}}}\n          ^\nerror: \u{1b}[31m--max-budget-usd\u{1b}[0m must be positive\n      at main (/$bunfs/root/x.js:1:2)\n{}\n",
        "b;".repeat(40),
        "var a=1;".repeat(400),
    );
    assert_eq!(clean(&text), "error: --max-budget-usd must be positive");
}

#[test]
fn a_secret_is_cut_before_the_line_is() {
    let text = format!("{} AKIAIOSFODNN7EXAMPLE", "x".repeat(LINE_LIMIT - 12));
    assert!(clean(&text).ends_with(" AKIA…"), "{}", clean(&text));
    assert_eq!(clean("key \u{1b}[1msk-ant-\u{1b}[0mapi03-AbC"), "key sk-ant-…");
}

#[test]
fn a_missing_file_says_nothing() {
    let directory = super::super::testing::folder();
    assert_eq!(tail(&JobFolder::open(directory.path()).unwrap()), "");
}

#[test]
fn only_the_end_of_a_huge_file_is_read() {
    let directory = super::super::testing::folder();
    let path = directory.path().join("stderr.log");
    std::fs::write(&path, format!("{}the end\n", "early\n".repeat(500_000))).unwrap();
    assert!(tail(&JobFolder::open(directory.path()).unwrap()).ends_with("the end"));
    assert_eq!(end_of(&File::open(&path).unwrap(), WINDOW).unwrap().len() as u64, WINDOW);
}
