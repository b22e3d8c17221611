-- What the bank was asked and has not answered.
CREATE INDEX payment_at_bank ON payment (made, n) WHERE state = 1;
CREATE INDEX settlement_at_bank ON settlement (made, n) WHERE state = 1;
