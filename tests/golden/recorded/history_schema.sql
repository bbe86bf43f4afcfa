CREATE TABLE stretch (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    began REAL NOT NULL,
    seconds REAL NOT NULL,
    state TEXT NOT NULL,
    label TEXT,
    confidence REAL NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID
