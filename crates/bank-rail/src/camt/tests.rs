//! Statements are read as they were written, and wrong ones are not.

use super::*;
use bongsu_ledger::Amount;
use proptest::prelude::*;

fn entry(reference: &str, direction: Direction, minor: i64, currency: Currency) -> Entry {
    Entry {
        reference: reference.to_owned(),
        order: format!("order <{reference}> & co"),
        direction,
        money: Money {
            amount: Amount::new(minor).unwrap(),
            currency,
        },
        at: LogTime(1_760_000_000_123),
    }
}

fn statement(currency: Currency) -> Statement {
    Statement {
        id: "S-1".to_owned(),
        account: "KR-POOL".to_owned(),
        currency,
        from: LogTime(1_760_000_000_000),
        to: LogTime(1_760_086_400_000),
        opening: -250,
        entries: vec![
            entry("A1", Direction::Collect, 1_234_567, currency),
            entry("A2", Direction::Pay, 5, currency),
        ],
    }
}

#[test]
fn an_amount_has_the_digits_of_its_currency() {
    for (code, amount, written) in [
        ("KRW", 1_234, "1234"),
        ("EUR", 5, "0.05"),
        ("EUR", 123_450, "1234.50"),
        ("KWD", 1, "0.001"),
    ] {
        let currency = code.parse().unwrap();
        assert_eq!(decimal(amount, currency), written);
        assert_eq!(minor(written, currency), Some(amount));
    }
    let euro = "EUR".parse().unwrap();
    assert_eq!(minor("12.5000", euro), Some(1_250));
    for wrong in [
        "",
        ".5",
        "1.005",
        "-1",
        "1,5",
        "1e3",
        "99999999999999999999",
    ] {
        assert_eq!(minor(wrong, euro), None, "{wrong}");
    }
}

#[test]
fn a_statement_has_the_elements_of_the_message() {
    let xml = String::from_utf8(statement("EUR".parse().unwrap()).to_xml()).unwrap();
    for part in [
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">",
        "<MsgId>S-1</MsgId>",
        "<FrDtTm>2025-10-09T08:53:20.000Z</FrDtTm>",
        "<Cd>OPBD</Cd>",
        "<Amt Ccy=\"EUR\">2.50</Amt>",
        "<CdtDbtInd>DBIT</CdtDbtInd>",
        "<Cd>CLBD</Cd>",
        "<Amt Ccy=\"EUR\">12343.12</Amt>",
        "<NtryRef>A1</NtryRef>",
        "<EndToEndId>order &lt;A1&gt; &amp; co</EndToEndId>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
}

#[test]
fn what_was_changed_is_refused_by_name() {
    let xml = String::from_utf8(statement(Currency::KRW).to_xml()).unwrap();
    let with = |from: &str, to: &str| {
        assert!(xml.contains(from), "{from}");
        Statement::from_xml(xml.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    let value = |element, value: &str| Malformed::Value {
        element,
        value: value.to_owned(),
    };
    assert_eq!(
        with("1234567", "1234568"),
        Malformed::Sum {
            computed: 1_234_313,
            said: 1_234_312
        }
    );
    assert_eq!(with("1234567", "12.5"), value("Amt", "12.5"));
    assert_eq!(with("<Ccy>KRW", "<Ccy>WON"), value("Acct/Ccy", "WON"));
    assert_eq!(with("Ccy=\"KRW\"", "Ccy=\"EUR\""), value("Amt@Ccy", "EUR"));
    assert_eq!(
        with("<AcctSvcrRef>A1</AcctSvcrRef>", ""),
        Malformed::Missing("AcctSvcrRef")
    );
    assert_eq!(with("DBIT", "BOTH"), value("CdtDbtInd", "BOTH"));
    assert_eq!(with("<Cd>CLBD", "<Cd>CLAV"), Malformed::Missing("CLBD"));
    for broken in [
        "",
        "<Document>",
        "no xml",
        "<Document><BkToCstmrStmt/></Document>",
    ] {
        Statement::from_xml(broken.as_bytes()).unwrap_err();
    }
    let bomb = xml.replacen("<Document", "<!DOCTYPE a [<!ENTITY b \"c\">]><Document", 1);
    assert!(matches!(
        Statement::from_xml(bomb.as_bytes()),
        Err(Malformed::Xml(_))
    ));
}

#[test]
fn what_is_only_announced_is_passed_over() {
    let mut pending = statement(Currency::KRW);
    let xml = String::from_utf8(pending.to_xml()).unwrap();
    let from = xml.find("<NtryRef>A2").unwrap();
    let xml = format!(
        "{}{}",
        &xml[..from],
        xml[from..].replacen("BOOK", "PDNG", 1)
    );
    pending.entries.pop();
    let xml = xml.replacen(">1234312<", ">1234317<", 1);
    assert_eq!(Statement::from_xml(xml.as_bytes()), Ok(pending));
}

proptest! {
    #[test]
    fn a_statement_is_read_as_it_was_written(
        code in prop::sample::select(vec!["KRW", "EUR", "KWD", "CLF"]),
        opening in -1_000_000_000_i64..1_000_000_000,
        (id, account) in ("[A-Za-z0-9]{1,35}", "[A-Za-z0-9-]{1,34}"),
        moved in prop::collection::vec((any::<bool>(), 1_i64..1_000_000_000_000, "[!-~]{1,35}"), 0..20),
    ) {
        let currency: Currency = code.parse().unwrap();
        let entries = moved.iter().map(|(collects, minor, reference)| {
            let direction = if *collects { Direction::Collect } else { Direction::Pay };
            entry(reference, direction, *minor, currency)
        });
        let mut statement = statement(currency);
        statement.entries = entries.collect();
        (statement.id, statement.account, statement.opening) = (id, account, opening);
        prop_assert_eq!(Statement::from_xml(&statement.to_xml()), Ok(statement));
    }
}
