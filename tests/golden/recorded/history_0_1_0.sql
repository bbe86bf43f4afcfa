-- A history that version 0.1.0 has written, of three runs; their begins are set to times of two days, UTC.
PRAGMA application_id = 1701078885;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE stretch (
    run INTEGER NOT NULL,     -- a random number for each start of edge-listen
    number INTEGER NOT NULL,  -- counts the stretches of a run
    began REAL NOT NULL,      -- Unix time, UTC, as this device's clock was at that moment
    seconds REAL NOT NULL,    -- of audio, or of time without any
    state TEXT NOT NULL,      -- music, other, unknown, silence or lost
    label TEXT,               -- of music
    confidence REAL NOT NULL, -- mean probability of what was said; 0 where the model was not asked
    device TEXT NOT NULL,     -- what was listened to
    PRIMARY KEY (run, number)
) WITHOUT ROWID
;
INSERT INTO "stretch" VALUES(962890160273973,2,1772409592.0,3.5,'music','jazz',4.16910585411307765824e-01,'standard input');
INSERT INTO "stretch" VALUES(962890160273973,3,1772409595.5,1.99941043083900282795e+00,'lost',NULL,0.0,'standard input');
INSERT INTO "stretch" VALUES(962890160273973,5,1772409597.5,7.5,'music','classical',9.67265119387177407794e-01,'standard input');
INSERT INTO "stretch" VALUES(6657341214990209,2,1772395200.0,12.0,'music','classical',9.73467381220859295787e-01,'standard input');
INSERT INTO "stretch" VALUES(6657341214990209,3,1772395212.0,1.5,'silence',NULL,0.0,'standard input');
INSERT INTO "stretch" VALUES(6657341214990209,5,1772395213.5,11.5,'music','blues',3.9938571750717971609e-01,'standard input');
INSERT INTO "stretch" VALUES(7720180906139926,2,1772440200.0,2.0,'music','classical',8.78630716159952251942e-01,'standard input');
INSERT INTO "stretch" VALUES(7720180906139926,3,1772440202.0,1.5,'silence',NULL,0.0,'standard input');
INSERT INTO "stretch" VALUES(7720180906139926,5,1772440203.5,11.5,'music','blues',3.9938571750717971609e-01,'standard input');
COMMIT;
