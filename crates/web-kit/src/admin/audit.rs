//! The audit log as it is read over HTTP.

use bongsu_audit::Line;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A line of a domain's audit log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// Its number within the domain's log, from 1, without gaps.
    pub n: i64,
    /// When, in milliseconds since 1970, by the domain's log.
    pub time_ms: i64,
    /// Who: a user id, or `operator` for whoever runs the installation, with the account of the machine that they used.
    pub who: String,
    /// What, as in `room.block`.
    pub act: String,
    /// To whom or what.
    pub target: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The hash over this line and all before it, in hexadecimal.
    pub link: String,
}

impl From<Line> for AuditLine {
    fn from(line: Line) -> Self {
        Self {
            n: line.n,
            time_ms: line.time.0,
            who: line.who,
            act: line.act,
            target: line.target,
            reason: line.reason,
            link: HEXLOWER.encode(&line.link),
        }
    }
}

/// Whether a domain's audit log is what was written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditCheck {
    /// Whether every line follows from those before it.
    pub intact: bool,
    /// How many lines there are, or the number of the first that does not follow.
    pub line: i64,
}

impl From<Result<i64, i64>> for AuditCheck {
    fn from(found: Result<i64, i64>) -> Self {
        Self {
            intact: found.is_ok(),
            line: found.unwrap_or_else(|first| first),
        }
    }
}
