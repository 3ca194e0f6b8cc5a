//! `agents.yaml`.

#![no_main]

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;

use agent_dispatch::config;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FILE: OnceCell<(tempfile::TempDir, PathBuf)> = const { OnceCell::new() };
}

fuzz_target!(|input: &[u8]| {
    FILE.with(|file| {
        let (_, path) = file.get_or_init(|| {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("agents.yaml");
            (directory, path)
        });
        fs::write(path, input).expect("a file");
        if let Err(error) = config::load(path) {
            let message = error.to_string();
            assert!(message.contains("agents.yaml"), "an error names the file: {message}");
            let _ = error.remedy();
        }
    });
});
