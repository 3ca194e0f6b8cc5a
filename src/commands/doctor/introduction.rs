//! Letting an MCP server introduce itself.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::os::{Probe, ProbeError, read_all};

/// What an MCP server calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerInfo {
    pub(super) name: String,
    pub(super) version: String,
}

/// Starts an MCP server, lets it introduce itself and ends it.
pub(super) fn introduce(mut command: Command, limit: Duration) -> Result<ServerInfo, ProbeError> {
    let end = Instant::now() + limit;
    command.stdin(Stdio::piped());
    let mut probed = Probe::start(command)?;
    let pipes = (probed.child.stdin.take(), probed.child.stdout.take(), probed.child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("it has no standard streams").into());
    };
    let stderr = read_all(stderr);
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        while stdout.read_line(&mut line).is_ok_and(|length| length > 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                break;
            }
        }
    });
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "agent-dispatch-doctor", "version": env!("CARGO_PKG_VERSION")},
    }});
    // One that has ended already says why in another way.
    let _ = writeln!(stdin, "{request}");
    loop {
        let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) else {
            // It is silent, or has closed its output: then it is about to end.
            let soon = end.min(Instant::now() + Duration::from_millis(500));
            return Err(match probed.wait(soon)? {
                None => ProbeError::Silent(limit),
                Some(status) => {
                    let stderr = stderr.recv_timeout(Duration::from_millis(100)).unwrap_or_default();
                    ProbeError::Failed { status, said: String::from_utf8_lossy(&stderr).into_owned() }
                }
            });
        };
        let Ok(answer) = serde_json::from_str::<Value>(&line) else {
            return Err(ProbeError::Garbled(line.chars().take(200).collect()));
        };
        // Notifications may come first.
        if answer["id"] != 1 {
            continue;
        }
        let info = &answer["result"]["serverInfo"];
        let (Some(name), Some(version)) = (info["name"].as_str(), info["version"].as_str()) else {
            return Err(ProbeError::Garbled(answer.to_string().chars().take(200).collect()));
        };
        let info = ServerInfo { name: name.to_owned(), version: version.to_owned() };
        drop(stdin);
        probed.wait(Instant::now() + Duration::from_secs(1))?;
        return Ok(info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "/bin/sh";

    #[test]
    fn a_server_introduces_itself_or_says_why_not() {
        let limit = Duration::from_secs(30);
        let serve = |script: &str| {
            let mut server = Command::new(SHELL);
            server.args(["-c", script]);
            introduce(server, limit)
        };
        let answer = r#"read r; echo '{"method": "x"}'; echo '{"id": 1, "result": {"serverInfo": {"name": "a", "version": "1"}}}'; read r"#;
        assert_eq!(serve(answer).unwrap(), ServerInfo { name: "a".into(), version: "1".into() });
        let error = serve("echo broken >&2; exit 1").unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
        assert!(matches!(serve("echo hello; read r"), Err(ProbeError::Garbled(_))));
    }
}
