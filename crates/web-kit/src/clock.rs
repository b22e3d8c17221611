//! The gateways' clock: it judges whether a token that is read has expired, and says until when a
//! relay's credentials are good. Commands are judged by the log's time instead.

use bongsu_base::LogTime;
use std::fmt;
use std::sync::Arc;

/// Tells the time of day, as milliseconds since 1970 like [`LogTime`].
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> LogTime + Send + Sync>);

impl Clock {
    /// A clock that `now` answers for.
    pub fn new(now: impl Fn() -> LogTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(system_now)
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> LogTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(..)")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a gateway that answers reads must know when a token has expired; nothing that is applied sees this"
)]
fn system_now() -> LogTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    LogTime(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }))
}
