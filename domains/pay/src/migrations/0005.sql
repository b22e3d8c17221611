-- How much people of a level may have the bank bring, where an operator said so.
CREATE TABLE top_up_limits (
    currency TEXT NOT NULL,
    level INTEGER NOT NULL,
    top_up INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (currency, level)
) WITHOUT ROWID;

-- The top-ups that are at the bank and counted below.
CREATE TABLE awaited (
    payment BLOB PRIMARY KEY
) WITHOUT ROWID;

-- What they come to, for each wallet, and under the owner '' for all of a currency.
CREATE TABLE coming (
    owner TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (owner, currency)
) WITHOUT ROWID;

-- What the bank said of orders and the books refuse to take, by the orders' names at the bank.
CREATE TABLE set_aside (
    name TEXT PRIMARY KEY,
    reference TEXT,
    why TEXT NOT NULL
) WITHOUT ROWID;
