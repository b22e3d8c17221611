//! The page for a browser: one file that asks for nothing.

use super::plot::plot;
use super::words::{bytes, count, ms, span};
use super::{ENGINE, READS, Report, Round};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::collections::{BTreeMap, BTreeSet};

const STYLE: &str = include_str!("style.css");
/// How many problems are told on the first screen.
const FIRST: usize = 5;
/// How many scenarios are plotted; a long drill plots the worst of each kind.
const PLOTTED: usize = 24;

/// The page.
pub fn page(report: &Report) -> String {
    let title = "The fire drill";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (first(report))
                (overview(report))
                (legend(report))
                @for (number, round) in plotted(report) { (scenario(number, round)) }
                (sources())
                (about(report))
            }
        }
    };
    page.into_string()
}

/// What an executive reads.
fn first(report: &Report) -> Markup {
    let figures = &report.figures;
    let wrong = figures.unfaithful + figures.tokens_refused + figures.tokens_revived;
    let all = report.scenarios.len();
    let kinds: BTreeSet<_> = report.scenarios.iter().map(|round| &round.name).collect();
    let (class, verdict) = match (report.held(), report.finished) {
        (true, true) => ("good", "Nothing was lost."),
        (true, false) => ("good", "Nothing was lost so far."),
        (false, _) if all == 0 => ("bad", "Nothing has happened yet."),
        (false, _) => ("bad", "Not everything held."),
    };
    html! {
        header .(class) {
            p .kicker { "The fire drill" }
            h1 { (verdict) }
            p .lede {
                "Three data centres served " (count(report.people.into())) " people who chatted, while others signed in, "
                "paid and uploaded files. Meanwhile " (count(all as u64)) @if all == 1 { " misfortune" } @else { " misfortunes" }
                " of " (kinds.len()) @if kinds.len() == 1 { " kind" } @else { " kinds" } " befell them: data centres burned, were cut "
                "off, or had their data damaged. After each, everything that anybody had been told was done was looked for in every data centre."
            }
            @for (name, problem) in problems(report) { p .problem { (name) ": " (problem) } }
            div .tiles {
                (tile(&count(figures.acknowledged), "things that people were told are done", ""))
                (tile(&count(figures.lost), "of these lost", mood(figures.lost)))
                (tile(&count(figures.doubled), "done twice", mood(figures.doubled)))
                (tile(&count(figures.diverged + wrong), "shown differently in different places", mood(figures.diverged + wrong)))
                (tile(&count(figures.errors), "errors after which people were not told to try again", mood(figures.errors)))
                (tile(&span(figures.longest_write_gap_ms), &format!("longest pause in which nothing new was taken; the log's engine alone: {}",
                    span(figures.engine_election_ms)), ""))
                (tile(&span(figures.longest_read_gap_ms), "longest pause in which a data centre that was left answered no reader", ""))
                (tile(&span(figures.redundant_again_ms), "at most until everything was in all places again, by itself", ""))
                (tile(&count(figures.told.webhooks_received), &format!("things that merchants were told by webhooks; {} were repeated, {} are missing",
                    count(figures.told.webhooks_repeated), count(figures.told.webhooks_missing)), mood(figures.told.webhooks_missing)))
            }
        }
    }
}

/// The first problems of the drill, each with where it was.
fn problems(report: &Report) -> Vec<(&str, &str)> {
    let rounds = report.scenarios.iter().flat_map(|round| {
        let problems = round.problems.iter();
        problems.map(|problem| (round.name.as_str(), problem.as_str()))
    });
    let end = report
        .problems
        .iter()
        .map(|problem| ("at the end", problem.as_str()));
    rounds.chain(end).take(FIRST).collect()
}

fn mood(bad: u64) -> &'static str {
    if bad == 0 { "good" } else { "bad" }
}

fn tile(number: &str, what: &str, class: &str) -> Markup {
    html! { div .tile.(class) { strong { (number) } span { (what) } } }
}

/// Every scenario in a line.
fn overview(report: &Report) -> Markup {
    html! {
        section {
            h2 { "What happened" }
            table .overview {
                thead { tr {
                    th { "Misfortune" } th .n { "Done" } th .n { "Lost" } th .n { "Twice" } th .n { "Differ" } th .n { "Errors" }
                    th .n { "Pause in writing" } th .n { "Engine alone" } th .n { "Pause in reading" } th .n { "Whole again after" } th .n { "Copied" }
                } }
                tbody {
                    @for (number, round) in (1..).zip(&report.scenarios) { (line(number, round)) }
                }
            }
            @for (name, why) in &report.skipped {
                p .note { strong { (name) } " was left out: " (why) "." }
            }
            @for problem in &report.problems { p .problem { "At the end: " (problem) } }
        }
    }
}

fn line(number: usize, round: &Round) -> Markup {
    let figures = &round.figures;
    let differ =
        figures.diverged + figures.unfaithful + figures.tokens_refused + figures.tokens_revived;
    let cell = |label: &str, text: String, bad: bool| {
        html! { td .n.bad[bad] data-label=(label) { (text) } }
    };
    html! {
        tr {
            td .what { a href=(format!("#s{number}")) { (round.name) } " " span { (round.what) } }
            (cell("Done", count(figures.acknowledged), false))
            (cell("Lost", count(figures.lost), figures.lost > 0))
            (cell("Twice", count(figures.doubled), figures.doubled > 0))
            (cell("Differ", count(differ), differ > 0))
            (cell("Errors", count(figures.errors), figures.errors > 0))
            (cell("Pause in writing", span(figures.longest_write_gap_ms), false))
            (cell("Engine alone", span(figures.engine_election_ms), false))
            (cell("Pause in reading", span(figures.longest_read_gap_ms), false))
            (cell("Whole again after", span(figures.redundant_again_ms), false))
            (cell("Copied", format!("{}, {:.1} MB/s", bytes(figures.bytes_copied), figures.copied_mb_per_s), false))
        }
    }
}

/// What the plots show.
fn legend(report: &Report) -> Markup {
    html! {
        section .legend {
            h2 { "Second by second" }
            p {
                "Each plot is one protocol in one scenario. The lines are the slowest answer in each quarter of a second, "
                "in each data centre; a line that breaks off means that nothing was answered. The bars below are requests without an "
                "answer or with a refusal, which clients repeated. Numbered lines are what happened, from left to right; the shade lasts "
                "from the first of them until everything was whole again."
            }
            p .keys {
                @for (number, site) in sites(report).iter().enumerate() {
                    span .key.(format!("key{number}")) { (site) }
                }
            }
        }
    }
}

fn sites(report: &Report) -> Vec<String> {
    let lines = report.scenarios.iter().flat_map(|round| &round.lines);
    let sites: BTreeSet<_> = lines.map(|line| line.site.clone()).collect();
    sites.into_iter().collect()
}

/// The scenarios to be plotted, with their numbers: all, or the worst of each kind.
fn plotted(report: &Report) -> Vec<(usize, &Round)> {
    let all: Vec<_> = (1..).zip(&report.scenarios).collect();
    if all.len() <= PLOTTED {
        return all;
    }
    let mut worst: BTreeMap<&str, (usize, &Round)> = BTreeMap::new();
    for (number, round) in all {
        let badness = |round: &Round| {
            let good = round.figures.held() && round.problems.is_empty();
            (!good, round.figures.longest_write_gap_ms)
        };
        let entry = worst.entry(&round.name).or_insert((number, round));
        if badness(round) > badness(entry.1) {
            *entry = (number, round);
        }
    }
    let mut worst: Vec<_> = worst.into_values().collect();
    worst.sort_by_key(|(number, _)| *number);
    worst
}

fn scenario(number: usize, round: &Round) -> Markup {
    let mut sites: Vec<_> = round.lines.iter().map(|line| line.site.clone()).collect();
    sites.sort();
    sites.dedup();
    html! {
        section .scenario id=(format!("s{number}")) {
            h3 { (number) ". " (round.name) }
            p { (round.what) }
            ol .marks {
                @for mark in &round.marks { li { span .at { (span(mark.at_ms)) } " " (mark.what) } }
            }
            @for problem in &round.problems { p .problem { (problem) } }
            div .plots {
                @for protocol in &round.protocols {
                    figure { figcaption { (protocol.name) } (plot(round, &protocol.name, &sites)) }
                }
            }
            (protocols(round))
            (kinds("Errors", &round.errors_by_kind))
            (kinds("Repeated, as told or since a data centre was away", &round.retried_by_kind))
            (kinds("Refused with good reason", &round.refused_by_kind))
        }
    }
}

fn protocols(round: &Round) -> Markup {
    html! {
        table .numbers {
            thead { tr {
                th { "Protocol" } th .n { "Answered" } th .n { "Longest pause" } th .n { "It began at" } th .n { "Half within" }
                th .n { "99 % within" } th .n { "All within" }
            } }
            tbody { @for one in &round.protocols { tr {
                td .what { (one.name) }
                td .n data-label="Answered" { (count(one.acknowledged)) }
                td .n data-label="Longest pause" { (span(one.longest_gap_ms)) }
                td .n data-label="It began at" { (span(one.gap_began_ms)) }
                td .n data-label="Half within" { (ms(one.p50_ms)) " ms" }
                td .n data-label="99 % within" { (ms(one.p99_ms)) " ms" }
                td .n data-label="All within" { (span(one.longest_ms)) }
            } } }
        }
    }
}

fn kinds(heading: &str, kinds: &BTreeMap<String, u64>) -> Markup {
    html! {
        @if !kinds.is_empty() {
            p .kinds {
                strong { (heading) ": " }
                @for (place, (kind, number)) in kinds.iter().enumerate() {
                    @if place > 0 { "; " }
                    (kind) " × " (count(*number))
                }
                "."
            }
        }
    }
}

/// Where every number comes from.
fn sources() -> Markup {
    let said = [
        (
            "Done",
            "Commands that a client was told are done (HTTP 200): messages, sign-ins, sign-outs, replaced tokens, payments, uploads. Reads do not count.",
        ),
        (
            "Lost",
            "Of these, those that some data centre does not show: each message is looked for by its transaction in the history that each \
            data centre gives, each upload is downloaded from each and its BLAKE3 hash compared. At the end of the drill the rooms are read once more.",
        ),
        (
            "Twice",
            "Transactions that some data centre shows more than once, or that were acknowledged as two different events.",
        ),
        (
            "Differ",
            "Rooms whose events two data centres show in another order, or not alike; digests that `bongsu verify --all-sites` finds to \
            differ; events other than acknowledged; good tokens that some data centre refuses; tokens that were taken back and are good somewhere.",
        ),
        (
            "Webhooks",
            "Events that a receiver beside the data centres took, each with a signature that it verified. It refuses one in eight the first time. \
            Each acknowledged payment of a merchant that is told has to come, under one id and with the same bytes however often; what does \
            not come counts as lost, what comes under two ids as done twice.",
        ),
        (
            "Partner",
            "A service elsewhere to which people come with their tokens all the while. It verifies them with what it heard last, for 20 s. \
            A good token that it refuses while two data centres live, and one that was taken back longer ago than that and is taken, count \
            as different.",
        ),
        (
            "Errors",
            "Answers other than 200 that are not 429 or 503 with Retry-After, and connections that ended or stayed without an answer \
            for 12 s at a data centre to which nothing had happened. What failed at one that was away was repeated elsewhere, under the same transaction.",
        ),
        (
            "Pause in writing",
            "The longest time between two acknowledged commands of one protocol, over all data centres, from the first to the \
            last of the scenario; of the protocols the worst. Sign-ins, tokens and uploads come a few times a second, so some tenths of a second are chance.",
        ),
        (
            "Engine alone",
            "The longest time in which a bare message got into none of the engine's servers, in six streams with three copies each, \
            measured beside; or, if that is longer, from the misfortune until the engine announced another leader of one of the platform's own logs.",
        ),
        (
            "Pause in reading",
            "The longest time between two answered reads through one data centre. One that is killed or stands still does not \
            count until it says that it is ready; one that is cut off has to go on answering and counts.",
        ),
        (
            "Whole again after",
            "From giving a data centre back until all three say that they are ready, every log has three current copies, and \
            every upload is in at least two data centres, sound.",
        ),
        (
            "Copied",
            "By how much the files of the data centres that were away grew until then, new ones included; what went makes up for nothing.",
        ),
    ];
    html! {
        section .sources {
            h2 { "Where the numbers come from" }
            dl { @for (name, text) in said { dt { (name) } dd { (text) } } }
        }
    }
}

fn about(report: &Report) -> Markup {
    html! {
        footer {
            p {
                "Made by " code { "bongsu fire --seed " (report.seed) } " in " (count(report.seconds)) " s on a machine with " (report.processors)
                " processors, on which the three data centres, the clients and the measuring ran together. Plots named “" (ENGINE) "” and “"
                (READS) "” are bare messages and reads."
            }
        }
    }
}
