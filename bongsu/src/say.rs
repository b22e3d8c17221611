//! Words to a person on the standard output, and bars for what takes long.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What takes less long than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints one line.
pub fn line(text: impl std::fmt::Display) {
    // Whoever closed the other end of a pipe does not want to hear more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a file as it is.
pub fn bytes(file: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(file).and_then(|()| out.flush());
}

/// Something that may take long. On a terminal a bar appears after two seconds, on the standard error.
#[derive(Clone)]
pub struct Progress {
    shared: Arc<Mutex<State>>,
}

struct State {
    what: String,
    bytes: bool,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Counting things (rows, entries) under the heading `what`.
    pub fn counting(what: impl Into<String>) -> Self {
        Self::new(what.into(), false)
    }

    /// Counting bytes under the heading `what`.
    pub fn bytes(what: impl Into<String>) -> Self {
        Self::new(what.into(), true)
    }

    fn new(what: String, bytes: bool) -> Self {
        let state = State {
            what,
            bytes,
            begun: Instant::now(),
            bar: None,
        };
        Self {
            shared: Arc::new(Mutex::new(state)),
        }
    }

    /// So far `done`, of `total` where that is known.
    pub fn at(&self, done: u64, total: Option<u64>) {
        let mut state = self.shared.lock();
        if state.bar.is_none() {
            if state.begun.elapsed() < PATIENCE {
                return;
            }
            state.bar = Some(state.draw(total));
        }
        if let Some(bar) = &state.bar {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
    }
}

impl State {
    fn draw(&self, total: Option<u64>) -> ProgressBar {
        let template = match (total.is_some(), self.bytes) {
            (true, true) => "{msg} [{wide_bar}] {bytes}/{total_bytes}, {eta} left",
            (true, false) => "{msg} [{wide_bar}] {human_pos}/{human_len}, {eta} left",
            (false, true) => "{msg} {spinner} {bytes}",
            (false, false) => "{msg} {spinner} {human_pos}",
        };
        let style = ProgressStyle::with_template(template).expect("the templates are sound");
        ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
            .with_style(style)
            .with_message(self.what.clone())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
