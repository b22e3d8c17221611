-- The directory is read from the fullest room on.
CREATE INDEX room_listed ON room (joined, n) WHERE listed = 1;
