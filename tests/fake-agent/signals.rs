//! Signals as claude takes them: INT ends with a result, TERM and HUP end at once, ignored ones do nothing.

#![expect(unsafe_code, reason = "SIG_IGN, which children inherit, can be set by libc only")]

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Tells when SIGINT came.
pub(crate) struct Interrupts(Option<UnixStream>);

impl Interrupts {
    /// claude's handlers. A plain program keeps the defaults.
    pub(crate) fn install(plain: bool) -> io::Result<Self> {
        if plain {
            return Ok(Self(None));
        }
        let (reader, writer) = UnixStream::pair()?;
        signal_hook::low_level::pipe::register(libc::SIGINT, writer)?;
        for signal in [libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the handler only calls _exit, which is async-signal-safe.
            unsafe { signal_hook::low_level::register(signal, move || libc::_exit(128 + signal))? };
        }
        Ok(Self(Some(reader)))
    }

    /// Sleeps for this long, or for ever; true when an interrupt came first.
    pub(crate) fn sleep(&mut self, duration: Option<Duration>) -> io::Result<bool> {
        let until = duration.map(|duration| Instant::now() + duration);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let Some(stream) = &mut self.0 else {
                std::thread::sleep(left.unwrap_or(Duration::from_secs(3600)));
                if until.is_some() {
                    return Ok(false);
                }
                continue;
            };
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            stream.set_read_timeout(left)?;
            match stream.read(&mut [0]) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

/// From now on these signals do nothing, here and in every child.
pub(crate) fn ignore(names: &[String]) -> Result<(), String> {
    for name in names {
        let signal = number(name)?;
        // SAFETY: no handler is installed, only the disposition changes.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    Ok(())
}

/// Ends this process by a signal.
pub(crate) fn die(name: &str) -> Result<(), String> {
    let signal = number(name)?;
    // SAFETY: restores the default and sends the signal to this very process.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::kill(libc::getpid(), signal);
    }
    Err(format!("fake agent: {name} does not end a process"))
}

fn number(name: &str) -> Result<i32, String> {
    match name.strip_prefix("SIG").unwrap_or(name) {
        "INT" => Ok(libc::SIGINT),
        "TERM" => Ok(libc::SIGTERM),
        "HUP" => Ok(libc::SIGHUP),
        "QUIT" => Ok(libc::SIGQUIT),
        "KILL" => Ok(libc::SIGKILL),
        "SEGV" => Ok(libc::SIGSEGV),
        "ABRT" => Ok(libc::SIGABRT),
        "PIPE" => Ok(libc::SIGPIPE),
        _ => Err(format!("fake agent: {name} is no known signal")),
    }
}
