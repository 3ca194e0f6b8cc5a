//! The two streams a client is listened to and talked to on.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::unix::pipe;

/// What is read from.
pub(super) type Input = Box<dyn AsyncRead + Send + Unpin>;
/// What is written to.
pub(super) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input and output. A stream that the client's runtime has put into non-blocking mode is served as what it
/// is: a blocking read of one that says "not now" would pass for the end of the session.
pub(super) fn standard() -> (Input, Output) {
    // What a pipe does here, reading and writing when the reactor says so, a socket and a terminal do as well.
    let input = non_blocking(rustix::stdio::stdin())
        .and_then(|input| Some(Box::new(pipe::Receiver::from_owned_fd_unchecked(input).ok()?) as Input));
    let output = non_blocking(rustix::stdio::stdout())
        .and_then(|output| Some(Box::new(pipe::Sender::from_owned_fd_unchecked(output).ok()?) as Output));
    if input.is_none() && output.is_none() {
        let (input, output) = rmcp::transport::stdio_pipes();
        return (Box::new(input), Box::new(output));
    }
    let (blocking_input, blocking_output) = rmcp::transport::stdio();
    (input.unwrap_or_else(|| Box::new(blocking_input)), output.unwrap_or_else(|| Box::new(blocking_output)))
}

/// Another descriptor of the stream, if it does not block.
fn non_blocking(stream: BorrowedFd<'_>) -> Option<OwnedFd> {
    let is_so = fcntl_getfl(stream).ok()?.contains(OFlags::NONBLOCK);
    is_so.then(|| stream.try_clone_to_owned().ok()).flatten()
}
