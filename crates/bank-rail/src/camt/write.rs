//! From a statement to XML.

use super::{Entry, NAMESPACE, Statement, decimal, moment};
use bongsu_ledger::Currency;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// The document.
pub fn write(statement: &Statement) -> Vec<u8> {
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let document = BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
    xml.event(Event::Start(document));
    xml.within("BkToCstmrStmt", |xml| {
        xml.within("GrpHdr", |xml| {
            xml.text("MsgId", &statement.id);
            xml.text("CreDtTm", &moment(statement.to));
        });
        xml.within("Stmt", |xml| self::statement(xml, statement));
    });
    xml.event(Event::End(BytesEnd::new("Document")));
    xml.0.into_inner()
}

fn statement(xml: &mut Xml, statement: &Statement) {
    xml.text("Id", &statement.id);
    xml.text("CreDtTm", &moment(statement.to));
    xml.within("FrToDt", |xml| {
        xml.text("FrDtTm", &moment(statement.from));
        xml.text("ToDtTm", &moment(statement.to));
    });
    xml.within("Acct", |xml| {
        xml.within("Id", |xml| {
            xml.within("Othr", |xml| xml.text("Id", &statement.account));
        });
        xml.text("Ccy", statement.currency.code());
    });
    let balances = [
        ("OPBD", statement.opening, statement.from),
        ("CLBD", statement.closing(), statement.to),
    ];
    for (code, balance, at) in balances {
        xml.within("Bal", |xml| {
            xml.within("Tp", |xml| {
                xml.within("CdOrPrtry", |xml| xml.text("Cd", code));
            });
            xml.amount(balance.unsigned_abs(), statement.currency);
            xml.text("CdtDbtInd", if balance < 0 { "DBIT" } else { "CRDT" });
            xml.within("Dt", |xml| xml.text("DtTm", &moment(at)));
        });
    }
    for entry in &statement.entries {
        xml.within("Ntry", |xml| self::entry(xml, entry));
    }
}

fn entry(xml: &mut Xml, entry: &Entry) {
    xml.text("NtryRef", &entry.reference);
    xml.amount(
        entry.money.amount.minor().unsigned_abs(),
        entry.money.currency,
    );
    xml.text(
        "CdtDbtInd",
        if entry.signed() < 0 { "DBIT" } else { "CRDT" },
    );
    xml.within("Sts", |xml| xml.text("Cd", "BOOK"));
    xml.within("BookgDt", |xml| xml.text("DtTm", &moment(entry.at)));
    xml.text("AcctSvcrRef", &entry.reference);
    xml.within("BkTxCd", |xml| {
        xml.within("Domn", |xml| {
            xml.text("Cd", "PMNT");
            xml.within("Fmly", |xml| {
                let received = entry.signed() >= 0;
                xml.text("Cd", if received { "RDDT" } else { "ICDT" });
                xml.text("SubFmlyCd", if received { "PMDD" } else { "DMCT" });
            });
        });
    });
    xml.within("NtryDtls", |xml| {
        xml.within("TxDtls", |xml| {
            xml.within("Refs", |xml| xml.text("EndToEndId", &entry.order));
        });
    });
}

/// A document that is being written.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn event(&mut self, event: Event<'_>) {
        let written = self.0.write_event(event);
        written.expect("a vector takes whatever is written to it");
    }

    fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.within(name, |xml| xml.event(Event::Text(BytesText::new(text))));
    }

    fn amount(&mut self, minor: u64, currency: Currency) {
        let start = BytesStart::new("Amt").with_attributes([("Ccy", currency.code())]);
        self.event(Event::Start(start));
        self.event(Event::Text(BytesText::new(&decimal(minor, currency))));
        self.event(Event::End(BytesEnd::new("Amt")));
    }
}
