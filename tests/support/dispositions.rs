//! What the programs under test inherit of signals: the defaults, whatever whoever started the tests (`nohup`, a shell's
//! `&`) ignores.

#![expect(unsafe_code, reason = "what children inherit of signals can be set by libc only")]

use std::sync::Once;

/// Lets what is started from now on begin with the default for every signal that a shell or `nohup` may ignore.
pub fn default_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]
        {
            // SAFETY: no handler is set.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    });
}
