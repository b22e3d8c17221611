-- What was redacted is unread no more.
CREATE INDEX event_redacted ON event (room) WHERE redacted_by IS NOT NULL;
