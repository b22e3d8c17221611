//! What is written is read, and what was changed is not.

use super::*;
use proptest::option;
use proptest::prelude::*;

fn tea() -> Payload {
    Payload {
        initiation: Initiation::Dynamic,
        accounts: vec![Account {
            scheme: "example.talk".to_owned(),
            merchant: "tea-house".to_owned(),
        }],
        category: 5812,
        currency: 410,
        amount: Some("4500".to_owned()),
        country: "KR".to_owned(),
        name: "TEA HOUSE".to_owned(),
        city: "SEONGNAM".to_owned(),
        reference: Some("order-7".to_owned()),
        terminal: None,
        localised: Some(Localised {
            language: "ko".to_owned(),
            name: "찻집".to_owned(),
            city: Some("성남".to_owned()),
        }),
    }
}

/// A check value of CRC-16/IBM-3740 from its catalogue.
#[test]
fn the_checksum_is_the_one_of_the_specification() {
    assert_eq!(checksum("123456789"), "29B1");
}

#[test]
fn a_payload_is_written_field_by_field() {
    let text = tea().write().unwrap();
    let body = "00020101021226290012example.talk0109tea-house52045812530341054044500\
                5802KR5909TEA HOUSE6008SEONGNAM62110507order-764180002ko0102찻집0202성남6304";
    assert_eq!(text, format!("{body}{}", checksum(body)));
    assert_eq!(Payload::read(&text), Ok(tea()));
}

#[test]
fn what_the_specification_does_not_have_is_refused_by_name() {
    let with = |change: &dyn Fn(&mut Payload)| {
        let mut payload = tea();
        change(&mut payload);
        payload.write().unwrap_err()
    };
    assert_eq!(with(&|p| p.accounts.clear()), Refused::Missing(26));
    assert_eq!(with(&|p| p.category = 10_000), Refused::Field(52));
    assert_eq!(with(&|p| p.currency = 1_000), Refused::Field(53));
    for amount in ["", "1.", ".5", "1.2.3", "-1", "1e3", "12345678901234"] {
        assert_eq!(
            with(&|p| p.amount = Some(amount.to_owned())),
            Refused::Field(54)
        );
    }
    assert_eq!(with(&|p| p.country = "kr".to_owned()), Refused::Field(58));
    assert_eq!(with(&|p| p.name = "찻집".to_owned()), Refused::Field(59));
    assert_eq!(with(&|p| p.city = "X".repeat(16)), Refused::Field(60));
    assert_eq!(
        with(&|p| p.reference = Some(String::new())),
        Refused::Field(62)
    );
    assert_eq!(
        with(&|p| p.localised.as_mut().unwrap().language = "KO".to_owned()),
        Refused::Field(64)
    );
}

#[test]
fn what_is_no_payload_is_refused_by_name() {
    let sealed = |body: &str| {
        let body = format!("{body}6304");
        let sum = checksum(&body);
        Payload::read(&format!("{body}{sum}")).unwrap_err()
    };
    for text in ["", "6304", "찻", "찻집찻", "00020163040000", "6304AAAA찻집"] {
        assert_eq!(
            Payload::read(text).unwrap_err(),
            Refused::Checksum,
            "{text}"
        );
    }
    assert_eq!(sealed(""), Refused::Field(0));
    assert_eq!(sealed("0002"), Refused::Structure);
    assert_eq!(sealed("00+1x"), Refused::Structure);
    assert_eq!(sealed("000201000201"), Refused::Twice(0));
    assert_eq!(sealed("000201"), Refused::Missing(58));
    assert_eq!(sealed("0002010102135802KR"), Refused::Field(1));
    assert_eq!(sealed("0002015802KR"), Refused::Missing(26));
    assert_eq!(sealed("00020126020A5802KR"), Refused::Field(26));
    assert_eq!(
        Payload::read(&"0".repeat(513)).unwrap_err(),
        Refused::TooLong
    );
}

proptest! {
    #[test]
    fn a_payload_is_read_as_it_was_written(
        merchants in prop::collection::vec("[!-~]{1,12}", 1..3),
        (category, currency) in (0_u16..10_000, 0_u16..1_000),
        amount in option::of("[0-9]{1,9}(\\.[0-9]{1,3})?"),
        (name, city) in ("[ -~]{1,25}", "[ -~]{1,15}"),
        (reference, terminal) in (option::of("[ -~]{1,25}"), option::of("[ -~]{1,25}")),
        korean in option::of(("[가-힣]{1,25}", option::of("[가-힣]{1,15}"))),
    ) {
        let accounts = merchants.into_iter().map(|merchant| {
            let scheme = "example.talk".to_owned();
            Account { scheme, merchant }
        });
        let localised = korean.map(|(name, city)| {
            let language = "ko".to_owned();
            Localised { language, name, city }
        });
        let (initiation, country) = (Initiation::Static, "KR".to_owned());
        let payload = Payload {
            initiation, accounts: accounts.collect(), category, currency, amount, country,
            name, city, reference, terminal, localised,
        };
        let text = payload.write().unwrap();
        prop_assert_eq!(Payload::read(&text), Ok(payload));
    }

    #[test]
    fn one_changed_character_is_noticed(at in 0_usize..60, to in "[0-9A-Z]") {
        let text = tea().write().unwrap();
        let changed: String = text.chars().enumerate()
            .map(|(n, old)| if n == at { to.chars().next().unwrap() } else { old })
            .collect();
        prop_assume!(changed != text);
        prop_assert_eq!(Payload::read(&changed), Err(Refused::Checksum));
    }

    #[test]
    fn nothing_that_is_read_makes_it_fall_over(text in ".{0,80}") {
        let _ = Payload::read(&text);
        let body = format!("{text}6304");
        let _ = Payload::read(&format!("{body}{}", checksum(&body)));
    }
}
