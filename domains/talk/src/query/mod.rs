//! Reads. Everything here looks at one moment of the view and changes nothing.

mod filter;
mod history;
mod room_state;
mod show;
mod sync;

pub use filter::{EventFilter, Lazy, SyncFilter};
pub use history::{Direction, Page, Visible, page};
pub use room_state::{Summary, joined_rooms, members_at, state_at, summary};
pub use show::{Shown, show};
pub use sync::{InvitedRoom, JoinedRoom, LeftRoom, ReadMark, SyncFound, SyncWanted, sync};

mod judge;
mod people;
mod rules;
mod unread;

pub use people::{Person, search_people, share_a_room, small_rooms};
pub use rules::{Misplaced, PUSH_RULES, Rule, RuleKind, Ruleset};
pub use unread::{Counts, Notification, Wishes, notifications, push_rules};
