-- What the ledger promises, as a stored procedure: an id is good once, both balances change together, and debits
-- never exceed credits.
CREATE TABLE account (
    id      BIGINT PRIMARY KEY,
    debits  BIGINT NOT NULL DEFAULT 0,
    credits BIGINT NOT NULL,
    CHECK (debits <= credits)
) WITH (fillfactor = 70);

CREATE TABLE transfer (
    id     UUID PRIMARY KEY,
    debit  BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    made   TIMESTAMPTZ NOT NULL DEFAULT now()
);
-- For statements.
CREATE INDEX transfer_debit ON transfer (debit, made);
CREATE INDEX transfer_credit ON transfer (credit, made);

INSERT INTO account (id, credits) SELECT n, 1000000000000 FROM generate_series(1, {accounts}) AS n;

CREATE FUNCTION pay(new_id UUID, from_id BIGINT, to_id BIGINT, much BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transfer (id, debit, credit, amount) VALUES (new_id, from_id, to_id, much) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN FALSE;
    END IF;
    -- In the order of their numbers, so that nobody waits in a circle.
    IF from_id < to_id THEN
        UPDATE account SET debits = debits + much WHERE id = from_id;
        UPDATE account SET credits = credits + much WHERE id = to_id;
    ELSE
        UPDATE account SET credits = credits + much WHERE id = to_id;
        UPDATE account SET debits = debits + much WHERE id = from_id;
    END IF;
    RETURN TRUE;
END $$;

-- To account 1 in so many of a hundred cases, otherwise to any.
CREATE FUNCTION pay_random(accounts INTEGER, hot INTEGER) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    from_id BIGINT := 1 + floor(random() * accounts);
    to_id   BIGINT := 1 + floor(random() * accounts);
BEGIN
    IF random() * 100 < hot THEN
        to_id := 1;
    END IF;
    IF from_id = to_id THEN
        from_id := from_id % accounts + 1;
    END IF;
    RETURN pay(gen_random_uuid(), from_id, to_id, 1 + floor(random() * 1000)::BIGINT);
END $$;
