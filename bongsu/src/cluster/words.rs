//! What may be typed while a cluster runs.

use super::site::RunningSite;

/// What can be typed.
pub const HELP: &str = "\
burn dcN    end everything in data centre N as a fire would
cut dcN     let nothing pass to or from data centre N
mute dcN    let nothing pass that data centre N says; it goes on hearing the others
slow dcN    let everything to and from data centre N take 100 ms longer
freeze dcN  hold data centre N still
skew dcN    restart the platform of data centre N with a clock that is five minutes ahead
wipe dcN    burn data centre N and all its data; `heal` begins it from nothing
heal dcN    undo all that was done to data centre N
quit        end all data centres in order";

/// Something to do, to the data centre with this place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Kill everything in it.
    Burn(usize),
    /// Cut it off.
    Cut(usize),
    /// Let the others not hear it.
    Mute(usize),
    /// Let its roads be slow.
    Slow(usize),
    /// Start it, connect it, let it go on.
    Heal(usize),
    /// Kill it and forget its data.
    Wipe(usize),
    /// Hold it still.
    Freeze(usize),
    /// Set its platform's clock ahead.
    Skew(usize),
    /// Say what can be typed.
    Help,
    /// An empty line.
    Nothing,
    /// End.
    Quit,
}

impl Order {
    /// Reads a line.
    pub fn read(line: &str, sites: &[RunningSite]) -> Result<Self, String> {
        let names: Vec<&str> = sites.iter().map(RunningSite::name).collect();
        Self::parse(line, &names)
    }

    fn parse(line: &str, names: &[&str]) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let (verb, name, rest) = (words.next(), words.next(), words.next());
        let verb = match (verb, name) {
            (None, _) => return Ok(Self::Nothing),
            (Some("help" | "?"), None) => return Ok(Self::Help),
            (Some("quit" | "exit"), None) => return Ok(Self::Quit),
            (Some(verb), _) => verb,
        };
        let order = match verb {
            "burn" => Self::Burn,
            "cut" => Self::Cut,
            "mute" => Self::Mute,
            "slow" => Self::Slow,
            "heal" => Self::Heal,
            "wipe" => Self::Wipe,
            "freeze" => Self::Freeze,
            "skew" => Self::Skew,
            _ => return Err(format!("`{verb}` is not known; `help` says what is")),
        };
        let place = name.and_then(|name| names.iter().position(|known| *known == name));
        match (place, rest) {
            (Some(place), None) => Ok(order(place)),
            _ => Err(format!("{verb} which one? There are {}", names.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_what_to_do_and_where() {
        let check = |line: &str, expect: Result<Order, &str>| {
            let found = Order::parse(line, &["dc1", "dc2"]);
            match (&found, expect) {
                (Ok(found), Ok(expect)) => assert_eq!(*found, expect, "{line}"),
                (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
                _ => panic!("{line}: {found:?}"),
            }
        };
        check("burn dc2", Ok(Order::Burn(1)));
        check("  heal   dc1 ", Ok(Order::Heal(0)));
        check("", Ok(Order::Nothing));
        check("help", Ok(Order::Help));
        check("quit", Ok(Order::Quit));
        check("burn", Err("There are dc1, dc2"));
        check("burn dc9", Err("There are dc1, dc2"));
        check("burn dc1 dc2", Err("which one"));
        check("explode dc1", Err("is not known"));
    }
}
