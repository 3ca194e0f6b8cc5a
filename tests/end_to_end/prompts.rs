//! The task arrives as it was given, whatever it looks like.

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

#[test]
fn a_task_of_a_megabyte_arrives_whole() {
    in_namespace(|| {
        let task: String = (0..34_000).map(|line| format!("{line:05}: some line of a long log\n")).collect();
        assert!(task.len() > 1 << 20);
        let scene = Scene::new("", [Reply::text("read")]);
        let output = scene.run(["-"]).stdin(task.as_str()).run().expect_code(0);
        assert_eq!(output.stdout, "read\n");
        assert!(scene.api.turns()[0].conversation().contains(task.trim_end()));
        assert_eq!(scene.environment.only_record()["task"], task.as_str());
    });
}

#[test]
fn a_task_that_looks_like_a_command_is_no_command() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("done")]);
        for (number, task) in ["/fix the bug", "/clear", "  /compact now", "\u{feff}/clear", "\u{200b}/clear"]
            .into_iter()
            .enumerate()
        {
            assert_eq!(scene.run([task]).run().expect_code(0).stdout, "done\n", "{task}");
            let turns = scene.api.turns();
            assert_eq!(turns.len(), number + 1, "{task} reached the model");
            assert!(turns[number].conversation().contains(task), "{task}");
        }
    });
}

#[test]
fn a_task_that_looks_like_an_option_is_a_task() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("done")]);
        scene.run(["--version is wrong, fix it"]).run().expect_code(0);
        assert!(scene.last_told().contains("--version is wrong, fix it"));
        scene.run(["-"]).stdin("--help").run().expect_code(0);
        assert!(scene.last_told().contains("--help"));
        assert_eq!(scene.api.turns().len(), 2);
    });
}

#[test]
fn no_character_of_a_task_is_lost() {
    in_namespace(|| {
        let task = "it's \"so\" $HOME `id` \\n %s !! #1 ü 🦀 e\u{301} \u{202e}abc\u{202c}\ttab \u{1b}[31mred\u{7f}\nlast <b>&amp;</b>";
        let scene = Scene::new("", [Reply::text("done")]);
        scene.run([task]).run().expect_code(0);
        let told = scene.api.turns()[0].conversation();
        assert!(told.contains(task), "{told:?}");
    });
}

#[test]
fn a_mention_brings_the_file_along() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("done")]);
        std::fs::write(scene.project.join("notes.md"), "the secret of the notes").unwrap();
        scene.run(["read @notes.md"]).run().expect_code(0);
        let told = scene.api.turns()[0].conversation();
        assert!(told.contains("read @notes.md") && told.contains("the secret of the notes"), "{told}");
    });
}
