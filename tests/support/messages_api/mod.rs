//! The Anthropic Messages API on the loopback: what the real claude talks to in the end-to-end tests.
//!
//! A script answers the turns of the conversation; calls that are no turn (a title, a health check, telemetry)
//! get an answer of their own and never use up a scripted reply. Every request is recorded.

mod http;
mod reply;

pub use http::Request;
pub use reply::Reply;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A server that stops, with everything it stalls, when it is dropped.
pub struct MessagesApi {
    address: SocketAddr,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

struct State {
    script: Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    stopping: AtomicBool,
}

impl MessagesApi {
    /// Replies to the turns in this order; the last reply is given to every further turn.
    pub fn replying(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        assert!(!replies.is_empty(), "a script needs a reply");
        replies.reverse();
        let replies = Mutex::new(replies);
        Self::start(move |_| {
            let mut replies = replies.lock().unwrap_or_else(PoisonError::into_inner);
            match replies.len() {
                1 => replies[0].clone(),
                _ => replies.pop().expect("more than one reply is left"),
            }
        })
    }

    /// Asks this for the reply to each turn.
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on the loopback");
        let address = listener.local_addr().expect("the address of the server");
        let state = Arc::new(State {
            script: Box::new(script),
            requests: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let server = Arc::clone(&state);
        let listener = std::thread::spawn(move || server.listen(&listener));
        Self { address, state, listener: Some(listener) }
    }

    /// The value for `ANTHROPIC_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The turns of the conversation so far.
    pub fn turns(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_turn).collect()
    }
}

impl Drop for MessagesApi {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // A last connection wakes the listener up.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl State {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming() {
            if self.is_stopping() {
                return;
            }
            let Ok(connection) = connection else { continue };
            let state = Arc::clone(self);
            // A client that went away in the middle of a reply is no failure of the test.
            std::thread::spawn(move || drop(state.serve(connection)));
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// One request a connection: every reply closes it.
    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        let request = http::read(&mut connection)?;
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let reply = if request.is_turn() {
            (self.script)(&request)
        } else if request.is_message() {
            Reply::text("Test")
        } else {
            return http::write(&mut connection, 404, &[], "application/json", b"{}");
        };
        if reply.is_stall() {
            while !self.is_stopping() && http::is_open(&connection) {
                std::thread::sleep(Duration::from_millis(5));
            }
            return Ok(());
        }
        if reply.is_reset() {
            return http::reset(connection);
        }
        let (status, headers, content_type, body) = reply.render(&request);
        http::write(&mut connection, status, &headers, content_type, body.as_bytes())
    }
}
