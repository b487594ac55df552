//! The signals by which somebody asks `loom run` to stop.

use std::io;

/// Waits for SIGINT, SIGTERM or SIGHUP.
pub(crate) struct Signals {
    #[cfg(unix)]
    streams: [(u8, tokio::signal::unix::Signal); 3],
}

#[cfg(unix)]
impl Signals {
    /// From here on these signals no longer end the process.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (1, signal(SignalKind::hangup())?);
        let interrupt = (2, signal(SignalKind::interrupt())?);
        let terminate = (15, signal(SignalKind::terminate())?);
        Ok(Self { streams: [interrupt, terminate, hangup] })
    }

    /// The number of the next signal.
    pub(crate) async fn next(&mut self) -> u8 {
        let [(first, one), (second, two), (third, three)] = &mut self.streams;
        tokio::select! {
            _ = one.recv() => *first,
            _ = two.recv() => *second,
            _ = three.recv() => *third,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// From here on Ctrl-C no longer ends the process.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The number of the next signal, as Unix counts.
    pub(crate) async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        2
    }
}
