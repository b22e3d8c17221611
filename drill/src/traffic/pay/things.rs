//! Bills, subscriptions, disputes and payments that were looked at: each that was acknowledged is in every data centre once, and
//! in the state that was acknowledged last.

use super::{LOOKS, get};
use crate::check::{self, Findings};
use crate::ground::Ground;
use crate::ledger::{Acknowledged, Shown, number};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where things of one kind are listed for whom they concern.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct List {
    /// A number for it.
    group: u32,
    /// Where; below it is one thing alone, where nothing is listed.
    path: &'static str,
    /// What in an entry the drill chose, and nobody else.
    name: &'static str,
}

pub const BILLS: &List = &List {
    group: 1,
    path: "/pay/v1/bills?role=asker&limit=500",
    name: "note",
};
pub const SUBSCRIPTIONS: &List = &List {
    group: 2,
    path: "/pay/v1/subscriptions?limit=500",
    name: "order",
};
pub const DISPUTES: &List = &List {
    group: 3,
    path: "/pay/v1/disputes?limit=500",
    name: "reason",
};
pub const PAYMENTS: &List = &List {
    group: 4,
    path: "/pay/v1/payments/",
    name: "id",
};

/// Something that was acknowledged.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Whose list it is on.
    pub token: String,
    /// Which list.
    pub list: &'static List,
    /// What it is called there.
    pub name: String,
    /// How far it is.
    pub state: String,
}

/// Looks for each of `things` in every data centre.
pub async fn look(ground: &Ground, things: &[Thing]) -> Findings {
    let acknowledged: Vec<Acknowledged> = things
        .iter()
        .map(|thing| Acknowledged {
            group: thing.list.group,
            key: number(&thing.name),
            value: number(&thing.state),
        })
        .collect();
    let wanted: BTreeSet<_> = acknowledged
        .iter()
        .map(|one| (one.group, one.key))
        .collect();
    let mut shown = Vec::new();
    for site in 0..ground.sites.len() {
        let pages: BTreeSet<(&str, &List, &str)> = things
            .iter()
            .map(|thing| {
                let one = if thing.list == PAYMENTS {
                    &*thing.name
                } else {
                    ""
                };
                (&*thing.token, thing.list, one)
            })
            .collect();
        let mut asked = Vec::with_capacity(pages.len());
        for (token, list, one) in pages {
            asked.push(async move { (list, all(ground, site, token, list, one).await) });
        }
        let found: Vec<_> = stream::iter(asked).buffered(LOOKS).collect().await;
        let mut groups: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
        for (list, items) in found {
            for item in items {
                let key = number(item[list.name].as_str().unwrap_or_default());
                if wanted.contains(&(list.group, key)) {
                    let value = number(state(&item));
                    groups.entry(list.group).or_default().push((key, value));
                }
            }
        }
        shown.push(Shown { groups });
    }
    check::commands(&acknowledged, &shown)
}

/// Everything on a list, page after page, or the one thing that is called `one`.
async fn all(ground: &Ground, site: usize, token: &str, list: &List, one: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = format!("{}{one}", list.path);
    while let Some(page) = get(ground, site, token, &path).await {
        let Some(listed) = page["items"].as_array() else {
            items.push(page);
            break;
        };
        items.extend(listed.iter().cloned());
        match page["next"].as_i64() {
            Some(next) => path = format!("{}&cursor={next}", list.path),
            None => break,
        }
    }
    items
}

/// How far something is, with all that matters of it.
fn state(item: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut state = text(&item["state"]);
    for share in item["shares"].as_array().into_iter().flatten() {
        state.push_str(&format!(" {}", text(&share["state"])));
    }
    if let Some(answer) = item["answer"].as_str() {
        state.push_str(&format!(" {answer}"));
    }
    state
}
