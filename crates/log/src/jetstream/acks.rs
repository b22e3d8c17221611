//! What the engine acknowledged here and this site has not read back yet.

use super::envelope::Checksum;
use std::collections::BTreeMap;

/// How many acknowledged messages may wait to be read back before nothing more is appended.
const BOUND: usize = 65_536;

/// Acknowledged messages by their numbers. What is read back has to be what was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Acks {
    /// The last message that was read.
    read: u64,
    waiting: BTreeMap<u64, Checksum>,
}

/// What an acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    /// The message has not been read yet.
    Ahead,
    /// The message of that number was read before.
    Behind,
    /// Another message was acknowledged under that number.
    Clash,
}

impl Acks {
    /// Reading begins after `read`.
    pub fn begin(&mut self, read: u64) {
        self.read = read;
    }

    /// Whether reading is so far behind that nothing more may be appended.
    pub fn full(&self) -> bool {
        self.waiting.len() >= BOUND
    }

    /// The engine acknowledged message `seq`.
    pub fn acknowledge(&mut self, seq: u64, checksum: Checksum) -> Ack {
        if seq <= self.read {
            return Ack::Behind;
        }
        match self.waiting.insert(seq, checksum) {
            Some(other) if other != checksum => Ack::Clash,
            _ => Ack::Ahead,
        }
    }

    /// Message `seq` was read; returns whether that is what was acknowledged, if it was here.
    pub fn read_back(&mut self, seq: u64, checksum: &Checksum) -> bool {
        self.read = seq;
        let acknowledged = self.waiting.remove(&seq);
        acknowledged.is_none_or(|acknowledged| acknowledged == *checksum)
    }

    /// The highest message that was acknowledged and not read back.
    pub fn highest(&self) -> u64 {
        self.waiting.last_key_value().map_or(0, |(seq, _)| *seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_back_has_to_be_what_was_acknowledged() {
        let mut acks = Acks::default();
        acks.begin(3);
        assert_eq!(acks.acknowledge(3, [0; 16]), Ack::Behind);
        assert_eq!(acks.acknowledge(5, [5; 16]), Ack::Ahead);
        assert_eq!(acks.acknowledge(6, [6; 16]), Ack::Ahead);
        assert_eq!(acks.highest(), 6);
        assert_eq!(acks.acknowledge(7, [7; 16]), Ack::Ahead);
        assert_eq!(acks.acknowledge(7, [8; 16]), Ack::Clash);
        assert!(acks.read_back(4, &[4; 16]), "somebody else's");
        assert!(acks.read_back(5, &[5; 16]));
        assert!(!acks.read_back(6, &[7; 16]));
        assert!(acks.read_back(7, &[8; 16]));
        assert_eq!((acks.highest(), acks.full()), (0, false));
    }
}
