/** One step per schema version, applied in order; a released step is never edited. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    judge TEXT NOT NULL,
    text TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Who executes it: a studio's token, its process and machine, and its last sign of life (ms since 1970).
    owner TEXT,
    owner_process INTEGER,
    owner_host TEXT,
    heartbeat INTEGER,
    convention TEXT,
    baseline TEXT,
    super_weights TEXT NOT NULL DEFAULT '[]',
    workers INTEGER NOT NULL DEFAULT 0,
    threads INTEGER NOT NULL DEFAULT 0,
    device TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0,
    notes TEXT NOT NULL DEFAULT '[]'
  ) STRICT;
  CREATE TABLE variants (
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    -- When its turn comes: coarse to fine.
    turn INTEGER NOT NULL,
    status TEXT NOT NULL,
    bits REAL,
    kl REAL,
    -- The whole row as JSON (VariantResult).
    result TEXT NOT NULL,
    PRIMARY KEY (run, id)
  ) STRICT;
  CREATE INDEX variants_in_order ON variants(run, position);
  CREATE INDEX variants_by_score ON variants(run, status, kl, bits);
  -- Apart from the rows, so that ten thousand of them stay light.
  CREATE TABLE variant_details (
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run, id),
    FOREIGN KEY (run, id) REFERENCES variants(run, id) ON DELETE CASCADE
  ) STRICT;
  CREATE TABLE detections (
    fingerprint TEXT NOT NULL,
    options TEXT NOT NULL,
    found TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (fingerprint, options)
  ) STRICT;
  CREATE TABLE models (
    path TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    opened TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    parameters INTEGER NOT NULL,
    dtype TEXT NOT NULL
  ) STRICT;
  CREATE TABLE plans (id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, saved TEXT NOT NULL) STRICT;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  -- Measured speed: multiply-adds of the quantized linears per second and worker.
  CREATE TABLE rates (device TEXT NOT NULL, threads INTEGER NOT NULL, per_second REAL NOT NULL, measured TEXT NOT NULL, PRIMARY KEY (device, threads)) STRICT;
  `,
  `
  CREATE TABLE lab_results (
    id TEXT PRIMARY KEY,
    experiment TEXT NOT NULL,
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created TEXT NOT NULL,
    seconds REAL NOT NULL,
    finding TEXT NOT NULL,
    request TEXT NOT NULL,
    report TEXT NOT NULL
  ) STRICT;
  CREATE INDEX lab_results_by_model ON lab_results(fingerprint, experiment, created);
  `,
  `
  -- Where SmoothQuant's scales are chosen; null where no recipe of the run has any.
  ALTER TABLE runs ADD COLUMN calibration TEXT;
  ALTER TABLE runs ADD COLUMN calibration_hash TEXT;
  `,
  `
  -- A detection belongs to the files it was made in, not to all that look alike; earlier ones cannot say which those were.
  DROP TABLE detections;
  CREATE TABLE detections (
    revision TEXT NOT NULL,
    options TEXT NOT NULL,
    found TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (revision, options)
  ) STRICT;
  ALTER TABLE models RENAME COLUMN fingerprint TO revision;
  `,
  `
  -- What a person writes about a run, and what title and note were before each edit, so that it can be undone.
  ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
  CREATE TABLE run_edits (
    edit INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    made TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL
  ) STRICT;
  CREATE INDEX run_edits_by_run ON run_edits(run, edit);
  -- Where a run came from that another Keystone executed (RunOrigin as JSON); null for this one's own.
  ALTER TABLE runs ADD COLUMN imported TEXT;
  -- By what an imported run finds its model here; empty until the model is opened again.
  ALTER TABLE models ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
  `,
];
