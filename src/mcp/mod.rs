//! The MCP server: the engine's jobs as tools on standard input and output.
//!
//! The only module that knows MCP. Every call is a look at the store or the start of an ordinary job; the server keeps
//! nothing that its end could lose. [`serve`] runs it; `door` lets in what the client's `authority` allows, `server` answers
//! the protocol, `tools` says what there is, and each of the other modules is what one kind of tool does.

mod agents;
mod arguments;
mod authority;
mod configure;
mod dispatch;
mod door;
mod inputs;
mod jobs;
mod parallel;
mod refused;
mod remedy;
mod result;
mod scope;
mod server;
mod server_state;
mod session;
mod streams;
mod suggest;
mod tasks;
mod tool;
mod tools;
mod waiting;
mod window;
mod wire;

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::service::{QuitReason, ServerInitializeError};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::remedy::Commands;
pub use authority::Authority;
use door::Door;
use server::Server;
use server_state::ServerState;
use session::Session;
use wire::Wire;

/// How long a client is listened to after the signal to end, unless its input ends before. Claude Code 2.1.330 takes its calls
/// back 15 to 60 ms after the signal, and later on a busy machine.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long answers that are on their way may take when the server is to end.
const FAREWELL: Duration = Duration::from_millis(40);

/// How many calls look or start something at the same moment. Each has files open meanwhile; more would be no faster.
const BLOCKING_THREADS: usize = 16;

/// Serves one client on standard input and output until it goes, or until a signal to end comes (INT, TERM, HUP).
/// Jobs go on.
///
/// `config` and `jobs` say where these are; neither needs to exist. `commands` says how a user types one about them.
pub fn serve(config: PathBuf, jobs: PathBuf, commands: Commands, authority: Authority) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?;
    let served = runtime.block_on(attend(ServerState::new(config, jobs, commands, authority)));
    // A thread may be stuck in a read of standard input that cannot be interrupted.
    runtime.shutdown_background();
    served
}

async fn attend(state: ServerState) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let session = Session::default();
    let (input, output) = streams::standard();
    let wire = Wire::new(input, output, session.clone());
    let stop = CancellationToken::new();
    let authority = state.authority().clone();
    let server = Door::new(Server::new(state.clone(), session.clone()), session.clone(), authority);
    let serving = async {
        let unexpected =
            |why: &dyn Display| io::Error::other(format!("the session ended unexpectedly: {why}"));
        match server.serve_with_ct(wire, stop.clone()).await {
            Ok(running) => match running.waiting().await {
                Ok(QuitReason::JoinError(error)) | Err(error) => Err(unexpected(&error)),
                Ok(_) => Ok(()),
            },
            // The client went before there was a session.
            Err(
                ServerInitializeError::ConnectionClosed(_)
                | ServerInitializeError::TransportError { .. }
                | ServerInitializeError::Cancelled,
            ) => Ok(()),
            Err(error) => Err(unexpected(&error)),
        }
    };
    let told_to_end = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        // What comes meanwhile is still heard: calls that are taken back are stopped.
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => Some(ended),
        () = session.leaving.cancelled() => None,
        () = told_to_end => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            // Calls that wait end first, as calls whose jobs go on, and only then does the session.
            session.leaving.cancel();
            tokio::task::yield_now().await;
            stop.cancel();
            tokio::time::timeout(FAREWELL, serving).await.unwrap_or(Ok(()))
        }
    };
    let _no_more_starts = state.finish_starts().await;
    match session.take_failure() {
        Some(failure) => Err(failure),
        None => ended,
    }
}

#[cfg(test)]
mod tests;
