//! What a report says, and that it can be read again.

use super::*;
use crate::check::Findings;
use crate::record::{Health, Recorder};
use tokio::time::{Instant, advance};

async fn round(name: &str) -> Round {
    let recorder = Recorder::new(2);
    for _ in 0..8 {
        recorder.acknowledged("messages", 0, Instant::now(), Instant::now());
        recorder.acknowledged(ENGINE, 0, Instant::now(), Instant::now());
        recorder.read(READS, 1, Instant::now(), recorder.look(1));
        advance(Duration::from_millis(100)).await;
    }
    recorder.mark("dc1 burns <now>");
    recorder.set(0, Health::Down);
    recorder.told("messages", 1, "503 and Retry-After");
    advance(Duration::from_millis(3000)).await;
    recorder.acknowledged("messages", 1, Instant::now(), Instant::now());
    recorder.error("sign-ins", 1, "500 M_<b>");
    recorder.mark("everything is whole again");
    let mut round = Round {
        name: name.to_owned(),
        what: "All burns & ends.".to_owned(),
        lasted_ms: 4_000,
        bucket_ms: 250,
        ..Round::default()
    };
    round.seen(recorder.take(), &["dc1".to_owned(), "dc2".to_owned()]);
    round.engine(Duration::from_millis(2_900));
    round
}

async fn report() -> Report {
    let mut report = Report {
        version: VERSION,
        finished: true,
        ..Report::default()
    };
    report.add(round("kill-site").await);
    report
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_counted_once_and_reads_are_no_commands() {
    let report = report().await;
    let figures = &report.figures;
    assert_eq!(figures.acknowledged, 9);
    assert_eq!(figures.longest_write_gap_ms, 3_100);
    assert_eq!(figures.longest_read_gap_ms, 100);
    assert_eq!(figures.errors, 1);
    assert_eq!(figures.write_gap_over_engine_ms, 200);
    assert!(!report.held(), "an error is no success");
}

#[tokio::test(start_paused = true)]
async fn whatever_was_found_fails_the_drill() {
    let clean = || async {
        let mut report = report().await;
        report.scenarios[0].figures.errors = 0;
        report.sum(&Findings::default());
        report
    };
    assert!(clean().await.held());
    let check = |change: fn(&mut Figures)| async move {
        let mut report = clean().await;
        change(&mut report.scenarios[0].figures);
        report.sum(&Findings::default());
        assert!(!report.held(), "{:?}", report.figures);
    };
    check(|figures| figures.lost = 1).await;
    check(|figures| figures.doubled = 1).await;
    check(|figures| figures.diverged = 1).await;
    check(|figures| figures.unfaithful = 1).await;
    check(|figures| figures.tokens_refused = 1).await;
    check(|figures| figures.tokens_revived = 1).await;
    check(|figures| figures.errors = 1).await;
    let mut report = clean().await;
    report.scenarios[0]
        .problems
        .push("not whole again".to_owned());
    assert!(!report.held());
    let mut report = clean().await;
    let again = Findings {
        lost: 1,
        ..Findings::default()
    };
    report.sum(&again);
    assert!(!report.held() && report.figures.lost == 1);
    assert!(
        !Report::default().held(),
        "a drill that did nothing proves nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_few_may_lack_money_and_not_many() {
    let check = |lacking: u64, held: bool| {
        let recorder = Recorder::new(1);
        for _ in 0..100 {
            recorder.acknowledged("payments", 0, Instant::now(), Instant::now());
        }
        for _ in 0..lacking {
            recorder.refused("payments", "409, too little money");
        }
        let mut round = Round::default();
        round.seen(recorder.take(), &["dc1".to_owned()]);
        assert_eq!(round.problems.is_empty(), held, "{:?}", round.problems);
        assert_eq!(round.refused_by_kind.values().sum::<u64>(), lacking);
    };
    check(0, true);
    check(2, true);
    check(3, false);
}

#[tokio::test(start_paused = true)]
async fn the_json_has_the_promised_names_and_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/fire.json");
    let report = report().await;
    report.write_json(&path).unwrap();
    assert_eq!(Report::load(&path).unwrap(), report);
    let text = std::fs::read_to_string(&path).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for part in [&value, &value["scenarios"][0]] {
        for name in [
            "acknowledged",
            "lost",
            "doubled",
            "diverged",
            "longest_write_gap_ms",
            "longest_read_gap_ms",
            "engine_election_ms",
            "errors",
            "redundant_again_ms",
            "webhooks_received",
            "webhooks_repeated",
            "webhooks_refused",
            "webhooks_missing",
        ] {
            assert!(part[name].is_u64(), "{name}: {}", part[name]);
        }
    }
    assert_eq!(value["scenarios"][0]["name"], "kill-site");
    std::fs::write(&path, "{}").unwrap();
    assert!(Report::load(&path).is_err());
}

#[tokio::test(start_paused = true)]
async fn the_page_asks_for_nothing_and_escapes_everything() {
    let page = html::page(&report().await);
    for foreign in [
        "http:", "https:", "src=", "@import", "url(", "<script", "<link",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("dc1 burns &lt;now&gt;") && page.contains("M_&lt;b&gt;"));
    assert!(page.contains("All burns &amp; ends."));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    assert!(page.contains("<svg") && page.contains("class=\"mark\""));
}

#[tokio::test(start_paused = true)]
async fn a_long_drill_plots_the_worst_of_each_kind() {
    let mut report = report().await;
    for number in 0..40 {
        let mut round = round(if number % 2 == 0 { "cut" } else { "wipe" }).await;
        round.figures.longest_write_gap_ms += number;
        report.add(round);
    }
    let page = html::page(&report);
    assert_eq!(page.matches("class=\"scenario\"").count(), 3);
    assert!(page.contains("id=\"s40\"") && page.contains("id=\"s41\""));
}

#[tokio::test(start_paused = true)]
async fn the_table_says_what_was_wrong() {
    let table = report().await.table();
    assert!(
        table.contains("kill-site") && table.contains("3.1 s"),
        "{table}"
    );
    assert!(table.contains("sign-ins: 500 M_<b>, 1 times"), "{table}");
    assert!(table.contains("did not hold"), "{table}");
}
