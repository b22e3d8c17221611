//! The command line of whoever administers. Everything here works while the server runs and while it does
//! not.

use super::Place;
use clap::{ArgGroup, Args, Subcommand};

/// Where, why, and how it is shown.
#[derive(Debug, Default, Args)]
pub struct How {
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the data are.
    #[command(flatten)]
    pub place: Place,
}

/// Where, and how it is shown.
#[derive(Debug, Default, Args)]
pub struct Shown {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the data are.
    #[command(flatten)]
    pub place: Place,
}

/// Something that is looked at.
#[derive(Debug, Args)]
pub struct Looked {
    /// Which: a user id or name, a room id, a media's id or mxc:// URI
    pub id: String,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

/// Something that something is done to.
#[derive(Debug, Args)]
pub struct Target {
    /// Which: a user id or name, a room id, a media's id or mxc:// URI, a report's number
    pub id: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Make an account and print its password, once
    #[command(after_help = "\
Examples:
  bongsu user add mina
  bongsu user add mina --admin
  printf %s \"$PASSWORD\" | bongsu user add mina --password-stdin")]
    Add(AddUser),
    /// List accounts
    List(ListUsers),
    /// Show an account with its devices
    Show(Looked),
    /// Give an account a new password and print it, once
    ResetPassword(Password),
    /// End all sessions of an account
    SignOut(Target),
    /// Lock an account: it can do nothing, and keeps its sessions
    Lock(Target),
    /// Unlock an account
    Unlock(Target),
    /// Suspend an account: it can read and leave rooms, and say nothing
    Suspend(Target),
    /// Lift an account's suspension
    Unsuspend(Target),
    /// End an account for good
    Deactivate(Deactivate),
    /// Let an account administer the installation
    MakeAdmin(Target),
    /// Let an account administer the installation no longer
    UnmakeAdmin(Target),
}

/// `bongsu user add`.
#[derive(Debug, Args)]
pub struct AddUser {
    /// The name: what stands between @ and : in the Matrix id
    pub name: String,
    /// The account may administer the installation
    #[arg(long)]
    pub admin: bool,
    /// Read the password from the standard input instead of making one
    #[arg(long)]
    pub password_stdin: bool,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu user list`.
#[derive(Debug, Args)]
pub struct ListUsers {
    /// Only those whose id contains this
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

/// `bongsu user reset-password`.
#[derive(Debug, Args)]
pub struct Password {
    /// A user id or name
    pub id: String,
    /// Read the password from the standard input instead of making one
    #[arg(long)]
    pub password_stdin: bool,
    /// Leave the account's sessions as they are; otherwise they end
    #[arg(long)]
    pub keep_sessions: bool,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu user deactivate`.
#[derive(Debug, Args)]
pub struct Deactivate {
    /// A user id or name
    pub id: String,
    /// Take away what the person wrote and uploaded, too
    #[arg(long)]
    pub erase: bool,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with rooms.
#[derive(Debug, Subcommand)]
pub enum RoomVerb {
    /// List rooms
    List(Shown),
    /// Show a room
    Show(Looked),
    /// Withhold all media that the room's events name
    Quarantine(Target),
    /// Close a room: a message says why, everybody is moved out, nobody enters
    Shutdown(Shutdown),
    /// Keep everybody from entering a room
    Block(Target),
    /// Let people enter a room again
    Unblock(Target),
    /// Delete a room that nobody is in, with everything in it
    Purge(Target),
}

/// `bongsu room shutdown`.
#[derive(Debug, Args)]
pub struct Shutdown {
    /// The room's id
    pub id: String,
    /// Why, for the people in the room to read
    #[arg(long, value_name = "TEXT")]
    pub notice: Option<String>,
    /// Make a new room and invite everybody to it
    #[arg(long)]
    pub replace: bool,
    /// The new room's name
    #[arg(long, value_name = "NAME", requires = "replace")]
    pub name: Option<String>,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with media.
#[derive(Debug, Subcommand)]
pub enum MediaVerb {
    /// List media
    List(ListMedia),
    /// Show media
    Show(Looked),
    /// Withhold media from everybody
    Quarantine(Target),
    /// Give media that was withheld back
    Unquarantine(Target),
    /// Delete media for good: one, or all that somebody uploaded
    Delete(DeleteMedia),
    /// Keep media from going by age or with a room's
    Protect(Target),
    /// Protect media no longer
    Unprotect(Target),
}

/// `bongsu media list`.
#[derive(Debug, Args)]
pub struct ListMedia {
    /// Only what this person uploaded
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

/// `bongsu media delete`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["id", "user"])))]
pub struct DeleteMedia {
    /// The media's id or mxc:// URI
    pub id: Option<String>,
    /// All that this person uploaded
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with reports.
#[derive(Debug, Subcommand)]
pub enum ReportVerb {
    /// List reports
    List(ListReports),
    /// Close a report; the reason says what became of it
    Resolve(Target),
}

/// `bongsu report list`.
#[derive(Debug, Args)]
pub struct ListReports {
    /// Those that were resolved, too
    #[arg(long)]
    pub all: bool,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

/// `bongsu audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// Check that each line follows from those before it, instead
    #[arg(long)]
    pub check: bool,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}
