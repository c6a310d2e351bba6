PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE detections (
    revision TEXT NOT NULL,
    options TEXT NOT NULL,
    found TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (revision, options)
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
    revision TEXT NOT NULL,
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
INSERT INTO "runs" VALUES('504fba74-604b-4e58-bc8a-4085cf0fd52c','Kept of old','/models/demo-model/model','demo-model','5442ee92851fa97dce42abb4cbfc62b3c11fce807890a066cb35496609362c09','dd96ff2c80f233efcbda957783138c1f2504d10d8b584a83a805a8ada67a94db','{"context":192,"tokens":400,"windows":"bos"}','/models/demo-model/eval.jsonl','e4f6ceb085cb84c2bb95e8381628a6e0a149e3f5492d0d580b9518492a176d45','2026-11-27T20:57:33.288Z','2026-11-27T20:58:00.320Z','done','ffe8504c-4a16-4419-a827-ebc4d962148c',1,'elsewhere',1795813080320,'{"documents":5,"windowCount":5,"context":192,"stride":191,"windows":"bos","join":"rows","textTokens":481,"words":417,"bytes":2188,"bos":true,"text":"5 documents cut into 5 windows of at most 191 tokens, each led by BOS, every text token predicted once; stopped at the token limit, after 481 tokens."}','{"nll":0.6461477083656889,"perplexity":1.9081758023266246,"wordPerplexity":2.10710856889306,"bytePerplexity":1.1526298788552551,"bitsPerByte":0.20492932334286826,"tokens":481,"nllStandardError":0.04936965786370543}','[[1,137,401]]',2,1,'cpu',2.17460563110000038022e+01,'[]',NULL,NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE variant_details (
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run, id),
    FOREIGN KEY (run, id) REFERENCES variants(run, id) ON DELETE CASCADE
  ) STRICT;
INSERT INTO "variant_details" VALUES('504fba74-604b-4e58-bc8a-4085cf0fd52c','44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d','{"id": "44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d", "tensors": [{"name": "model.layers.0.self_attn.q_proj.weight", "layer": 0, "bits": 3, "sqnrDb": 14.422731030495065, "meanSquaredError": 0.00013675217079050936, "maxAbsError": 0.03372955322265625, "clipped": 0, "restored": 0, "weights": 65536, "bitsPerWeight": 3.5}, {"name": "model.layers.0.self_attn.k_proj.weight", "layer": 0, "bits": 3, "sqnrDb": 14.402388337319138, "meanSquaredError": 0.00011404533528332184, "maxAbsError": 0.032684326171875, "clipped": 0, "restored": 0, "weights": 32768, "bitsPerWeight": 3.5}, {"name": "model.layers.0.self_attn.v_proj.weight", "layer": 0, "bits": 3, "sqnrDb": 14.31608897814244, "meanSquaredError": 5.7241749736498446e-05, "maxAbsError": 0.01983642578125, "clipped": 0, "restored": 0, "weights": 32768, "bitsPerWeight": 3.5}], "layers": [{"layer": 0, "relative": 0.1272193027492177}, {"layer": 1, "relative": 0.11090097068350459}, {"layer": 2, "relative": 0.10261328934948713}, {"layer": 3, "relative": 0.09976520069263511}, {"layer": 4, "relative": 0.10720657802076498}, {"layer": 5, "relative": 0.13608008907427227}]}');
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
INSERT INTO "variants" VALUES('504fba74-604b-4e58-bc8a-4085cf0fd52c','44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d',0,0,'done',3.5,9.55228269743585347434e-04,'{"id":"44a2690f84d97324d4e5e77340a9947153d9fae6fe4812ba0ebbafc0da5de12d","index":0,"recipe":{"codec":"rtn","bits":3,"symmetric":false,"block":"group:64","clip":null,"restore":"none","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn3, group 64","status":"done","bitsPerWeight":3.5,"fileBitsPerWeight":4.832014890646812,"perplexity":1.9024769692949581,"nll":0.643156705185009,"tokens":481,"kl":{"mean":0.0009552282697435853,"median":0.000005423118636826985,"p99":0.011329740285873408,"max":0.05552763491868973,"topAgreement":0.8898128898128899},"sqnrDb":14.288320479272842,"seconds":1.1540600340000018,"worker":0,"startedAt":14431,"finishedAt":17375,"attempts":1}');
INSERT INTO "variants" VALUES('504fba74-604b-4e58-bc8a-4085cf0fd52c','4acbe59a290a92b2004315ec9bc11b3f4b08599444a5b612a2d1b2eadf32e040',1,1,'done',3.50001085069444428654e+00,9.55228269743585347434e-04,'{"id":"4acbe59a290a92b2004315ec9bc11b3f4b08599444a5b612a2d1b2eadf32e040","index":1,"recipe":{"codec":"rtn","bits":3,"symmetric":false,"block":"group:64","clip":null,"restore":"super-weights","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn3, group 64, restored","status":"done","bitsPerWeight":3.5000108506944443,"fileBitsPerWeight":4.832024585078331,"perplexity":1.9024769692949581,"nll":0.643156705185009,"tokens":481,"kl":{"mean":0.0009552282697435853,"median":0.000005423118636826985,"p99":0.011329740285873408,"max":0.05552763491868973,"topAgreement":0.8898128898128899},"sqnrDb":14.288320479272842,"seconds":1.1219796729999942,"worker":0,"startedAt":14431,"finishedAt":17389,"attempts":1}');
INSERT INTO "variants" VALUES('504fba74-604b-4e58-bc8a-4085cf0fd52c','7822334c008c6631cfbd6687a24c04c9d1d1d77c23374a2a7cfee079a2968cb4',2,2,'done',4.5,1.65099865295743842771e-04,'{"id":"7822334c008c6631cfbd6687a24c04c9d1d1d77c23374a2a7cfee079a2968cb4","index":2,"recipe":{"codec":"rtn","bits":4,"symmetric":false,"block":"group:64","clip":null,"restore":"none","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn4, group 64","status":"done","bitsPerWeight":4.5,"fileBitsPerWeight":5.725453699395067,"perplexity":1.9094357988383903,"nll":0.6468078051430207,"tokens":481,"kl":{"mean":0.00016509986529574384,"median":0.0000011473766790004447,"p99":0.0015786927193403237,"max":0.004452322144061327,"topAgreement":0.9355509355509356},"sqnrDb":20.91709360531887,"seconds":0.9581064580000018,"worker":1,"startedAt":14598,"finishedAt":21711,"attempts":1}');
INSERT INTO "variants" VALUES('504fba74-604b-4e58-bc8a-4085cf0fd52c','33a0c76a0717cf41aeba59277f2008511d45f4eb3987e1a833359f821d02124b',3,3,'done',4.50001085069444428654e+00,1.65099865295743842771e-04,'{"id":"33a0c76a0717cf41aeba59277f2008511d45f4eb3987e1a833359f821d02124b","index":3,"recipe":{"codec":"rtn","bits":4,"symmetric":false,"block":"group:64","clip":null,"restore":"super-weights","holdOut":false,"keep":["*lm_head*","*embed_tokens*"],"overrides":[],"activations":null},"label":"rtn4, group 64, restored","status":"done","bitsPerWeight":4.500010850694444,"fileBitsPerWeight":5.725463393826586,"perplexity":1.9094357988383903,"nll":0.6468078051430207,"tokens":481,"kl":{"mean":0.00016509986529574384,"median":0.0000011473766790004447,"p99":0.0015786927193403237,"max":0.004452322144061327,"topAgreement":0.9355509355509356},"sqnrDb":20.91709360531887,"seconds":0.6297355109999916,"worker":0,"startedAt":17396,"finishedAt":18284,"attempts":1}');
CREATE INDEX variants_in_order ON variants(run, position);
CREATE INDEX variants_by_score ON variants(run, status, kl, bits);
CREATE INDEX lab_results_by_model ON lab_results(fingerprint, experiment, created);
COMMIT;
PRAGMA user_version = 4;
