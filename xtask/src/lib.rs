//! What `make` calls: the rules that the repository's own text must keep, and the files that are
//! written from the code.
//!
//! It promises that every complaint names a file and says what to do about it. It reads the
//! repository and runs its binary; it must never be needed by the server, and depends on no other
//! crate here.

pub mod generate;
pub mod tidy;
pub mod workspace;
