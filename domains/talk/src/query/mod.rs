//! Reads. Everything here looks at one moment of the view and changes nothing.

mod around;
mod filter;
mod history;
mod related;
mod related_by;
mod room_state;
mod show;
mod sync;
mod window;

mod describe;
mod directory;
mod hierarchy;
mod inspect;

pub use filter::{EventFilter, Lazy, SyncFilter};
pub use history::{Direction, Page, Visible, page};
pub use room_state::{Part, Summary, joined_rooms, state_at, summary};
pub use show::{Shown, show, show_to};
pub use sync::{InvitedRoom, JoinedRoom, LeftRoom, ReadMark, SyncFound, SyncWanted, sync};

pub use around::{Around, around, nearest};
pub use describe::{Described, describe};
pub use directory::{ListWanted, Listed, Mark, list};
pub use hierarchy::{Branch, Hierarchy, hierarchy};
pub use inspect::{
    Contents, Inspected, InspectedMedia, contents as room_contents, inspect as inspect_room,
    media as inspect_media, media_of_room, one_media as inspect_one_media, rooms as inspect_rooms,
};
pub use related::{RECURSION, Related, RelatingPage, ThreadSummary, relating, threads};
pub use related_by::{RelatedBy, RelatedLook};
pub use sync::{account_data, receipts};
mod judge;
mod mutual;
mod notified;
mod people;
mod rules;
mod unread;

pub use mutual::mutual_rooms;
pub use notified::{Notification, NotificationsWanted, notifications};
pub use people::{Person, search_people, share_a_room, small_rooms};
pub use rules::{Misplaced, PUSH_RULES, Rule, RuleKind, Ruleset};
pub use unread::{Counts, IGNORED, Wishes, blocks_invites, push_rules};
