//! As much HTTP/1.1 as claude speaks.

#![expect(unsafe_code, reason = "SO_LINGER is not stable in the standard library")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use serde_json::Value;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Null when there is none.
    pub body: Value,
}

impl Request {
    /// Whether a reply of the model is asked for.
    pub fn is_message(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        self.method == "POST" && path == "/v1/messages"
    }

    /// Whether this is a turn of the conversation: auxiliary calls (titles, summaries) offer the model no tools.
    pub fn is_turn(&self) -> bool {
        self.is_message() && self.body["tools"].as_array().is_some_and(|tools| !tools.is_empty())
    }

    /// The names of the tools the model may call.
    pub fn tools(&self) -> Vec<&str> {
        let tools = self.body["tools"].as_array().into_iter().flatten();
        tools.filter_map(|tool| tool["name"].as_str()).collect()
    }

    /// The system prompt.
    pub fn system(&self) -> String {
        text_of(&self.body["system"])
    }

    /// The text of all messages: `role: text`, tool results included.
    pub fn conversation(&self) -> String {
        let messages = self.body["messages"].as_array().into_iter().flatten();
        messages
            .map(|message| {
                format!("{}: {}\n", message["role"].as_str().unwrap_or("?"), text_of(&message["content"]))
            })
            .collect()
    }
}

/// The text of a content: a string, or blocks.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts: Vec<String> = blocks.iter().map(text_of).filter(|text| !text.is_empty()).collect();
            texts.join("\n")
        }
        Value::Object(block) => {
            let text = block.get("text").or_else(|| block.get("content"));
            text.map(text_of).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Reads one request.
pub(super) fn read(connection: &mut TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request { method, path, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// Writes a whole reply.
pub(super) fn write(
    connection: &mut TcpStream,
    status: u16,
    headers: &[(String, String)],
    content_type: &str,
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status} Reply\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\nrequest-id: req_test\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)?;
    connection.flush()
}

/// Whether the client still waits.
pub(super) fn is_open(connection: &TcpStream) -> bool {
    if connection.set_nonblocking(true).is_err() {
        return false;
    }
    match connection.peek(&mut [0]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

/// Closes with RST, as a broken network does.
pub(super) fn reset(connection: TcpStream) -> io::Result<()> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: the descriptor is open and the option's value lives through the call.
    let set = unsafe {
        libc::setsockopt(
            connection.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<libc::linger>() as libc::socklen_t,
        )
    };
    drop(connection);
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
