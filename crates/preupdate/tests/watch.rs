//! What a watcher is told, for every way in which SQLite writes a row.

use bongsu_preupdate::{Change, Kind, Watched};
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};
use std::sync::mpsc::{Receiver, channel};

type Row = Vec<Value>;

/// A change as it was seen.
#[derive(Debug, PartialEq)]
struct Seen {
    place: String,
    old: Option<Row>,
    new: Option<Row>,
}

fn owned(value: ValueRef<'_>) -> Value {
    value.try_into().expect("a value")
}

fn seen(change: &Change<'_>) -> Seen {
    let name = |name: &std::ffi::CStr| name.to_str().expect("UTF-8").to_owned();
    let columns = 0..change.columns();
    let old = || {
        columns
            .clone()
            .map(|n| owned(change.before(n).expect("old")))
    };
    let new = || {
        columns
            .clone()
            .map(|n| owned(change.after(n).expect("new")))
    };
    assert!(change.before(columns.len()).is_err());
    assert!(change.after(columns.len()).is_err());
    Seen {
        place: format!("{}.{}", name(change.schema()), name(change.table())),
        old: (change.kind() != Kind::Insert).then(|| old().collect()),
        new: (change.kind() != Kind::Delete).then(|| new().collect()),
    }
}

fn watched(
    schema: &str,
) -> (
    Watched<impl FnMut(&Change<'_>) + Send + 'static>,
    Receiver<Seen>,
) {
    let db = Connection::open_in_memory().expect("opens");
    db.execute_batch(schema).expect("valid schema");
    let (tell, told) = channel();
    let watch = move |change: &Change<'_>| tell.send(seen(change)).expect("somebody listens");
    (Watched::new(db, watch), told)
}

/// A row of two columns, if there is one.
type Pair = Option<[Value; 2]>;

/// Runs `sql`, in which # is the table, on `t(a INTEGER PRIMARY KEY, b)`, `u(a UNIQUE, b)` and `w(a, b,
/// PRIMARY KEY (a)) WITHOUT ROWID`, each with the rows (1, 'x') and (2, 'y').
fn check(sql: &str, expect: &[(Pair, Pair)]) {
    for table in ["t", "u", "w"] {
        let sql = sql.replace('#', table);
        let (db, told) = watched(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b);
             CREATE TABLE u (a UNIQUE, b);
             CREATE TABLE w (a, b, PRIMARY KEY (a)) WITHOUT ROWID;
             INSERT INTO t VALUES (1, 'x'), (2, 'y');
             INSERT INTO u VALUES (1, 'x'), (2, 'y');
             INSERT INTO w VALUES (1, 'x'), (2, 'y');",
        );
        db.execute_batch(&sql).expect(&sql);
        let expect: Vec<Seen> = expect
            .iter()
            .map(|(old, new)| Seen {
                place: format!("main.{table}"),
                old: old.clone().map(Vec::from),
                new: new.clone().map(Vec::from),
            })
            .collect();
        assert_eq!(told.try_iter().collect::<Vec<_>>(), expect, "{sql}");
    }
}

fn row(a: i64, b: &str) -> Option<[Value; 2]> {
    Some([Value::Integer(a), Value::Text(b.to_owned())])
}

#[test]
fn every_way_of_writing_is_told() {
    check("INSERT INTO # VALUES (3, 'z')", &[(None, row(3, "z"))]);
    check(
        "UPDATE # SET b = 'z' WHERE a = 1",
        &[(row(1, "x"), row(1, "z"))],
    );
    check("DELETE FROM # WHERE a = 2", &[(row(2, "y"), None)]);
    check("DELETE FROM #", &[(row(1, "x"), None), (row(2, "y"), None)]);
    check(
        "REPLACE INTO # VALUES (1, 'z')",
        &[(row(1, "x"), None), (None, row(1, "z"))],
    );
    check("INSERT OR IGNORE INTO # VALUES (1, 'z')", &[]);
    check(
        "INSERT INTO # VALUES (1, 'z') ON CONFLICT (a) DO UPDATE SET b = excluded.b",
        &[(row(1, "x"), row(1, "z"))],
    );
    check(
        "INSERT INTO # SELECT a + 2, b FROM #",
        &[(None, row(3, "x")), (None, row(4, "y"))],
    );
    check(
        "UPDATE # SET a = 7 WHERE a = 1",
        &[(row(1, "x"), row(7, "x"))],
    );
    check(
        "UPDATE OR REPLACE # SET a = 2 WHERE a = 1",
        &[(row(2, "y"), None), (row(1, "x"), row(2, "x"))],
    );
}

#[test]
fn values_keep_their_types() {
    let (db, told) = watched("CREATE TABLE t (a, b, c, d, e REAL)");
    db.execute(
        "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)",
        (-5, "", vec![0_u8, 1], None::<i64>, 4),
    )
    .expect("inserts");
    let new = told.recv().expect("told").new;
    let expect = vec![
        Value::Integer(-5),
        Value::Text(String::new()),
        Value::Blob(vec![0, 1]),
        Value::Null,
        Value::Real(4.0),
    ];
    assert_eq!(new, Some(expect.clone()));
    db.execute("DELETE FROM t", ()).expect("deletes");
    assert_eq!(told.recv().expect("told").old, Some(expect));
}

#[test]
fn a_column_added_later_is_there_in_older_rows() {
    let (db, told) = watched("CREATE TABLE t (a); INSERT INTO t VALUES (1);");
    db.execute_batch("ALTER TABLE t ADD COLUMN b DEFAULT 'tea'; ALTER TABLE t ADD COLUMN c;")
        .expect("alters");
    db.execute("DELETE FROM t", ()).expect("deletes");
    let expect = vec![
        Value::Integer(1),
        Value::Text("tea".to_owned()),
        Value::Null,
    ];
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told.last().expect("told").old, Some(expect));
}

#[test]
fn other_schemas_are_named_and_what_is_rolled_back_was_told() {
    let (db, told) = watched("CREATE TEMP TABLE p (a)");
    db.execute_batch("BEGIN; INSERT INTO p VALUES (1); ROLLBACK;")
        .expect("valid");
    let places: Vec<_> = told.try_iter().map(|seen| seen.place).collect();
    assert_eq!(places, ["temp.p"]);
}

#[test]
fn the_watcher_goes_with_the_connection() {
    let (db, told) = watched("CREATE TABLE t (a)");
    drop(db);
    assert!(told.recv().is_err());
}
