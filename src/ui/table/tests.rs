use super::*;

const ID: &str = "01a209331d3876c7a52229fd08f88e7f";

fn jobs() -> Table<'static> {
    let row = |id: &str, status, tone, created: &str, task: &str| {
        let status = Cell::toned(status, tone);
        vec![id.into(), "frontend".into(), status, created.into(), "$0.0412".into(), task.into()]
    };
    Table {
        headings: &["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"],
        spare: &["COST", "CREATED", "AGENT", "TASK"],
        last_at_least: 8,
        rows: vec![
            row(ID, "cancelled", Tone::Bad, "12d ago", "Read the logs of the last week"),
            row("1", "done", Tone::Good, "now", "日本語のタスクは幅が倍になります"),
        ],
    }
}

fn plain(width: usize) -> String {
    jobs().lay_out(Some(width), false)
}

#[test]
fn without_a_terminal_everything_is_there() {
    assert_eq!(
        jobs().lay_out(None, false),
        "JOB                               AGENT     STATUS     CREATED  COST     TASK\n\
         01a209331d3876c7a52229fd08f88e7f  frontend  cancelled  12d ago  $0.0412  Read the logs of the last week\n\
         1                                 frontend  done       now      $0.0412  日本語のタスクは幅が倍になります"
    );
}

#[test]
fn at_80_columns_only_the_cost_of_jobs_is_left_out() {
    assert_eq!(
        plain(80),
        "JOB                               AGENT     STATUS     CREATED  TASK\n\
         01a209331d3876c7a52229fd08f88e7f  frontend  cancelled  12d ago  Read the logs o…\n\
         1                                 frontend  done       now      日本語のタスク…"
    );
}

#[test]
fn no_line_is_ever_wider_than_the_terminal_and_the_id_is_cut_last() {
    for width in 4..110 {
        let text = plain(width);
        let widest = text.lines().map(measure_text_width).max();
        assert!(widest <= Some(width), "{width}:\n{text}");
        assert_eq!(text.lines().count(), 3, "{width}:\n{text}");
        assert_eq!(text.contains(ID), width >= ID.len() + 3, "{width}:\n{text}");
    }
    assert_eq!(plain(40).lines().nth(1), Some("01a209331d3876c7a52229fd08f88e7f  cance…"));
}

#[test]
fn what_fits_is_not_cut() {
    let table = Table {
        headings: &["JOB", "DOING"],
        spare: &[],
        last_at_least: 24,
        rows: vec![vec!["1".into(), "Read /srv/a/very/long/path".into()]],
    };
    assert!(table.lay_out(Some(31), false).ends_with("\n1    Read /srv/a/very/long/path"));
    assert!(table.lay_out(Some(30), false).ends_with("\n1    Read /srv/a/very/long/pa…"));
}

#[test]
fn columns_that_cannot_be_left_out_share_what_room_there_is() {
    let directory = "/home/me/projects/".to_owned() + &"deep/".repeat(20);
    let table = Table {
        headings: &["AGENT", "DIRECTORY", "DESCRIPTION"],
        spare: &[],
        last_at_least: 24,
        rows: vec![vec!["web".into(), directory.into(), "What people see, and how it looks to them".into()]],
    };
    let line = |width| table.lay_out(Some(width), false).lines().nth(1).map(str::to_owned);
    assert_eq!(
        line(80).as_deref(),
        Some("web    /home/me/projects/deep/deep/deep/deep/deep/dee…  What people see, and ho…")
    );
    assert_eq!(line(40).as_deref(), Some("web    /home/me/projects/deep…  What pe…"));
}

#[test]
fn a_colour_changes_no_width() {
    let colored = jobs().lay_out(Some(80), true);
    assert!(colored.contains("  \x1b[38;5;1mcancelled"), "{colored:?}");
    assert_eq!(console::strip_ansi_codes(&colored), plain(80));
}

#[test]
fn what_would_control_the_terminal_is_left_out() {
    assert_eq!(Cell::from("a\nb\x1b[2Jc"), Cell::from("a bc"));
}
