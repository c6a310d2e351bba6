PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE detections (
    fingerprint TEXT NOT NULL,
    options TEXT NOT NULL,
    found TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (fingerprint, options)
  ) STRICT;
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
CREATE TABLE models (
    path TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    opened TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    parameters INTEGER NOT NULL,
    dtype TEXT NOT NULL
  ) STRICT;
CREATE TABLE plans (id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, saved TEXT NOT NULL) STRICT;
CREATE TABLE rates (device TEXT NOT NULL, threads INTEGER NOT NULL, per_second REAL NOT NULL, measured TEXT NOT NULL, PRIMARY KEY (device, threads)) STRICT;
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
  , calibration TEXT, calibration_hash TEXT) STRICT;
INSERT INTO "runs" VALUES('b2495775-1b24-47ed-b037-c4ba63509bf6','Kept of old','/models/demo-model/model','demo-model','716609a71babae6e868adfa0a490d51a07cccb88aeacb1c044fc3842f0cd3b18','dd96ff2c80f233efcbda957783138c1f2504d10d8b584a83a805a8ada67a94db','{"context":192,"tokens":400,"windows":"bos"}','/models/demo-model/eval.jsonl','e4f6ceb085cb84c2bb95e8381628a6e0a149e3f5492d0d580b9518492a176d45','2026-11-27T20:58:06.315Z','2026-11-27T20:58:30.224Z','done','7a5da0f0-c0a4-416f-ba5b-c95636c5f98b',1,'elsewhere',1795813110224,'{"documents":5,"windowCount":5,"context":192,"stride":191,"windows":"bos","bos":true,"text":"5 documents cut into 5 windows of at most 191 tokens, each led by BOS, every text token predicted once; stopped at the token limit, after 481 tokens."}','{"nll":0.6461477083656889,"perplexity":1.9081758023266246,"wordPerplexity":null,"bytePerplexity":null,"bitsPerByte":null,"tokens":481,"nllStandardError":0.04936965786370543}','[[1,137,401]]',2,1,'cpu',2.09993118140000021307e+01,'[]',NULL,NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE variant_details (
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run, id),
    FOREIGN KEY (run, id) REFERENCES variants(run, id) ON DELETE CASCADE
  ) STRICT;
INSERT INTO "variant_details" VALUES('b2495775-1b24-47ed-b037-c4ba63509bf6','44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d','{"id": "44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d", "tensors": [{"name": "model.layers.0.self_attn.q_proj.weight", "layer": 0, "bits": 3, "sqnrDb": 14.422731030495065, "meanSquaredError": 0.00013675217079050936, "maxAbsError": 0.03372955322265625, "clipped": 0, "restored": 0, "weights": 65536, "bitsPerWeight": 3.5}, {"name": "model.layers.0.self_attn.k_proj.weight", "layer": 0, "bits": 3, "sqnrDb": 14.402388337319138, "meanSquaredError": 0.00011404533528332184, "maxAbsError": 0.032684326171875, "clipped": 0, "restored": 0, "weights": 32768, "bitsPerWeight": 3.5}, {"name": "model.layers.0.self_attn.v_proj.weight", "layer": 0, "bits": 3, "sqnrDb": 14.31608897814244, "meanSquaredError": 5.7241749736498446e-05, "maxAbsError": 0.01983642578125, "clipped": 0, "restored": 0, "weights": 32768, "bitsPerWeight": 3.5}], "layers": [{"layer": 0, "relative": 0.1272193027492177}, {"layer": 1, "relative": 0.11090097068350459}, {"layer": 2, "relative": 0.10261328934948713}, {"layer": 3, "relative": 0.09976520069263511}, {"layer": 4, "relative": 0.10720657802076498}, {"layer": 5, "relative": 0.13608008907427227}]}');
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
INSERT INTO "variants" VALUES('b2495775-1b24-47ed-b037-c4ba63509bf6','44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d',0,0,'done',3.5,9.55228269743585347434e-04,'{"id":"44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d","index":0,"recipe":{"codec":"rtn","bits":3,"symmetric":false,"block":"group:64","clip":null,"restore":"none","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn3, group 64","status":"done","bitsPerWeight":3.5,"fileBitsPerWeight":4.832014890646812,"perplexity":1.9024769692949581,"nll":0.643156705185009,"tokens":481,"kl":{"mean":0.0009552282697435853,"median":0.000005423118636826985,"p99":0.011329740285873408,"max":0.05552763491868973,"topAgreement":0.8898128898128899},"sqnrDb":14.288320479272842,"seconds":1.8459762990000017,"worker":0,"startedAt":5841,"finishedAt":10725,"attempts":1}');
INSERT INTO "variants" VALUES('b2495775-1b24-47ed-b037-c4ba63509bf6','4acbe59a290a92b2004315ec9bc11b3f4b08599444a5b612a2d1b2eadf32e040',1,1,'done',3.50001085069444428654e+00,9.55228269743585347434e-04,'{"id":"4acbe59a290a92b2004315ec9bc11b3f4b08599444a5b612a2d1b2eadf32e040","index":1,"recipe":{"codec":"rtn","bits":3,"symmetric":false,"block":"group:64","clip":null,"restore":"super-weights","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn3, group 64, restored","status":"done","bitsPerWeight":3.5000108506944443,"fileBitsPerWeight":4.832024585078331,"perplexity":1.9024769692949581,"nll":0.643156705185009,"tokens":481,"kl":{"mean":0.0009552282697435853,"median":0.000005423118636826985,"p99":0.011329740285873408,"max":0.05552763491868973,"topAgreement":0.8898128898128899},"sqnrDb":14.288320479272842,"seconds":1.9365098459999972,"worker":0,"startedAt":5841,"finishedAt":10756,"attempts":1}');
INSERT INTO "variants" VALUES('b2495775-1b24-47ed-b037-c4ba63509bf6','7822334c008c6631cfbd6687a24c04c9d1d1d77c23374a2a7cfee079a2968cb4',2,2,'done',4.5,1.65099865295743842771e-04,'{"id":"7822334c008c6631cfbd6687a24c04c9d1d1d77c23374a2a7cfee079a2968cb4","index":2,"recipe":{"codec":"rtn","bits":4,"symmetric":false,"block":"group:64","clip":null,"restore":"none","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn4, group 64","status":"done","bitsPerWeight":4.5,"fileBitsPerWeight":5.725453699395067,"perplexity":1.9094357988383903,"nll":0.6468078051430207,"tokens":481,"kl":{"mean":0.00016509986529574384,"median":0.0000011473766790004447,"p99":0.0015786927193403237,"max":0.004452322144061327,"topAgreement":0.9355509355509356},"sqnrDb":20.91709360531887,"seconds":2.428155111,"worker":1,"startedAt":5883,"finishedAt":20930,"attempts":1}');
INSERT INTO "variants" VALUES('b2495775-1b24-47ed-b037-c4ba63509bf6','33a0c76a0717cf41aeba59277f2008511d45f4eb3987e1a833359f821d02124b',3,3,'done',4.50001085069444428654e+00,1.65099865295743842771e-04,'{"id":"33a0c76a0717cf41aeba59277f2008511d45f4eb3987e1a833359f821d02124b","index":3,"recipe":{"codec":"rtn","bits":4,"symmetric":false,"block":"group:64","clip":null,"restore":"super-weights","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn4, group 64, restored","status":"done","bitsPerWeight":4.500010850694444,"fileBitsPerWeight":5.725463393826586,"perplexity":1.9094357988383903,"nll":0.6468078051430207,"tokens":481,"kl":{"mean":0.00016509986529574384,"median":0.0000011473766790004447,"p99":0.0015786927193403237,"max":0.004452322144061327,"topAgreement":0.9355509355509356},"sqnrDb":20.91709360531887,"seconds":2.473205763000005,"worker":0,"startedAt":10829,"finishedAt":14345,"attempts":1}');
CREATE INDEX variants_in_order ON variants(run, position);
CREATE INDEX variants_by_score ON variants(run, status, kl, bits);
CREATE INDEX lab_results_by_model ON lab_results(fingerprint, experiment, created);
COMMIT;
PRAGMA user_version = 3;
